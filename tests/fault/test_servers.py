"""A MySQL or MariaDB server that dies, hangs, refuses, or whose connections are cut: what rowd answers is true, and it
answers in time. ROWD_KILLS=1000 kills each server as often."""
import os
import random
import threading
import time

import pytest

from lib import oracle, servers, wire
from lib.backends import server
from lib.between import EXECUTE, PREPARE, Between, is_commit
from lib.daemon import Daemon
from lib.schema import schema

KILLS = int(os.environ.get("ROWD_KILLS", "6"))
KINDS = [k for k in os.environ.get("ROWD_BACKENDS", "sqlite mariadb mysql").split() if k != "sqlite"]
CONNECT_S = 2
IMPATIENT = "connect_timeout_ms = %d\n" % (CONNECT_S * 1000)


@pytest.fixture(scope="module", params=KINDS)
def victim(request):
    """A server that only these tests use, and may do anything to."""
    server(request.param)         # or a skip that says why
    own = servers.KINDS[request.param](servers.KILLABLE)
    yield own
    own.close()


@pytest.fixture
def serve(victim, tmp_path):
    """Makes daemons on a new database of the victim: serve(url) -> daemon."""
    made = []

    def make(url=None, config=None, seconds=20):
        directory = str(tmp_path / ("d%d" % len(made)))
        os.mkdir(directory)
        if url is None:
            make.database = victim.new_database()
            url = victim.url(make.database)
        made.append(Daemon([("main", url)], directory=directory, config=config))
        return made[-1].start(seconds)
    yield make
    try:
        for d in made:
            if d.alive():
                d.stop()
    finally:
        for d in made:
            d.kill()


def connections(victim):
    return [row for row in victim.sql("SHOW PROCESSLIST") if row[4] != "Daemon" and "PROCESSLIST" not in row[7].upper()]


def timed(call):
    began = time.monotonic()
    got = call()
    return got, time.monotonic() - began


# ---- death ----

def test_a_server_killed_at_random_moments_loses_nothing_acknowledged(victim, serve):
    d = serve()
    load = oracle.Load(d)
    dice = random.Random(11)
    for _ in range(KILLS):
        load.go_on(10)
        time.sleep(dice.random() * 0.15)
        victim.kill()
        victim.start()
    load.go_on(10)
    load.stop()
    there, gone, doubt = load.judge(victim.sql(oracle.GROUPS, serve.database))
    print("%s: %d kills, %d groups there, %d gone, %d in doubt, errors %s"
          % (victim.name, KILLS, there, gone, doubt, load.errors))
    assert there > 10 * KILLS / 2


def test_rowd_starts_without_its_server_and_finds_it_by_itself(victim, serve):
    database = victim.new_database()
    victim.kill()
    try:
        d, took = timed(lambda: serve(victim.url(database), IMPATIENT))
        assert took < 5
        with d.client() as c, d.client() as other:
            waiting = c.send("create_table", "t", schema({"id": "int"}))
            began = time.monotonic()
            time.sleep(0.2)
            _, took = timed(lambda: other.gives(True, "ping"))
            assert took < 1
            r = c.refused("unavailable", waiting)
            assert r.outcome == "not_applied" and r.retry is True
            assert CONNECT_S - 0.5 < time.monotonic() - began < CONNECT_S + 5
            waiting = c.send("create_table", "t", schema({"id": "int"}))
            victim.start()
            assert c.result(waiting) is True
            c.gives({"inserted": 1}, "insert", "t", {"id": 1})
    finally:
        if victim.process is None:
            victim.start()


# ---- a server that hangs ----

def test_ping_is_answered_at_once_while_the_server_hangs(victim, serve):
    d = serve(config=IMPATIENT)
    with d.client() as c, d.client() as reader, d.client() as beginner, d.client() as other:
        c.call("create_table", "t", schema({"id": "int"}))
        c.call("insert", "t", {"id": 1})
        victim.freeze()
        try:
            inserting, reading = c.send("insert", "t", {"id": 2}), reader.send("get", "t", 1)
            beginning = beginner.send("begin"), beginner.send("get", "t", 1)
            took = sorted(timed(lambda: other.gives(True, "ping"))[1] for _ in range(200))
            assert took[100] < 0.02 and took[-1] < 1, took[-5:]
            if victim.name != "mariadb":     # the rest, which takes its time, is the same for both
                return
            began = time.monotonic()
            r = c.reply(inserting)
            assert r.error and r.error[2]["name"] in ("unavailable", "commit_unknown"), r
            reader.refused("unavailable", reading)
            assert any(beginner.reply(m).error for m in beginning)
            assert time.monotonic() - began < 30
        finally:
            victim.thaw()
        wire.until(lambda: c.reply(c.send("get", "t", 1)).error is None, "the server to be used again", 20)


# ---- connections that are cut ----

@pytest.fixture
def cut(victim, serve):
    """A daemon behind a wire that can be cut, with a table t of one row."""
    between = Between(victim)
    database = victim.new_database()
    d = serve(between.url(database))
    between.database = database
    between.daemon = d
    with d.client() as c:
        c.call("create_table", "t", schema({"id": "int", "v": "int"}))
        c.call("insert", "t", {"id": 0, "v": 0})
    yield between
    between.cut = None
    between.close()
    os.unlink(between.path)


def ids(victim, database):
    return {int(row[0]) for row in victim.sql("SELECT id FROM t", database)}


WAYS = {
    "insert": lambda i: [("insert", "t", {"id": i, "v": 1})],
    "rows": lambda i: [("insert", "t", [{"id": i, "v": 1}, {"id": i + 1000, "v": 1}])],
    "atomic": lambda i: [("atomic", [["insert", "t", {"id": i, "v": 1}], ["update", "t", 0, {"v": i}]])],
    "transaction": lambda i: [("begin",), ("insert", "t", {"id": i, "v": 1}), ("update", "t", 0, {"v": i}), ("commit",)],
}


def outcomes(c, requests):
    """The last reply; every one before must have gone well."""
    for method, *params in requests[:-1]:
        c.call(method, *params)
    return c.reply(c.send(requests[-1][0], *requests[-1][1:]))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("how", ["before", "after"])
def test_a_connection_cut_at_its_commit_leaves_doubt_and_says_so(victim, cut, how, way):
    with cut.daemon.client() as c:
        for i in range(1, 6):
            once = iter([how])
            cut.cut = lambda words, n: next(once, None) if is_commit(words) else None
            r = outcomes(c, WAYS[way](i))
            assert r.error is not None, "no answer came to the commit, and it was taken for one"
            wire.check_error(r.error)
            assert r.error[2]["name"] == "commit_unknown", r
            assert cut.cuts == i
            assert (i in ids(victim, cut.database)) == (how == "after")
            c.gives(0, "count", "t", {"id": 9})


def test_a_connection_cut_before_the_commit_is_never_taken_for_success(victim, cut):
    """At any statement of a request: what is lost before the commit is made good quietly. Only a transaction that has
    begun cannot be: it is aborted, and not applied."""
    dice = random.Random(3)
    said = {}
    with cut.daemon.client() as c:
        for i in range(1, 61):
            way = dice.choice(sorted(WAYS))
            nth, seen = dice.randint(1, 3), []
            how = dice.choice(["before", "after"])

            def at(words, n):
                if words[0] in (PREPARE, EXECUTE) and b'"t"' in words:
                    seen.append(words)
                    return how if len(seen) == nth else None
                return None
            cut.cut = at
            r = None
            for method, *params in WAYS[way](i):
                r = c.reply(c.send(method, *params))
                if r.error is not None:
                    break
            cut.cut = None
            if r.error is None:
                assert i in ids(victim, cut.database)
                said["applied"] = said.get("applied", 0) + 1
                continue
            wire.check_error(r.error)
            assert r.error[2]["name"] == "unavailable" and r.error[2]["outcome"] == "not_applied", r
            assert way == "transaction", "%s was not made good: %r, cut %s %r" % (way, r.error, how, seen[-1])
            c.refuses("tx_aborted", "count", "t")
            c.gives(True, "rollback")
            assert i not in ids(victim, cut.database)
            said["not_applied"] = said.get("not_applied", 0) + 1
    assert said["applied"] > 20 and said.get("not_applied", 0) > 0, said


def test_reads_on_a_connection_that_is_cut_are_made_good(cut):
    with cut.daemon.client() as c:
        for how in ("before", "after"):
            for _ in range(5):
                once = iter([how])
                cut.cut = lambda words, n: next(once, None) if words[0] == EXECUTE and b'"t"' in words else None
                c.gives({"id": 0, "v": 0}, "get", "t", 0)
        assert cut.cuts == 10


def test_rows_that_end_halfway_are_never_taken_for_all(cut):
    """What was not passed on is read again; a stream has begun, and fails."""
    with cut.daemon.client() as c:
        c.call("insert", "t", [{"id": i, "v": i} for i in range(1, 1000)])
        for i in range(10):
            once = iter(["amid"])
            cut.cut = lambda words, n: next(once, None) if words[0] == EXECUTE and b'"t"' in words else None
            if i % 2:
                assert len(c.call("select", "t", {})["rows"]) == 1000
                continue
            try:
                _, batches = c.stream("select", "t", {"stream": True, "batch": 10})
                assert sum(len(b) for b in batches) == 1000
            except wire.Failure as e:
                assert e.name == "unavailable" and e.outcome == "not_applied" and e.retry is True, e
        assert cut.cuts == 10


def test_a_question_about_the_schema_that_fails_is_put_again(cut):
    """Where servers share a folder for temporary files, each that starts removes those of the others: error 6."""
    told = 0
    with cut.daemon.client() as c:
        for nth in range(12):
            asked = []

            def fail(words, n):
                if words[0] != EXECUTE or b"information_schema" not in words:
                    return None
                asked.append(words)
                return 6 if len(asked) == nth + 1 else None
            cut.cut = fail
            c.gives(True, "create_table", "u%d" % nth, schema({"id": "int", "v": "int"}))
            c.gives({"inserted": 1}, "insert", "u%d" % nth, {"id": 1})
            assert len(c.call("describe", "u%d" % nth)["columns"]) == 2
            told += len(asked) > nth
    assert told > 6, told


def test_connections_that_the_server_ends_are_noticed_before_their_use(victim, serve):
    d = serve()
    with d.client() as c:
        c.call("create_table", "t", schema({"id": "int"}))
        for i in range(5):
            for row in connections(victim):
                victim.sql("KILL %s" % row[0])
            c.gives({"inserted": 1}, "insert", "t", {"id": i})
            c.gives(i + 1, "count", "t")


def test_a_connection_killed_in_a_transaction_leaves_nothing_of_it(victim, serve):
    d = serve()
    with d.client() as c:
        c.call("create_table", "t", schema({"id": "int"}))
        c.call("begin")
        c.call("insert", "t", {"id": 1})
        for row in connections(victim):
            victim.sql("KILL %s" % row[0])
        r = c.refuses(("unavailable",), "insert", "t", {"id": 2})
        assert r.outcome == "not_applied"
        c.refuses("tx_aborted", "insert", "t", {"id": 3})
        c.gives(True, "rollback")
        c.gives(0, "count", "t")


# ---- locks ----

SECOND = {
    "update": lambda i: ("update", "t", i, {"v": ["+", ["col", "v"], 1]}),
    "for_update": lambda i: ("select", "t", {"for_update": True}),
}


@pytest.mark.parametrize("second", SECOND)
def test_deadlocks_are_busy_to_transactions(victim, serve, second):
    d = serve()
    rounds = 10
    with d.client() as a, d.client() as b:
        a.call("create_table", "t", schema({"id": "int", "v": "int"}))
        a.call("insert", "t", [{"id": 1, "v": 0}, {"id": 2, "v": 0}])
        for _ in range(rounds):
            a.call("begin")
            b.call("begin")
            a.call("update", "t", 1, {"v": ["+", ["col", "v"], 1]})
            b.call("update", "t", 2, {"v": ["+", ["col", "v"], 1]})
            asked = (a, a.send(*SECOND[second](2))), (b, b.send(*SECOND[second](1)))
            said = {}

            def answer(c, msgid):
                said[c] = r = c.reply(msgid)
                if r.error is None:
                    c.call("commit")
                else:
                    c.call("rollback")
            threads = [threading.Thread(target=answer, args=x) for x in asked]
            for t in threads:
                t.start()
            for t in threads:
                t.join(30)
            failed = [r.error for r in said.values() if r.error is not None]
            assert len(failed) == 1 and failed[0][2]["name"] == "busy", said
            assert failed[0][2]["outcome"] == "not_applied"
        total = int(victim.sql("SELECT SUM(v) FROM t", serve.database)[0][0])
        assert total == rounds * (2 if second == "update" else 1)


def deadlocks(victim):
    """How many the server has met; MySQL does not count them."""
    rows = victim.sql("SHOW GLOBAL STATUS LIKE 'innodb_deadlocks'")
    return int(rows[0][1]) if rows else None


def test_deadlocks_of_single_requests_are_retried_quietly(victim, serve):
    """Each takes two rows in an order of its own, and none of them ever hears of it."""
    d = serve()
    with d.client() as c:
        c.call("create_table", "t", schema({"id": "int", "v": "int"}))
        c.call("insert", "t", [{"id": i, "v": 0} for i in range(4)])
    before, rounds, applied, told, failed = deadlocks(victim), 40, [], [], []

    def run(n):
        dice = random.Random(n)
        try:
            with d.client() as c:
                for _ in range(rounds):
                    one, two = dice.sample(range(4), 2)
                    up = {"v": ["+", ["col", "v"], 1]}
                    r = c.reply(c.send("atomic", [["update", "t", one, up], ["update", "t", two, up]]))
                    if r.error is None:
                        applied.append(r)
                    else:
                        told.append(r.error)
        except Exception as e:
            failed.append(e)
    for _ in range(20):
        threads = [threading.Thread(target=run, args=(n,)) for n in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(90)
        if before is None or deadlocks(victim) > before:
            break
    else:
        pytest.fail("no deadlock was met")
    assert not failed and {e[2]["name"] for e in told} <= {"busy"}, (failed, told[:3])
    assert len(told) <= 4, told
    assert int(victim.sql("SELECT SUM(v) FROM t", serve.database)[0][0]) == 2 * len(applied)


def test_a_lock_that_is_not_given_is_busy_and_leaves_nothing(victim, serve):
    d = serve(config="busy_timeout_ms = 1000\n")
    with d.client() as a, d.client() as b:
        a.call("create_table", "t", schema({"id": "int", "v": "int"}))
        a.call("insert", "t", [{"id": 1, "v": 0}, {"id": 2, "v": 0}])
        a.call("begin")
        a.call("update", "t", 1, {"v": 1})
        b.call("begin")
        b.call("insert", "t", {"id": 3, "v": 0})
        b.refuses("busy", "update", "t", 1, {"v": 2})
        b.refuses("tx_aborted", "insert", "t", {"id": 4, "v": 0})
        b.gives(True, "rollback")
        if victim.name == "mariadb":      # several tries of a second each, of two on MySQL
            r = b.refuses("busy", "update", "t", 1, {"v": 2})
            assert r.outcome == "not_applied" and r.retry is True
        waiting = b.send("update", "t", 1, {"v": 2})
        time.sleep(0.3)
        a.call("commit")
        b.result(waiting)
        b.gives({"id": 1, "v": 2}, "get", "t", 1)
        b.gives(2, "count", "t")


# ---- cancels ----

def test_a_write_that_is_cancelled_is_applied_or_not_as_it_says(victim, serve):
    d = serve()
    dice = random.Random(5)
    cancelled = 0
    with d.client() as c, d.client() as other:
        session = c.call("hello", {})["session"]
        c.call("create_table", "t", schema({"id": "int", "v": "int!"}))
        c.call("insert", "t", [{"id": i, "v": 0} for i in range(4000)])
        v = rounds = 0
        while rounds < 20 or (not cancelled and rounds < 300):
            rounds += 1
            msgid = c.send("update_all", "t", {"v": ["+", ["col", "v"], 1]})
            time.sleep(dice.random() * 0.02)
            other.call("cancel", msgid, {"session": session})
            r = c.reply(msgid)
            if r.error is None:
                v += 1
            else:
                wire.check_error(r.error)
                assert r.error[2]["name"] == "cancelled", r
                cancelled += 1
            assert victim.sql("SELECT DISTINCT v FROM t", serve.database) == [[str(v)]]
            c.gives({"id": 7, "v": v}, "get", "t", 7)
    print("%s: %d of %d cancelled" % (victim.name, cancelled, rounds))
    assert cancelled > 0


def test_a_cancel_ends_the_waiting_for_a_lock(victim, serve):
    d = serve()
    with d.client() as a, d.client() as b:
        session = b.call("hello", {})["session"]
        a.call("create_table", "t", schema({"id": "int", "v": "int"}))
        a.call("insert", "t", {"id": 1, "v": 0})
        a.call("begin")
        a.call("update", "t", 1, {"v": 1})
        waiting = b.send("update", "t", 1, {"v": 2})
        time.sleep(0.3)
        a.gives(True, "cancel", waiting, {"session": session})
        b.refused("cancelled", waiting)
        a.call("commit")
        b.gives({"id": 1, "v": 1}, "get", "t", 1)


# ---- the pool ----

def test_many_clients_share_few_connections(victim, serve):
    d = serve(config="pool_max = 8\n")
    clients = [d.client() for _ in range(64)]
    most = 0
    try:
        clients[0].call("create_table", "t", schema({"id": "int"}))
        for turn in range(4):
            asked = [(c, c.send("insert", "t", {"id": turn * 64 + n})) for n, c in enumerate(clients)]
            asked += [(c, c.send("count", "t", {"id": turn * 64 + n})) for n, c in enumerate(clients)]
            most = max(most, len(connections(victim)))
            for c, msgid in asked:
                assert c.result(msgid) in ({"inserted": 1}, 1)
        clients[0].gives(256, "count", "t")
        assert 2 <= most <= 8, most
    finally:
        for c in clients:
            c.close()


@pytest.mark.parametrize("least", [0, 3])
def test_idle_connections_are_closed_but_for_the_least(victim, serve, least):
    d = serve(config="pool_max = 8\npool_min = %d\npool_idle_ms = 300\n" % least)
    clients = [d.client() for _ in range(6)]
    try:
        clients[0].call("create_table", "t", schema({"id": "int"}))
        for n, c in enumerate(clients):
            c.call("begin")
            c.call("insert", "t", {"id": n})
        assert len(connections(victim)) >= 6
        for c in clients:
            c.call("commit")
        wire.until(lambda: len(connections(victim)) == least, "the idle ones to go", 20)
        time.sleep(0.6)          # and no more of them
        assert len(connections(victim)) == least
        clients[0].gives(6, "count", "t")
    finally:
        for c in clients:
            c.close()


def test_a_server_without_a_connection_left_is_waited_for(victim, serve):
    """Others hold all of them; rowd says so, and goes on when there is one again."""
    database = victim.new_database()
    victim.sql("SET GLOBAL connect_timeout = 60; SET GLOBAL max_connections = 10")
    held = []
    try:
        for _ in range(11):       # one more is let in for the administrator
            held.append(wire.connect(victim.socket))
            held[-1].recv(1)
        d = serve(victim.url(database), IMPATIENT)
        with d.client() as c:
            r = c.refuses(("no_resource", "unavailable"), "count", "t")
            assert r.outcome == "not_applied" and r.retry is True
            waiting = c.send("create_table", "t", schema({"id": "int"}))
            time.sleep(0.3)
            for s in held:
                s.close()
            assert c.result(waiting) is True
    finally:
        for s in held:
            s.close()
        victim.sql("SET GLOBAL max_connections = 151")
