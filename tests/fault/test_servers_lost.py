"""Servers that are killed, hang, or lose sight of each other while rowd writes to them: whatever it answers is true.

Every request inserts one row of its own. One that was answered with a result is there in the end; one whose outcome is
not_applied is not; nothing is said of those whose outcome is unknown. ROWD_KILLS=1000 kills the single server as often.
"""
import os
import random
import threading
import time

import pytest

from lib import servers, wire
from lib.backends import server
from lib.cluster import Cluster
from lib.daemon import Daemon

WRITERS = 6
KILLS = int(os.environ.get("ROWD_KILLS", "6"))


class Load:
    """Writers, each on a connection of its own, and what they were told."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.stopping = False
        self.applied, self.not_applied, self.unknown, self.errors = set(), set(), set(), {}
        self.lock = threading.Lock()
        self.failed = None
        self.threads = [threading.Thread(target=self.run, args=(n,)) for n in range(WRITERS)]
        for t in self.threads:
            t.start()

    def run(self, n):
        try:
            self.write(n)
        except Exception as e:
            self.failed = e

    def write(self, n):
        c = self.daemon.client(timeout=120)
        key = n * 10 ** 9
        while not self.stopping:
            key += 1
            row = {"id": key, "s": "row %d" % key}
            if key % 3:
                r = c.reply(c.send("insert", "t", row))
            else:
                r = c.reply(c.send("atomic", [["insert", "t", row], ["count", "t", {"id": key}]]))
            with self.lock:
                self.note(key, r)
        c.close()

    def note(self, key, r):
        if r.error is None:
            self.applied.add(key)
            return
        details = r.error[2]
        self.errors[details["name"]] = self.errors.get(details["name"], 0) + 1
        assert details["outcome"] in ("not_applied", "unknown"), r
        (self.unknown if details["outcome"] == "unknown" else self.not_applied).add(key)

    def wait_for(self, more, seconds=60):
        """Until so many more requests have been applied."""
        least = len(self.applied) + more
        wire.until(lambda: self.failed or len(self.applied) >= least, "%d more answers" % more, seconds)
        assert not self.failed, self.failed

    def end(self):
        self.stopping = True
        for t in self.threads:
            t.join(120)
            assert not t.is_alive()
        assert not self.failed, self.failed

    def judge(self, there):
        assert not self.applied - there, "acknowledged and lost"
        assert not self.not_applied & there, "told not applied, and there"
        assert there <= self.applied | self.unknown, "rows from nowhere"
        assert set(self.errors) <= {"unavailable", "commit_unknown", "busy", "timeout", "no_resource"}, self.errors


def make_table(d):
    c = d.client(timeout=60)
    c.call("create_table", "t", {"columns": [{"name": "id", "type": "int"}, {"name": "s", "type": "text(40)"}],
                                 "primary_key": ["id"]})
    c.close()


def keys_in(node, database, first=""):
    return {int(row[0]) for row in node.sql(first + "SELECT id FROM t", database)}


# ---- one server ----

@pytest.mark.parametrize("kind", ["mariadb", "mysql"])
def test_a_server_killed_at_random_moments(kind):
    server(kind)   # or a skip that says why
    own = servers.KINDS[kind]()
    try:
        database = own.new_database()
        d = Daemon([("main", own.url(database))]).start()
        try:
            make_table(d)
            load = Load(d)
            dice = random.Random(7)
            for _ in range(KILLS):
                load.wait_for(20)
                time.sleep(dice.random() * 0.3)
                own.kill()
                own.start()
            load.wait_for(20)
            load.end()
            load.judge(keys_in(own, database))
            d.stop()
        finally:
            d.kill()
    finally:
        own.close()


# ---- a cluster ----

@pytest.fixture(scope="module")
def cluster():
    server("mariadb")
    try:
        c = Cluster()
    except servers.Unavailable as e:
        pytest.skip("no cluster can be had here: %s" % e)
    yield c
    c.close()


@pytest.fixture
def load(cluster):
    wire.until(cluster.is_whole, "the whole cluster", 60)
    url, database = cluster.url()
    d = Daemon([("main", url)]).start()
    try:
        make_table(d)
        loaded = Load(d)
        loaded.database = database
        loaded.wait_for(200)
        yield loaded
        loaded.end()
        d.stop()
    finally:
        d.kill()


def finish(load, cluster):
    load.wait_for(100)
    load.end()
    wire.until(cluster.is_whole, "the whole cluster", 60)
    for node in cluster.nodes:
        load.judge(keys_in(node, load.database, "SET SESSION wsrep_sync_wait = 1; "))


def test_a_server_of_a_cluster_is_killed(cluster, load):
    cluster.nodes[0].kill()
    load.wait_for(200, 60)
    cluster.nodes[0].start()
    finish(load, cluster)


def test_a_server_of_a_cluster_hangs(cluster, load):
    cluster.nodes[0].freeze()
    load.wait_for(200, 60)
    cluster.nodes[0].thaw()
    finish(load, cluster)


def test_a_server_loses_sight_of_its_cluster(cluster, load):
    cluster.nodes[0].isolate(True)
    load.wait_for(200, 60)
    cluster.nodes[0].isolate(False)
    finish(load, cluster)
