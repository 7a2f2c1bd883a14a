"""rowd on a Galera cluster of three servers: one is killed, one hangs, one loses sight of the others, two are written
at the same time. No acknowledged write is lost, and none that was refused is there."""
import os
import time

import pytest

from lib import oracle, servers, wire
from lib.backends import server
from lib.cluster import Cluster
from lib.daemon import Daemon
from lib.schema import schema


@pytest.fixture(scope="module")
def cluster():
    server("mariadb")             # or a skip that says why
    try:
        made = Cluster()
    except servers.Unavailable as e:
        pytest.skip("no cluster can be had here: %s" % e)
    yield made
    made.close()


@pytest.fixture
def serve(cluster, tmp_path):
    """Makes daemons on a new database of the whole cluster: serve(order, config) -> daemon; order: of the servers."""
    made = []
    wire.until(cluster.is_whole, "the whole cluster", 60)
    url, serve_database = cluster.url()

    def make(order=(0, 1, 2), config=None):
        hosts = ",".join("127.0.0.1:%d" % cluster.nodes[i].port for i in order)
        words = url.split("@", 1)
        directory = str(tmp_path / ("d%d" % len(made)))
        os.mkdir(directory)
        made.append(Daemon([("main", words[0] + "@" + hosts + "/" + words[1].split("/", 1)[1])],
                           config=config, directory=directory))
        return made[-1].start()
    make.database = serve_database
    yield make
    try:
        for d in made:
            if d.alive():
                d.stop()
    finally:
        for d in made:
            d.kill()


def groups(node, database):
    """What the server holds once it has caught up."""
    return node.sql("SET SESSION wsrep_sync_wait = 1; " + oracle.GROUPS, database)


def finish(cluster, load, database, what):
    load.go_on(50)
    load.stop()
    wire.until(cluster.is_whole, "the whole cluster", 60)
    counts = [load.judge(groups(n, database)) for n in cluster.nodes]
    print("%s: %d groups there, %d gone, %d in doubt, errors %s" % (what, *counts[0], load.errors))


def pause_of(load, seconds=60):
    """How long until something is applied that was not asked for before now."""
    began = time.monotonic()
    load.go_on(20, seconds)
    return time.monotonic() - began


def test_a_server_that_is_killed_under_load_is_left(cluster, serve):
    load = oracle.Load(serve())
    load.go_on(50)
    cluster.nodes[0].kill()
    took = pause_of(load)
    load.go_on(50)
    cluster.nodes[0].start()
    finish(cluster, load, serve.database, "killed, on the next after %.1f s" % took)


def test_a_server_that_hangs_under_load_is_left(cluster, serve):
    load = oracle.Load(serve())
    load.go_on(50)
    cluster.nodes[0].freeze()
    try:
        took = pause_of(load)
        load.go_on(20)
    finally:
        cluster.nodes[0].thaw()
    wire.until(cluster.nodes[0].ready, "the server that was frozen", 60)
    finish(cluster, load, serve.database, "frozen, on the next after %.1f s" % took)


def test_a_server_that_is_cut_off_under_load_is_left_and_not_used(cluster, serve):
    """It still answers, and says that it is not ready: who has no other is told that it is unavailable."""
    node = cluster.nodes[0]
    load = oracle.Load(serve())
    alone = serve((0,), "connect_timeout_ms = 1000\n")
    load.go_on(50)
    with alone.client() as c:
        assert c.call("count", "t") > 0
        node.isolate(True)
        try:
            took = pause_of(load)
            wire.until(lambda: not node.ready(), "the server to be alone", 30)
            began = time.monotonic()
            r = c.refuses("unavailable", "insert", "t", {"g": -1, "i": 0, "s": ""})
            assert r.outcome == "not_applied" and r.retry is True and time.monotonic() - began < 10
            c.refuses("unavailable", "count", "t")
            load.go_on(20)
        finally:
            node.isolate(False)
        wire.until(node.ready, "the server that was alone", 60)
        wire.until(lambda: c.reply(c.send("count", "t")).error is None, "the server that was alone to be used", 20)
    finish(cluster, load, serve.database, "cut off, on the next after %.1f s" % took)


def see(c, row):
    """Wait until the daemon of c knows of the table that the other one made, and of its row."""
    wire.until(lambda: c.reply(c.send("get", "t", row["id"])).error is None, "the table on another server", 10)
    c.gives(row, "get", "t", row["id"])


def test_two_servers_written_at_once_conflict_and_are_retried(cluster, serve):
    """Two daemons, each on a server of its own, count up the same rows."""
    one, two = serve((0, 1, 2)), serve((1, 0, 2))
    rounds, told = 60, []
    with one.client() as a, two.client() as b:
        a.call("create_table", "t", schema({"id": "int", "v": "int"}))
        a.call("insert", "t", {"id": 1, "v": 0})
        see(b, {"id": 1, "v": 0})
        before = sum(int(n.sql("SHOW STATUS LIKE 'wsrep_local_%s'" % s)[0][1]) for n in cluster.nodes[:2]
                     for s in ("cert_failures", "bf_aborts"))
        up = {"v": ["+", ["col", "v"], 1]}
        for i in range(rounds):
            asked = [(c, c.send("update", "t", 1, up) if i % 2 else c.send("atomic", [["update", "t", 1, up]])) for c in (a, b)]
            for c, msgid in asked:
                r = c.reply(msgid)
                if r.error is not None:
                    wire.check_error(r.error)
                    assert r.error[2]["name"] == "busy" and r.error[2]["outcome"] == "not_applied", r
                    told.append(r)
        after = sum(int(n.sql("SHOW STATUS LIKE 'wsrep_local_%s'" % s)[0][1]) for n in cluster.nodes[:2]
                    for s in ("cert_failures", "bf_aborts"))
        v = a.call("get", "t", 1)["v"]
        assert v == 2 * rounds - len(told)
        b.gives({"id": 1, "v": v}, "get", "t", 1)
    print("%d conflicts in %d writes, %d told" % (after - before, 2 * rounds, len(told)))
    assert after > before and len(told) < rounds / 2


def test_a_transaction_that_meets_another_server_is_busy(cluster, serve):
    one, two = serve((0, 1, 2)), serve((1, 0, 2))
    with one.client() as a, two.client() as b:
        a.call("create_table", "t", schema({"id": "int", "v": "int"}))
        a.call("insert", "t", [{"id": 1, "v": 0}, {"id": 2, "v": 0}])
        see(b, {"id": 2, "v": 0})
        for i in range(1, 6):
            a.call("begin")
            a.call("update", "t", 2, {"v": i})
            a.call("update", "t", 1, {"v": -i})
            b.gives({"updated": 1}, "update", "t", 1, {"v": i})
            r = a.reply(a.send("commit"))
            assert r.error is not None, "both won"
            wire.check_error(r.error)
            assert r.error[2]["name"] in ("busy", "tx_aborted") and r.error[2]["outcome"] == "not_applied", r
            a.gives({"id": 1, "v": i}, "get", "t", 1)
            a.gives({"id": 2, "v": 0}, "get", "t", 2)
