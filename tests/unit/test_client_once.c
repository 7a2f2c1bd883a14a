/* rowd_call_once against a daemon that loses answers: applied or not applied, never a guess. */
#include "config.h"

#include "unit.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "fake_rowd.h"
#include "proto/uuid.h"
#include "rowd.h"

#define APPLIED \
	"\x82\xa5state\xa7" \
	"applied\xa6result\x81\xa8inserted\x03"
#define NOT_APPLIED "\x81\xa5state\xabnot_applied"

enum fate { ANSWERED, LOST, DOUBTED };

/* What becomes of the first write, and what outcome() says of it; what was heard of both, to be read when the fake
 * has stopped. */
struct story {
	enum fate fate;
	const char *outcome; /* encoded; NULL: nobody answers */
	size_t outcome_len;
	char request[4096], asked[4096], database[4096];
	int outcomes;
};

#define STORY(fate, outcome) \
	{ \
		fate, outcome, sizeof(outcome) - 1, "", "", "", 0 \
	}

static bool answer(struct story *s, int fd, const struct fake_request *r)
{
	bool write = !strcmp(r->method, "insert") || !strcmp(r->method, "delete_where") ||
		     !strcmp(r->method, "commit");

	if (!strcmp(r->method, "outcome")) {
		s->outcomes++;
		snprintf(s->asked, sizeof(s->asked), "%s", r->params);
		if (!s->outcome)
			return false;
		fake_reply(fd, r->msgid, s->outcome, s->outcome_len);
	} else if (write && s->fate != ANSWERED) {
		snprintf(s->request, sizeof(s->request), "%s", r->params);
		if (s->fate == LOST)
			return false;
		fake_error(fd, r->msgid, ROWD_E_COMMIT_UNKNOWN, "commit_unknown", "unknown", false);
	} else {
		if (write)
			snprintf(s->request, sizeof(s->request), "%s", r->params);
		if (!strcmp(r->method, "use"))
			snprintf(s->database, sizeof(s->database), "%s", r->params);
		FAKE_REPLY(fd, r->msgid, "\x81\xa8inserted\x01");
	}
	return true;
}

static void script(int fd, int n, void *arg)
{
	static pthread_mutex_t telling = PTHREAD_MUTEX_INITIALIZER;
	struct fake_request r;
	bool more = true;

	(void)n;
	if (!fake_hello(fd))
		return;
	while (more && fake_read(fd, &r)) {
		pthread_mutex_lock(&telling); /* each connection is a thread of its own */
		more = answer(arg, fd, &r);
		pthread_mutex_unlock(&telling);
	}
}

static struct rowd *connect_to(struct fake_rowd *f)
{
	struct rowd_options options = ROWD_OPTIONS_INIT;
	struct rowd *c = NULL;

	options.connect_timeout_ms = 500;
	assert_int_equal(rowd_connect(fake_path(f), &options, &c, NULL), ROWD_OK);
	return c;
}

static struct rowd_value *one_row(const char *table)
{
	return rowd_array(rowd_str(table), rowd_map("id", rowd_int(1)));
}

/* The id in what the fake printed: it stands in quotes, and has hyphens. */
static void id_in(const char *text, char out[ROWD_ID_BYTES])
{
	uint8_t id[UUID_BYTES];
	const char *p;

	for (p = strchr(text, '"'); p; p = strchr(p + 1, '"')) {
		if (strlen(p + 1) >= UUID_TEXT_BYTES && uuid_parse(p + 1, UUID_TEXT_BYTES, id)) {
			snprintf(out, ROWD_ID_BYTES, "%s", p + 1);
			return;
		}
	}
	fail_msg("no id in %s", text);
}

static void assert_asked_for_what_was_sent(const struct story *s)
{
	char sent[ROWD_ID_BYTES], asked[ROWD_ID_BYTES];

	id_in(s->request, sent);
	id_in(s->asked, asked);
	assert_string_equal(sent, asked);
}

TEST(ids_are_uuids_of_their_time_and_never_twice_the_same)
{
	char a[ROWD_ID_BYTES], b[ROWD_ID_BYTES];
	uint8_t id[UUID_BYTES];

	assert_int_equal(rowd_make_id(a, NULL), ROWD_OK);
	assert_int_equal(rowd_make_id(b, NULL), ROWD_OK);
	assert_string_not_equal(a, b);
	assert_int_equal(strlen(a), UUID_TEXT_BYTES);
	assert_true(uuid_parse(a, UUID_TEXT_BYTES, id));
	assert_true(uuid_time_ms(id) > INT64_C(1600000000000));
	assert_int_equal(id[8] & 0xc0, 0x80);
}

TEST(an_answer_that_comes_is_believed)
{
	struct story s = STORY(ANSWERED, APPLIED);
	struct fake_rowd *f = fake_start(script, &s);
	struct rowd *c = connect_to(f);
	struct rowd_result *r;
	char id[ROWD_ID_BYTES];

	assert_int_equal(rowd_call_once(c, "insert", one_row("t"), NULL, &r, NULL), ROWD_OK);
	assert_int_equal(rowd_result_count(r), 1);
	rowd_result_free(r);
	rowd_close(c);
	fake_stop(f);
	assert_int_equal(s.outcomes, 0);
	id_in(s.request, id);
}

TEST(a_lost_answer_is_asked_for)
{
	static const enum fate fates[] = { LOST, DOUBTED };
	size_t i;

	for (i = 0; i < 2; i++) {
		struct story s = STORY(fates[i], APPLIED);
		struct fake_rowd *f = fake_start(script, &s);
		struct rowd *c = connect_to(f);
		struct rowd_result *r;

		assert_int_equal(rowd_call_once(c, "insert", one_row("t"), NULL, &r, NULL), ROWD_OK);
		assert_int_equal(rowd_result_count(r), 3);
		rowd_result_free(r);
		assert_int_equal(rowd_ping(c, NULL), ROWD_OK);
		rowd_close(c);
		fake_stop(f);
		assert_asked_for_what_was_sent(&s);
	}
}

TEST(what_was_not_applied_is_told_so)
{
	struct story s = STORY(LOST, NOT_APPLIED);
	struct fake_rowd *f = fake_start(script, &s);
	struct rowd *c = connect_to(f);
	struct rowd_error err;

	assert_int_equal(rowd_call_once(c, "insert", one_row("t"), NULL, NULL, &err), ROWD_E_UNAVAILABLE);
	assert_int_equal(err.outcome, ROWD_NOT_APPLIED);
	assert_true(err.local);
	rowd_close(c);
	fake_stop(f);
	assert_int_equal(s.outcomes, 1);
}

TEST(when_nobody_can_be_asked_it_stays_unknown_and_the_id_is_told)
{
	struct story s = { .fate = LOST };
	struct fake_rowd *f = fake_start(script, &s);
	struct rowd *c = connect_to(f);
	struct rowd_error err;
	char id[ROWD_ID_BYTES];

	assert_int_equal(rowd_call_once(c, "insert", one_row("t"), NULL, NULL, &err), ROWD_E_COMMIT_UNKNOWN);
	assert_int_equal(err.outcome, ROWD_UNKNOWN);
	rowd_close(c);
	fake_stop(f);
	assert_true(s.outcomes > 1);
	id_in(s.request, id);
	assert_non_null(strstr(err.text, id));
}

TEST(an_id_of_ones_own_joins_the_options)
{
	struct rowd_call_options how = ROWD_CALL_OPTIONS_INIT;
	struct story s = STORY(LOST, APPLIED);
	struct fake_rowd *f = fake_start(script, &s);
	struct rowd *c = connect_to(f);

	how.request_id = "01890a5d-ac96-774b-bcce-b302099a8057";
	assert_int_equal(rowd_call_once(c, "delete_where",
					rowd_array(rowd_str("shop.t"), rowd_eq("id", rowd_int(1)),
						   rowd_map("returning", rowd_str("keys"))),
					&how, NULL, NULL),
			 ROWD_OK);
	rowd_close(c);
	fake_stop(f);
	assert_string_equal(s.request, "[\"shop.t\", [\"=\", \"id\", 1], {\"returning\"=>\"keys\", "
				       "\"request_id\"=>\"01890a5d-ac96-774b-bcce-b302099a8057\"}]");
	assert_string_equal(s.asked, "[\"01890a5d-ac96-774b-bcce-b302099a8057\"]");
	assert_string_equal(s.database, "[\"shop\"]");
}

TEST(a_filter_that_is_a_map_is_no_options)
{
	struct story s = STORY(ANSWERED, APPLIED);
	struct fake_rowd *f = fake_start(script, &s);
	struct rowd *c = connect_to(f);
	static const char raw[] = "\x92\xa1t\x81\xa2id\x01";

	assert_int_equal(rowd_call_once(c, "insert", rowd_raw(raw, sizeof(raw) - 1), NULL, NULL, NULL),
			 ROWD_OK);
	rowd_close(c);
	fake_stop(f);
	assert_memory_equal(s.request, "[\"t\", {\"id\"=>1}, {\"request_id\"=>", 32);
}

TEST(a_lost_commit_that_was_resolved_leaves_no_transaction)
{
	struct story s = STORY(LOST, APPLIED);
	struct fake_rowd *f = fake_start(script, &s);
	struct rowd *c = connect_to(f);

	assert_int_equal(rowd_begin(c, NULL, NULL), ROWD_OK);
	assert_int_equal(rowd_call_once(c, "commit", NULL, NULL, NULL, NULL), ROWD_OK);
	assert_false(rowd_in_transaction(c));
	assert_int_equal(rowd_ping(c, NULL), ROWD_OK);
	rowd_close(c);
	fake_stop(f);
	assert_asked_for_what_was_sent(&s);
}

TEST(what_cannot_be_done_once_sends_nothing)
{
	struct rowd_call_options how = ROWD_CALL_OPTIONS_INIT;
	struct story s = STORY(ANSWERED, APPLIED);
	struct fake_rowd *f = fake_start(script, &s);
	struct rowd *c = connect_to(f);
	struct rowd_error err;

	assert_int_equal(rowd_call_once(c, "select", one_row("t"), NULL, NULL, &err), ROWD_E_BAD_REQUEST);
	assert_true(err.local);
	how.request_id = "not a uuid";
	assert_int_equal(rowd_call_once(c, "insert", one_row("t"), &how, NULL, NULL), ROWD_E_BAD_REQUEST);
	assert_int_equal(rowd_call(c, "insert", one_row("t"), &how, NULL, NULL), ROWD_E_BAD_REQUEST);
	assert_int_equal(rowd_call_once(c, "insert", rowd_array(rowd_str(NULL)), NULL, NULL, NULL),
			 ROWD_E_BAD_REQUEST);
	assert_int_equal(rowd_send(c, "ping", NULL, NULL, NULL), ROWD_OK);
	assert_int_equal(rowd_call_once(c, "insert", one_row("t"), NULL, NULL, NULL), ROWD_E_BAD_REQUEST);
	assert_int_equal(rowd_receive_next(c, ROWD_TIMEOUT_DEFAULT, NULL, NULL, NULL), ROWD_OK);
	assert_int_equal(rowd_begin(c, NULL, NULL), ROWD_OK);
	assert_int_equal(rowd_call_once(c, "insert", one_row("t"), NULL, NULL, NULL), ROWD_E_BAD_REQUEST);
	rowd_close(c);
	fake_stop(f);
	assert_string_equal(s.request, "");
}
