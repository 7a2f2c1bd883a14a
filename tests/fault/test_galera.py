"""rowd on a Galera cluster of three servers: one is killed, one hangs, one loses sight of the others, two are written
at the same time. No acknowledged write is lost, and none that was refused is there."""
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
    """Makes daemons on a new database of the whole cluster: serve(order) -> daemon; order: of the servers."""
    made = []
    wire.until(cluster.is_whole, "the whole cluster", 60)
    url, serve_database = cluster.url()

    def make(order=(0, 1, 2)):
        hosts = ",".join("127.0.0.1:%d" % cluster.nodes[i].port for i in order)
        words = url.split("@", 1)
        made.append(Daemon([("main", words[0] + "@" + hosts + "/" + words[1].split("/", 1)[1])],
                           directory=str(tmp_path), socket_name="rowd%d.sock" % len(made)))
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


@pytest.mark.parametrize("time_round", range(2))
def test_a_server_that_is_cut_off_under_load_is_left(cluster, serve, time_round):
    load = oracle.Load(serve())
    load.go_on(50)
    cluster.nodes[0].isolate(True)
    try:
        took = pause_of(load)
        load.go_on(20)
    finally:
        cluster.nodes[0].isolate(False)
    wire.until(cluster.nodes[0].ready, "the server that was alone", 60)
    finish(cluster, load, serve.database, "cut off, on the next after %.1f s" % took)


def test_two_servers_written_at_once_conflict_and_are_retried(cluster, serve):
    """Two daemons, each on a server of its own, count up the same rows."""
    one, two = serve((0, 1, 2)), serve((1, 0, 2))
    rounds, told = 60, []
    with one.client() as a, two.client() as b:
        a.call("create_table", "t", schema({"id": "int", "v": "int"}))
        a.call("insert", "t", {"id": 1, "v": 0})
        b.gives({"id": 1, "v": 0}, "get", "t", 1)
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
        b.gives(2, "count", "t")
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


def test_a_server_outside_its_cluster_is_not_used(cluster, serve):
    """It still answers, and says that it is not ready; alone it is unavailable, with others they are used."""
    alone, among = serve((2,)), serve((2, 0, 1))
    node = cluster.nodes[2]
    with alone.client() as a, among.client() as b:
        b.call("create_table", "t", schema({"id": "int"}))
        b.call("insert", "t", {"id": 1})
        wire.until(lambda: a.reply(a.send("count", "t")).error is None, "the table on the third", 10)
        node.isolate(True)
        try:
            wire.until(lambda: ["wsrep_ready", "OFF"] in node.sql("SHOW STATUS LIKE 'wsrep_ready'"), "the third to be alone", 30)
            began = time.monotonic()
            r = a.refuses("unavailable", "insert", "t", {"id": 2})
            assert r.outcome == "not_applied" and r.retry is True and time.monotonic() - began < 10
            a.refuses("unavailable", "count", "t")
            b.gives({"inserted": 1}, "insert", "t", {"id": 3})
            b.gives(2, "count", "t")
        finally:
            node.isolate(False)
        wire.until(node.ready, "the third to be back", 60)
        a.gives({"inserted": 1}, "insert", "t", {"id": 4})
        wire.until(lambda: b.call("count", "t") == 3, "what the third was given", 10)
