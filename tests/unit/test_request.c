#include "config.h"

#include "proto/request.h"

#include <stdio.h>

#include "proto/value.h"
#include "tests/unit/unit.h"

/*
 * Params are written here as text: numbers, 'strings', nil true false, [..], {key value ..}.
 * "[ 'users' { 'id' 1 } ]"; blanks between all words.
 */
static void encode(struct buf *b, const char **text_io);

/* The words up to the closing bracket; behind a head whose count is known only then. */
static void encode_many(struct buf *b, const char **text_io, char close, bool map)
{
	struct buf inner;
	uint32_t count = 0;

	buf_init(&inner, 1 << 26);
	for (;;) {
		*text_io += strspn(*text_io, " ");
		if (**text_io == close)
			break;
		encode(&inner, text_io);
		count++;
	}
	++*text_io;
	if (map)
		wire_map(b, count / 2);
	else
		wire_array(b, count);
	buf_add(b, inner.data, inner.len);
	buf_fini(&inner);
}

static void encode(struct buf *b, const char **text_io)
{
	const char *s = *text_io + strspn(*text_io, " ");
	size_t len = strcspn(s, " ");

	*text_io = s + len;
	if (*s == '[' || *s == '{') {
		*text_io = s + 1;
		encode_many(b, text_io, *s == '[' ? ']' : '}', *s == '{');
	} else if (*s == '\'') {
		wire_str(b, s + 1, len - 2);
	} else if (*s == 'b') {
		wire_bin(b, s + 1, len - 1);
	} else if (*s == 'n') {
		wire_nil(b);
	} else if (*s == 't' || *s == 'f') {
		wire_bool(b, *s == 't');
	} else if (strchr(s, '.') && strchr(s, '.') < s + len) {
		wire_float(b, strtod(s, NULL));
	} else if (*s == '-') {
		wire_int(b, strtoll(s, NULL, 10));
	} else {
		wire_uint(b, strtoull(s, NULL, 10));
	}
}

/* The last request read, and what it borrows from. */
static struct {
	struct buf bytes;
	msgpack_unpacked unpacked;
	struct request request;
	struct err err;
} got;

static enum rowd_code read_bytes(enum op_id id)
{
	size_t off = 0;

	op_init();
	err_init(&got.err);
	msgpack_unpacked_destroy(&got.unpacked);
	msgpack_unpacked_init(&got.unpacked);
	assert_int_equal(msgpack_unpack_next(&got.unpacked, got.bytes.data, got.bytes.len, &off),
			 MSGPACK_UNPACK_SUCCESS);
	return request_read(op_get(id), &got.unpacked.data, &got.request, &got.err);
}

static enum rowd_code read_text(enum op_id id, const char *text)
{
	buf_fini(&got.bytes);
	buf_init(&got.bytes, 1 << 27);
	encode(&got.bytes, &text);
	return read_bytes(id);
}

static void ok(enum op_id id, const char *text)
{
	enum rowd_code rc = read_text(id, text);

	if (rc)
		fail_msg("%s: %s", text, got.err.text);
	assert_ptr_equal(got.request.op, op_get(id));
}

static void refused_as(enum op_id id, const char *text, enum rowd_code code, const char *sentence)
{
	assert_int_equal(read_text(id, text), code);
	assert_int_equal(got.err.code, code);
	if (sentence)
		assert_string_equal(got.err.text, sentence);
	else
		assert_true(got.err.text[0] != '\0');
}

static void bad(enum op_id id, const char *text, const char *sentence)
{
	refused_as(id, text, ROWD_E_BAD_REQUEST, sentence);
}

TEST(request_parameters_stand_in_their_places)
{
	ok(OP_GET, "[ 'users' 5 ]");
	assert_int_equal(got.request.params[0]->type, MSGPACK_OBJECT_STR);
	assert_int_equal(got.request.params[1]->via.u64, 5);
	assert_null(got.request.params[2]);
	ok(OP_UPDATE_WHERE, "[ 'users' { 'id' 1 } { 'age' 2 } { 'limit' 3 'max_rows' 4 } ]");
	assert_int_equal(got.request.params[2]->type, MSGPACK_OBJECT_MAP);
	assert_int_equal(request_uint(&got.request, OPT_LIMIT, 9), 3);
	assert_int_equal(request_uint(&got.request, OPT_MAX_ROWS, 9), 4);
	assert_null(got.request.options[OPT_ORDER]);
}

TEST(request_missing_parameters_are_named)
{
	bad(OP_GET, "[ ]", "get: table is missing; it takes 2 parameters, 0 came");
	bad(OP_GET, "[ 'users' ]", "get: key is missing; it takes 2 parameters, 1 came");
	bad(OP_DELETE_WHERE, "[ 'users' ]", NULL);
	bad(OP_UPDATE_WHERE, "[ 'users' { 'id' 1 } ]", NULL);
	bad(OP_USE, "[ ]", NULL);
	bad(OP_COUNT, "[ ]", NULL);
}

TEST(request_surplus_parameters_are_refused)
{
	bad(OP_GET, "[ 'users' 5 6 ]",
	    "get: only a map of options can stand behind its 2 parameters, an int came");
	bad(OP_GET, "[ 'users' 5 { } { } ]", "get takes 2 parameters and a map of options, 4 came");
	bad(OP_PING, "[ 1 ]", NULL);
	bad(OP_PING, "[ nil ]", NULL);
	bad(OP_PING, "[ [ ] ]", NULL);
	bad(OP_PING, "[ { } { } ]", NULL);
	bad(OP_COUNT, "[ 'users' { 'id' 1 } { } { } ]", NULL);
	bad(OP_COUNT, "[ 'users' { 'id' 1 } [ ] ]", NULL);
}

TEST(request_empty_options_are_always_fine)
{
	ok(OP_PING, "[ { } ]");
	ok(OP_GET, "[ 'users' 5 { } ]");
	ok(OP_HELLO, "[ ]");
	ok(OP_HELLO, "[ { } ]");
	ok(OP_HELLO, "[ { 'client' 'me' 'protocol' 1 'errors' 'pair' } ]");
}

TEST(request_map_behind_the_table_is_the_filter_where_one_can_stand)
{
	ok(OP_COUNT, "[ 'users' ]");
	assert_null(got.request.params[1]);
	ok(OP_COUNT, "[ 'users' { 'id' 1 } ]");
	assert_non_null(got.request.params[1]);
	ok(OP_COUNT, "[ 'users' { 'id' 1 } { } ]");
	assert_non_null(got.request.params[1]);
	ok(OP_COUNT, "[ 'users' [ '=' 'id' 1 ] ]");
	bad(OP_COUNT, "[ 'users' { 'id' 1 } { 'id' 1 } ]", "count takes no option \"id\"");
	ok(OP_SELECT, "[ 'users' { 'where' { 'id' 1 } } ]");
	assert_non_null(got.request.options[OPT_WHERE]);
	bad(OP_SELECT, "[ 'users' { 'id' 1 } ]", "select takes no option \"id\"");
	bad(OP_SELECT, "[ 'users' [ '=' 'id' 1 ] ]", NULL);
}

TEST(request_filter_that_is_nil_is_empty_and_no_other_kind_is_a_filter)
{
	refused_as(OP_DELETE_WHERE, "[ 'users' nil ]", ROWD_E_EMPTY_FILTER, NULL);
	refused_as(OP_COUNT, "[ 'users' nil ]", ROWD_E_EMPTY_FILTER, NULL);
	refused_as(OP_COUNT, "[ 'users' nil { } ]", ROWD_E_EMPTY_FILTER, NULL);
	ok(OP_DELETE_WHERE, "[ 'users' { } ]");
	ok(OP_DELETE_WHERE, "[ 'users' [ ] ]");
	bad(OP_DELETE_WHERE, "[ 'users' 1 ]",
	    "delete_where: a filter, a map or an array, is due as filter, an int came");
	bad(OP_DELETE_WHERE, "[ 'users' 'all' ]", NULL);
	bad(OP_DELETE_WHERE, "[ 'users' true ]", NULL);
	bad(OP_DELETE_WHERE, "[ 'users' bx ]", NULL);
}

TEST(request_parameters_of_the_wrong_kind_are_refused)
{
	bad(OP_GET, "[ 5 5 ]", "get: a str, \"table\" or \"database.table\", is due as table, an int came");
	bad(OP_GET, "[ busers 5 ]", NULL);
	bad(OP_GET, "[ nil 5 ]", NULL);
	bad(OP_GET, "[ 'users' { 'id' 5 } ]", NULL);
	ok(OP_GET, "[ 'users' nil ]");
	ok(OP_GET, "[ 'users' [ 1 'x' ] ]");
	ok(OP_GET, "[ 'users' 1.5 ]");
	bad(OP_CANCEL, "[ -1 ]", NULL);
	bad(OP_CANCEL, "[ 9223372036854775808 ]", NULL);
	ok(OP_CANCEL, "[ 9223372036854775807 ]");
	bad(OP_CANCEL, "[ '1' ]", NULL);
	bad(OP_UPDATE_ALL, "[ 'users' [ ] ]", NULL);
	bad(OP_UPDATE_ALL, "[ 'users' nil ]", NULL);
	bad(OP_CREATE_INDEX, "[ 'users' 'age' ]", NULL);
	bad(OP_CREATE_INDEX, "[ 'users' [ 1 ] ]",
	    "create_index: an array of column names is due as columns, an array of other things came");
	ok(OP_CREATE_INDEX, "[ 'users' [ 'age' 'name' ] ]");
}

TEST(request_rows_are_a_map_or_an_array_of_maps)
{
	ok(OP_INSERT, "[ 'users' { 'id' 1 } ]");
	ok(OP_INSERT, "[ 'users' [ { 'id' 1 } { 'id' 2 } ] ]");
	ok(OP_INSERT, "[ 'users' [ ] ]");
	bad(OP_INSERT, "[ 'users' nil ]", NULL);
	bad(OP_INSERT, "[ 'users' 1 ]", NULL);
	bad(OP_INSERT, "[ 'users' [ { 'id' 1 } 2 ] ]", NULL);
	bad(OP_INSERT, "[ 'users' [ [ { 'id' 1 } ] ] ]", NULL);
}

TEST(request_options_unknown_or_of_another_operation_are_refused)
{
	bad(OP_SELECT, "[ 'users' { 'limits' 1 } ]", "select takes no option \"limits\"");
	bad(OP_SELECT, "[ 'users' { 'token' 'x' } ]", "select takes no option \"token\"");
	bad(OP_SELECT, "[ 'users' { '' 1 } ]", "select takes no option \"\"");
	bad(OP_GET, "[ 'users' 1 { 'limit' 1 } ]", NULL);
	bad(OP_DELETE_ALL, "[ 'users' { 'where' { 'id' 1 } } ]", NULL);
}

TEST(request_option_given_as_nil_is_not_the_same_as_not_given)
{
	for (int i = 0; i < OP_COUNT_; i++) {
		const struct op *op = op_get((enum op_id)i);

		for (int o = 0; o < OPT_COUNT_; o++) {
			char text[200] = "[ ";

			if (!(op->options >> o & 1))
				continue;
			for (unsigned p = 0; p < op->nrequired; p++) {
				enum param_kind kind = op->params[p].kind;

				strcat(text, kind == PARAM_STR || kind == PARAM_TABLE || kind == PARAM_KEY
						     ? "'x' "
					     : kind == PARAM_UINT                         ? "1 "
					     : kind == PARAM_OPS || kind == PARAM_COLUMNS ? "[ ] "
											  : "{ } ");
			}
			strcat(text, "{ '");
			strcat(text, option_get((enum op_option)o)->name);
			strcat(text, "' nil } ]");
			bad(op->id, text, NULL);
		}
	}
}

TEST(request_options_of_the_wrong_kind_are_refused)
{
	bad(OP_SELECT, "[ 'u' { 'limit' '1' } ]",
	    "select: an int of 0 to 2^63-1 is due as option limit, a str came");
	bad(OP_SELECT, "[ 'u' { 'limit' -1 } ]", NULL);
	bad(OP_SELECT, "[ 'u' { 'limit' 1.0 } ]", NULL);
	bad(OP_SELECT, "[ 'u' { 'limit' 9223372036854775808 } ]", NULL);
	bad(OP_SELECT, "[ 'u' { 'distinct' 1 } ]", NULL);
	bad(OP_SELECT, "[ 'u' { 'columns' 'age' } ]", NULL);
	bad(OP_SELECT, "[ 'u' { 'columns' [ 'age' 1 ] } ]", NULL);
	bad(OP_SELECT, "[ 'u' { 'columns' { 'age' 1 } } ]", NULL);
	bad(OP_SELECT, "[ 'u' { 'where' 'x' } ]", NULL);
	bad(OP_SELECT, "[ 'u' { 'after' 1 } ]", NULL);
	ok(OP_SELECT, "[ 'u' { 'after' [ nil 1 'x' ] } ]");
	bad(OP_AGGREGATE, "[ 'u' { 'compute' [ ] } ]", NULL);
	bad(OP_BEGIN, "[ { 'read_only' 'yes' } ]", NULL);
	bad(OP_COMMIT, "[ { 'request_id' 5 } ]", NULL);
}

TEST(request_returning_is_a_word_or_names)
{
	size_t len;

	ok(OP_DELETE, "[ 'u' 1 { 'returning' 'keys' } ]");
	assert_memory_equal(request_str(&got.request, OPT_RETURNING, &len), "keys", 4);
	assert_int_equal(len, 4);
	ok(OP_DELETE, "[ 'u' 1 { 'returning' 'rows' } ]");
	ok(OP_DELETE, "[ 'u' 1 { 'returning' [ 'id' ] } ]");
	assert_null(request_str(&got.request, OPT_RETURNING, &len));
	bad(OP_DELETE, "[ 'u' 1 { 'returning' 'all' } ]", NULL);
	bad(OP_DELETE, "[ 'u' 1 { 'returning' true } ]", NULL);
	bad(OP_DELETE, "[ 'u' 1 { 'returning' [ 1 ] } ]", NULL);
}

TEST(request_flags_and_counts_default_when_not_given)
{
	size_t len;

	ok(OP_SELECT, "[ 'u' { 'distinct' true 'stream' false 'offset' 7 } ]");
	assert_true(request_flag(&got.request, OPT_DISTINCT));
	assert_false(request_flag(&got.request, OPT_STREAM));
	assert_false(request_flag(&got.request, OPT_FOR_UPDATE));
	assert_int_equal(request_uint(&got.request, OPT_OFFSET, -1), 7);
	assert_int_equal(request_uint(&got.request, OPT_LIMIT, -1), -1);
	assert_null(request_str(&got.request, OPT_TOKEN, &len));
}

TEST(request_key_given_twice_is_refused_at_every_depth)
{
	bad(OP_INSERT, "[ 'u' { 'id' 1 'id' 2 } ]", "the key \"id\" is given twice in a map");
	bad(OP_INSERT, "[ 'u' [ { 'id' 1 } { 'id' 1 'x' 1 'id' 2 } ] ]", NULL);
	bad(OP_SELECT, "[ 'u' { 'limit' 1 'limit' 1 } ]", "the key \"limit\" is given twice in a map");
	bad(OP_SELECT, "[ 'u' { 'where' { 'a' 1 'a' 1 } } ]", NULL);
	bad(OP_SELECT, "[ 'u' { 'where' [ 'in' 'id' { 'select' 'x' 'from' 'y' 'select' 'z' } ] } ]", NULL);
	bad(OP_GET, "[ 'u' [ [ [ { 'a' { 'b' [ { 'c' 1 'c' 1 } ] } } ] ] ] ]", NULL);
	bad(OP_ATOMIC, "[ [ [ 'insert' 'u' { 'id' 1 'id' 1 } ] ] ]", NULL);
	ok(OP_INSERT, "[ 'u' [ { 'id' 1 'ID' 2 'i' 3 'd' 4 '' 5 } { 'id' 1 } ] ]");
	bad(OP_INSERT, "[ 'u' { '' 1 '' 2 } ]", NULL);
}

TEST(request_key_that_is_no_str_is_refused_at_every_depth)
{
	bad(OP_INSERT, "[ 'u' { 1 1 } ]", "a map's key is a str, an int came");
	bad(OP_INSERT, "[ 'u' { bid 1 } ]", "a map's key is a str, a bin came");
	bad(OP_INSERT, "[ 'u' { nil 1 } ]", NULL);
	bad(OP_INSERT, "[ 'u' { [ 'x' ] 1 } ]", NULL);
	bad(OP_INSERT, "[ 'u' [ { 'id' 1 } { 5 1 } ] ]", NULL);
	bad(OP_SELECT, "[ 'u' { 'where' [ 'and' { 'x' { 1 1 } } ] } ]", NULL);
}

/* [ 'u' { 'k0' 0, 'k1' 1, ... } ], key n-1 named as key `twin`. */
static void write_wide_row(struct buf *b, uint32_t pairs, uint32_t twin)
{
	char key[20];

	wire_map(b, pairs);
	for (uint32_t i = 0; i < pairs; i++) {
		snprintf(key, sizeof(key), "k%u", i + 1 == pairs ? twin : i);
		wire_cstr(b, key);
		wire_uint(b, i);
	}
}

static enum rowd_code read_wide(uint32_t rows, uint32_t pairs, uint32_t twin)
{
	buf_fini(&got.bytes);
	buf_init(&got.bytes, 1 << 27);
	wire_array(&got.bytes, 2);
	wire_cstr(&got.bytes, "u");
	wire_array(&got.bytes, rows);
	for (uint32_t i = 0; i < rows; i++)
		write_wide_row(&got.bytes, pairs, i + 1 == rows ? twin : pairs - 1);
	assert_false(got.bytes.failed);
	return read_bytes(OP_INSERT);
}

TEST(request_key_given_twice_is_found_in_maps_of_every_size)
{
	static const uint32_t sizes[] = { 2, 15, 16, 17, 18, 100, 127, 128, 129, 1000, 300000 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint32_t n = sizes[i];

		assert_int_equal(read_wide(1, n, n - 1), ROWD_OK);
		assert_int_equal(read_wide(1, n, 0), ROWD_E_BAD_REQUEST);
		assert_int_equal(read_wide(1, n, n - 2), ROWD_E_BAD_REQUEST);
		assert_int_equal(read_wide(1, n, n / 2 == n - 1 ? 0 : n / 2), ROWD_E_BAD_REQUEST);
	}
}

TEST(request_row_like_the_row_before_is_looked_at_all_the_same)
{
	for (uint32_t pairs = 2; pairs < 200; pairs += 33) {
		assert_int_equal(read_wide(50, pairs, pairs - 1), ROWD_OK);
		assert_int_equal(read_wide(50, pairs, 0), ROWD_E_BAD_REQUEST);
	}
	/* the same keys, but something wrong in a value */
	bad(OP_INSERT, "[ 'u' [ { 'id' 1 } { 'id' { 'x' 1 'x' 1 } } ] ]", NULL);
}

TEST(request_text_that_is_no_utf8_is_refused)
{
	refused_as(OP_USE, "[ '\xff' ]", ROWD_E_INVALID_TEXT, NULL);
	refused_as(OP_SAVEPOINT, "[ 'a\xc3' ]", ROWD_E_INVALID_TEXT, NULL);
	refused_as(OP_HELLO, "[ { 'client' '\xc0\x80' } ]", ROWD_E_INVALID_TEXT, NULL);
}

TEST(request_table_is_split_at_the_first_dot)
{
	const char *db, *table;
	size_t db_len, table_len;

	ok(OP_GET, "[ 'users' 1 ]");
	request_table(&got.request, &db, &db_len, &table, &table_len);
	assert_int_equal(db_len, 0);
	assert_int_equal(table_len, 5);
	assert_memory_equal(table, "users", 5);
	ok(OP_GET, "[ 'shop.users.x' 1 ]");
	request_table(&got.request, &db, &db_len, &table, &table_len);
	assert_int_equal(db_len, 4);
	assert_memory_equal(db, "shop", 4);
	assert_int_equal(table_len, 7);
	assert_memory_equal(table, "users.x", 7);
	ok(OP_GET, "[ '' 1 ]");
	request_table(&got.request, &db, &db_len, &table, &table_len);
	assert_int_equal(db_len, 0);
	assert_int_equal(table_len, 0);
	ok(OP_GET, "[ 'shop.' 1 ]");
	request_table(&got.request, &db, &db_len, &table, &table_len);
	assert_int_equal(db_len, 4);
	assert_int_equal(table_len, 0);
}

TEST(request_parameters_are_told_as_what_they_are)
{
	size_t len;

	ok(OP_USE, "[ 'shop' ]");
	assert_memory_equal(request_param_str(&got.request, 0, &len), "shop", 4);
	assert_int_equal(len, 4);
	ok(OP_CANCEL, "[ 7 { 'session' 8 } ]");
	assert_int_equal(request_param_uint(&got.request, 0), 7);
}

TEST(request_ops_of_atomic_are_read_one_by_one)
{
	const msgpack_object_array *ops;
	struct request r;

	ok(OP_ATOMIC, "[ [ [ 'get' 'u' 1 ] [ 'count' 'u' { 'id' 1 } ] [ 'nothing' ] [ 'get' 'u' ] ] ]");
	ops = &got.request.params[0]->via.array;
	assert_int_equal(request_read_op(&ops->ptr[0], &r, &got.err), ROWD_OK);
	assert_ptr_equal(r.op, op_get(OP_GET));
	assert_int_equal(r.params[1]->via.u64, 1);
	assert_int_equal(request_read_op(&ops->ptr[1], &r, &got.err), ROWD_OK);
	assert_non_null(r.params[1]);
	assert_int_equal(request_read_op(&ops->ptr[2], &r, &got.err), ROWD_E_UNKNOWN_METHOD);
	assert_string_equal(got.err.text, "there is no operation \"nothing\"");
	assert_int_equal(request_read_op(&ops->ptr[3], &r, &got.err), ROWD_E_BAD_REQUEST);
	ok(OP_ATOMIC, "[ [ ] ]");
	bad(OP_ATOMIC, "[ { } ]", NULL);
	ok(OP_ATOMIC, "[ [ [ ] 'get' [ 5 'u' 1 ] { 'get' 'u' } nil ] ]");
	ops = &got.request.params[0]->via.array;
	for (uint32_t i = 0; i < ops->size; i++)
		assert_int_equal(request_read_op(&ops->ptr[i], &r, &got.err), ROWD_E_BAD_REQUEST);
}

TEST(request_of_last_test_is_let_go)
{
	msgpack_unpacked_destroy(&got.unpacked);
	buf_fini(&got.bytes);
}
