/*
 * Many rows, fast: writes are sent without waiting for each answer, and read back as a stream whose
 * size does not matter.
 *
 *	cc -std=c11 pipeline.c $(pkg-config --cflags --libs rowd) -o pipeline
 *	./pipeline [/path/of/rowd.sock [rows]]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <rowd.h>

enum {
	ROWS_PER_INSERT = 500, /* each insert is all or nothing */
	INSERTS_ON_THEIR_WAY = 16
};

static int complain(const char *what, const struct rowd_error *err)
{
	fprintf(stderr, "%s: %s: %s (%s)\n", what, err->name, err->text, rowd_outcome_name(err->outcome));
	return 1;
}

static enum rowd_code make_table(struct rowd *db, struct rowd_error *err)
{
	struct rowd_value *schema =
		rowd_map("columns",
			 rowd_array(rowd_map("name", rowd_str("id"), "type", rowd_str("int")),
				    rowd_map("name", rowd_str("sensor"), "type", rowd_str("text(20)")),
				    rowd_map("name", rowd_str("value"), "type", rowd_str("float"))),
			 "primary_key", rowd_strs("id"));
	enum rowd_code rc;

	rc = rowd_call(db, "drop_table",
		       rowd_array(rowd_str("pipeline_readings"), rowd_map("if_exists", rowd_bool(true))),
		       NULL, NULL, err);
	if (rc) {
		rowd_value_free(schema); /* it was not handed to any call */
		return rc;
	}
	return rowd_call(db, "create_table", rowd_array(rowd_str("pipeline_readings"), schema), NULL, NULL,
			 err);
}

static struct rowd_value *readings(int64_t from, int64_t to)
{
	struct rowd_value *rows = rowd_array_new();
	int64_t id;

	for (id = from; id < to; id++)
		rowd_array_add(rows,
			       rowd_map("id", rowd_int(id), "sensor", rowd_str(id % 2 ? "door" : "roof"),
					"value", rowd_float((double)(id % 977) / 10)));
	return rows;
}

/* Receive until no more than most are on their way. The first error ends it. */
static enum rowd_code receive_down_to(struct rowd *db, unsigned most, struct rowd_error *err)
{
	enum rowd_code rc = ROWD_OK;

	while (!rc && rowd_pending(db) > most)
		rc = rowd_receive_next(db, ROWD_TIMEOUT_DEFAULT, NULL, NULL, err);
	return rc;
}

static enum rowd_code write_all(struct rowd *db, int64_t rows, struct rowd_error *err)
{
	enum rowd_code rc = ROWD_OK;
	int64_t id, end;

	for (id = 0; id < rows && !rc; id = end) {
		end = id + ROWS_PER_INSERT < rows ? id + ROWS_PER_INSERT : rows;
		rc = rowd_send(db, "insert", rowd_array(rowd_str("pipeline_readings"), readings(id, end)),
			       NULL, err);
		if (!rc)
			rc = receive_down_to(db, INSERTS_ON_THEIR_WAY - 1, err);
	}
	return rc ? rc : receive_down_to(db, 0, err);
}

static enum rowd_code read_all(struct rowd *db, int64_t *count, double *sum, struct rowd_error *err)
{
	struct rowd_value *options = rowd_map("columns", rowd_strs("value"), "batch", rowd_int(2000), "where",
					      rowd_eq("sensor", rowd_str("door")));
	const struct rowd_result *batch;
	struct rowd_stream *stream;
	enum rowd_code rc;
	double value;
	size_t i;

	rc = rowd_stream_open(db, "pipeline_readings", options, &stream, err);
	if (rc)
		return rc;
	while (!(rc = rowd_stream_next(stream, &batch, err)) && batch) {
		for (i = 0; i < rowd_result_rows(batch); i++) {
			if (rowd_row_float(rowd_result_row(batch, i), "value", &value))
				*sum += value;
			++*count;
		}
	}
	rowd_stream_close(stream);
	return rc;
}

int main(int argc, char **argv)
{
	int64_t rows = argc > 2 ? strtoll(argv[2], NULL, 10) : 100000, count = 0;
	struct rowd_error err;
	double sum = 0;
	struct rowd *db;
	int status = 0;

	if (rowd_connect(argc > 1 ? argv[1] : NULL, NULL, &db, &err))
		return complain("connect", &err);
	if (make_table(db, &err))
		status = complain("create_table", &err);
	else if (write_all(db, rows, &err))
		status = complain("insert", &err);
	else if (read_all(db, &count, &sum, &err))
		status = complain("select", &err);
	else
		printf("%" PRId64 " rows written, %" PRId64
		       " of them read back, the sum of their values is %.1f\n",
		       rows, count, sum);
	rowd_close(db);
	return status;
}
