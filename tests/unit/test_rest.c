#include "config.h"

#include "daemon/run/rest.h"

#include "base/clock.h"
#include "daemon/run/loop.h"
#include "daemon/server.h"
#include "tests/unit/unit.h"

static struct loop *a_loop(void)
{
	static struct server no_databases;
	static struct loop l;

	l = (struct loop){ .server = &no_databases };
	spares_init(&l.large, LOOP_LARGE_BYTES, LOOP_SPARES_KEPT);
	spares_init(&l.small, LOOP_SMALL_BYTES, LOOP_SPARES_KEPT);
	spares_init(&l.jobs, JOB_SPARE_BYTES, LOOP_SPARES_KEPT);
	return &l;
}

static void turn(struct rest *r, struct loop *l, unsigned served)
{
	rest_begin(r, l);
	l->served = served;
	rest_end(r, l);
}

/* So long that no more is expected. */
static void pass(struct rest *r)
{
	r->now_ns += NS_PER_MS;
}

TEST(a_loop_that_has_done_nothing_sleeps)
{
	struct rest r = { 0 };
	struct loop *l = a_loop();

	assert_false(rest_begin(&r, l));
	turn(&r, l, 0);
	assert_false(rest_begin(&r, l));
}

TEST(after_work_it_looks_for_a_moment)
{
	struct rest r = { 0 };
	struct loop *l = a_loop();

	turn(&r, l, 1);
	assert_true(rest_begin(&r, l));
	pass(&r);
	assert_false(rest_begin(&r, l));
	assert_false(rest_begin(&r, l));
	turn(&r, l, 1);
	assert_true(rest_begin(&r, l));
}

TEST(for_one_answer_of_a_server_it_looks_longer)
{
	struct rest r = { 0 };
	struct loop *l = a_loop();

	l->asked_server = true;
	turn(&r, l, 1);
	r.now_ns += 100 * 1000;
	l->nstarted = 1;
	assert_true(rest_begin(&r, l));
	l->nstarted = 0;
	assert_false(rest_begin(&r, l));
	turn(&r, l, 1);
	l->nstarted = 1;
	pass(&r);
	assert_false(rest_begin(&r, l));
}

static void assert_sleeps_while_started(unsigned nstarted, bool asked_server)
{
	struct rest r = { 0 };
	struct loop *l = a_loop();

	turn(&r, l, 1);
	l->nstarted = nstarted;
	l->asked_server = asked_server;
	assert_false(rest_begin(&r, l));
	l->nstarted = 0;
	assert_false(rest_begin(&r, l));        /* it has slept since */
	turn(&r, l, 1);
	assert_true(rest_begin(&r, l));
}

TEST(it_sleeps_while_a_worker_has_a_job_of_its)
{
	assert_sleeps_while_started(1, false);
}

TEST(it_sleeps_while_a_server_has_several)
{
	assert_sleeps_while_started(2, true);
}

TEST(it_looks_no_more_when_that_was_in_vain_again_and_again)
{
	struct rest r = { 0 };
	struct loop *l = a_loop();
	unsigned looked = 0, i;

	for (i = 0; i < 20; i++) {
		turn(&r, l, 1);
		looked += rest_begin(&r, l);
		pass(&r);
		assert_false(rest_begin(&r, l));
	}
	assert_in_range(looked, 1, 10);
	r.sleep_until_ns = 0;           /* a while later */
	turn(&r, l, 1);
	assert_true(rest_begin(&r, l));
}

TEST(looking_that_finds_something_is_not_in_vain)
{
	struct rest r = { 0 };
	struct loop *l = a_loop();
	unsigned i;

	turn(&r, l, 1);
	for (i = 0; i < 100; i++) {
		assert_true(rest_begin(&r, l));
		l->served = 1;
		rest_end(&r, l);
		assert_int_equal(r.in_vain, 0);
	}
}

TEST(with_a_snapshot_open_it_looks_once_more_before_it_sleeps)
{
	struct rest r = { 0 };
	struct loop *l = a_loop();

	turn(&r, l, 1);
	l->nstarted = 2;
	l->nsnapshots = 1;
	assert_true(rest_begin(&r, l));
	l->served = 0;
	rest_end(&r, l);
	assert_false(rest_begin(&r, l));
}

TEST(a_loop_that_sleeps_keeps_no_spare_memory)
{
	struct rest r = { 0 };
	struct loop *l = a_loop();

	spares_give(&l->large, spares_take(&l->large));
	spares_give(&l->small, spares_take(&l->small));
	spares_give(&l->jobs, spares_take(&l->jobs));
	turn(&r, l, 1);
	spares_give(&l->large, spares_take(&l->large));
	assert_true(rest_begin(&r, l));
	assert_int_equal(l->large.count, 1);
	pass(&r);
	assert_false(rest_begin(&r, l));
	assert_int_equal(l->large.count + l->small.count + l->jobs.count, 0);
}

TEST(after_a_turn_of_very_many_memory_goes_back_once)
{
	struct rest r = { 0 };
	struct loop *l = a_loop();

	turn(&r, l, 5000);
	assert_true(r.burst);
	pass(&r);
	assert_false(rest_begin(&r, l));
	assert_false(r.burst);
	turn(&r, l, 3);
	assert_false(r.burst);
}
