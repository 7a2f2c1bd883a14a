"""kill -9 at any moment: what was acknowledged is there, and nothing is there by half."""
import random
import sqlite3
import threading

import pytest

from lib import wire
from lib.schema import foreign_key, schema

BATCH = 7


class Writer(threading.Thread):
    """Writes without pause and remembers what was acknowledged."""

    def __init__(self, d, lane, turn):
        super().__init__()
        self.c = d.client()
        self.lane, self.turn = lane, turn
        self.acked, self.sent, self.deleted, self.broken = [], [], [], None

    def key(self, n):
        return ((self.turn * 10 + self.lane) * 100000 + n) * BATCH

    def requests(self, n):
        key = self.key(n)
        kind = n % 4
        if kind == 0:
            return [("insert", "t", [{"id": key + i, "batch": key} for i in range(BATCH)])]
        if kind == 1:
            return [("atomic", [["insert", "t", {"id": key + i, "batch": key}] for i in range(BATCH)])]
        if kind == 2:
            return [("begin",)] + [("insert", "t", {"id": key + i, "batch": key}) for i in range(BATCH)] + [("commit",)]
        return [("insert", "t", [{"id": key + i, "batch": key} for i in range(BATCH)]), ("delete_where", "t", {"batch": key})]

    def run(self):
        n = 0
        try:
            while True:
                self.sent.append(n)
                for got in [self.c.reply(m) for m in self.c.send_many(self.requests(n))]:
                    if got.error is not None:
                        raise AssertionError(got.error)
                (self.deleted if n % 4 == 3 else self.acked).append(n)
                n += 1
        except (wire.Closed, OSError):
            pass
        except AssertionError as e:
            self.broken = e
        self.c.close()


@pytest.mark.parametrize("seed", range(3))
def test_kill_9_loses_no_acknowledged_write_and_leaves_no_half(lone, seed):
    r = random.Random(seed)
    d = lone()
    with d.client() as c:
        c.call("create_table", "t", schema({"id": "int", "batch": "int!"}, indexes=[["batch"]]))
    expected, gone = set(), set()
    for turn in range(6):
        writers = [Writer(d, lane, turn) for lane in range(4)]
        for w in writers:
            w.start()
        enough = r.randint(5, 150)
        wire.until(lambda: sum(len(w.acked) for w in writers) >= enough or not any(w.is_alive() for w in writers))
        d.kill()
        for w in writers:
            w.join()
            assert w.broken is None, w.broken
            expected |= {w.key(n) for n in w.acked}
            gone |= {w.key(n) for n in w.deleted}
        d.start()
        with d.client() as c:
            _, batches = c.stream("select", "t", {"stream": True})
        found = {}
        for b in batches:
            for key, batch in b:
                found.setdefault(batch, set()).add(key)
        whole = {batch for batch, keys in found.items() if keys == {batch + i for i in range(BATCH)}}
        assert set(found) == whole, "half a batch"
        assert expected <= whole, "an acknowledged write is lost"
        assert not gone & whole, "an acknowledged delete is undone"
        expected = whole
    d.stop()
    con = sqlite3.connect(d.db_path)
    assert con.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    con.close()


def test_an_open_transaction_dies_with_the_daemon(lone):
    d = lone()
    c = d.client()
    c.call("create_table", "t", schema({"id": "int", "n": "int"}))
    c.call("insert", "t", [{"id": i, "n": 0} for i in range(100)])
    c.call("begin")
    c.call("update_all", "t", {"n": 1})
    c.call("delete_where", "t", ["<", "id", 50])
    d.kill()
    c.close()
    d.start()
    with d.client() as c:
        c.gives(100, "count", "t", {"n": 0})


def test_cascades_are_whole_after_a_kill(lone):
    d = lone()
    with d.client() as c:
        c.call("create_table", "p", schema({"id": "int"}))
        c.call("create_table", "k", schema({"id": "int", "p": "int!"}, foreign_keys=[foreign_key(["p"], "p", on_delete="cascade")]))
        c.call("insert", "p", [{"id": i} for i in range(2000)])
        for k in range(0, 20000, 5000):
            c.call("insert", "k", [{"id": i, "p": i // 10} for i in range(k, k + 5000)])
    acked = []
    c = d.client()

    def delete():
        try:
            for i in range(2000):
                c.call("delete", "p", i)
                acked.append(i)
        except (wire.Closed, OSError):
            pass
    t = threading.Thread(target=delete)
    t.start()
    wire.until(lambda: len(acked) > 200 or not t.is_alive())
    d.kill()
    t.join()
    c.close()
    d.start()
    with d.client() as c:
        left = c.call("count", "p")
        assert 2000 - len(acked) - 1 <= left <= 2000 - len(acked)
        c.gives(left * 10, "count", "k")


def test_ids_are_not_used_again_after_a_kill(lone):
    d = lone()
    with d.client() as c:
        c.call("create_table", "t", schema({"id": "int+", "n": "int"}))
        assert c.call("insert", "t", [{"n": i} for i in range(10)])["ids"] == list(range(1, 11))
        c.call("delete_all", "t")
    d.kill()
    d.start()
    with d.client() as c:
        c.gives({"inserted": 1, "ids": [11]}, "insert", "t", {"n": 1})
