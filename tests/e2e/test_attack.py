"""Hostile clients: random bytes on the edge of the protocol, clients that vanish at any point, cancels of everything.
Nothing crashes, nothing stays locked, and others notice nothing. ROWD_ATTACK_SECONDS makes it longer."""
import os
import random
import signal
import socket
import sqlite3
import struct
import threading
import time

import pytest

from lib import daemon, wire
from lib.methods import FILTER, METHODS
from lib.schema import schema
from lib.wire import Note, connect, drain, pack

SECONDS = float(os.environ.get("ROWD_ATTACK_SECONDS", "4"))
# What would end the daemon, another's session or everyone's requests is left out: it would be right to do so.
HARMLESS = sorted(set(METHODS) - {"shutdown", "kill", "pause", "reload"})
FILTERS = [FILTER, ["and", [">", "id", 3], ["or", ["is_null", "age"], ["like", "s", "a%_\\%"]]], ["in", "id", list(range(40))],
           ["not_in", "id", {"select": "age", "from": "people", "where": ["not_null", "age"]}], ["not", ["between", "id", -2**63, 2**63 - 1]],
           ["exists", {"from": "people", "where": ["=", "id", ["outer", "age"]]}], ["=", "s", "\U0001f600"], ["is", "id", None], ["=", "id", ["col", "age"]]]
# Bytes that mean much in MessagePack.
HEADS = [b"\xc1", b"\xc0", b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff", b"\xc6\x00\x01\x00\x00", b"\xdc\xff\xff", b"\xde\x00\x10",
         b"\xd9\xff", b"\x90", b"\x80", b"\xa0", b"\xcf" + b"\xff" * 8, b"\xd3\x80" + b"\0" * 7, b"\xcb\x7f\xf8" + b"\0" * 6, b"\xd7\xff" + b"\xff" * 8,
         b"\xc7\x0c\xff" + b"\xff" * 12, b"\xd4\x05\x00", b"\x91" * 30, b"\x81\xa1a" * 30, b"\xa1\xff", b"\xa1\x00", b"\xed\xa0\x80"]


def request(r):
    """A good request."""
    method = r.choice(HARMLESS)
    params, options = METHODS[method]
    params = [r.choice(FILTERS) if p == FILTER else p for p in params]
    chosen = {o: v for o, v in options.items() if r.random() < 0.4 and o != "session"}
    if r.random() < 0.1:
        params = ["people", r.choice(FILTERS)]
    return pack([0, r.randrange(1 << r.choice([3, 16, 32])), method, params + ([chosen] if chosen else [])])


def mutate(r, data):
    data = bytearray(data)
    for _ in range(r.choice([1, 1, 1, 2, 3, 8])):
        at = r.randrange(len(data)) if data else 0
        kind = r.randrange(7)
        if kind == 0 and data:
            data[at] ^= 1 << r.randrange(8)
        elif kind == 1 and data:
            data[at] = r.randrange(256)
        elif kind == 2:
            data[at:at] = r.choice(HEADS)
        elif kind == 3 and data:
            data[at:at + r.choice([1, 2, 4])] = b""
        elif kind == 4 and data:
            head = r.choice(HEADS)
            data[at:at + len(head)] = head
        elif kind == 5:
            del data[at:]
        else:
            other = request(r)
            data[at:] = other[r.randrange(len(other)):]
    return bytes(data)


def attack(path, seed, end, failures):
    r = random.Random(seed)
    while time.monotonic() < end and not failures:
        sent = b"".join(mutate(r, request(r)) if r.random() < 0.7 else request(r) for _ in range(r.choice([1, 1, 2, 5, 20])))
        s = connect(path)
        try:
            step = r.choice([len(sent) or 1, len(sent) or 1, 1 + len(sent) // 3, 7])
            for at in range(0, len(sent), step):
                s.sendall(sent[at:at + step])
            if r.random() < 0.2:
                continue
            s.shutdown(socket.SHUT_WR)
            for m in wire.messages(drain(s, 30)):
                if m[0] == 1 and m[2] is not None and not isinstance(m[2], str) and len(m[2]) == 3:
                    wire.check_error(m[2])
        except (BrokenPipeError, ConnectionResetError):
            pass
        except (AssertionError, ValueError, socket.timeout) as e:
            failures.append((seed, sent, e))
        finally:
            s.close()


def test_mutated_requests_break_nothing_and_no_one_notices(lone):
    d = lone(args=["--frame_ms", "1000", "--transaction_idle_ms", "500", "--transaction_ms", "1000"])
    with d.client() as c:
        c.call("create_table", "people", schema({"id": "int", "age": "int", "s": "text(20)"}))
        c.call("create_table", "bystander", schema({"id": "int", "s": "text(20)"}))
        c.call("insert", "bystander", [{"id": i, "s": "row %d" % i} for i in range(100)])
        c.gives(True, "ping")
        before = d.rss()
        failures, end = [], time.monotonic() + SECONDS
        threads = [threading.Thread(target=attack, args=(d.socket, seed, end, failures)) for seed in range(3)]
        for t in threads:
            t.start()
        n = 0
        while time.monotonic() < end:
            c.gives({"id": n % 100, "s": "row %d" % (n % 100)}, "get", "bystander", n % 100)
            c.gives(True, "ping")
            if n % 50 == 0:
                c.gives({"inserted": 1}, "insert", "bystander", {"id": 1000 + n})
            n += 1
        for t in threads:
            t.join()
        assert not failures, failures[0]
        assert c.call("select", "bystander", {"where": ["<", "id", 1000]})["rows"] == [[i, "row %d" % i] for i in range(100)]
        assert n > 100
        assert d.rss() - before < 400 << 20
        wire.until(lambda: d.sockets() <= 2, "the attackers' sockets to be closed")
        wire.until(lambda: all(x["transactions"] == 0 for x in c.call("stats")["databases"].values()), "their transactions to be over")


STEPS = [("begin",), ("insert", "t", {"id": None}), ("update_all", "t", {"n": 5}), ("delete_where", "t", [">=", "id", 0]), ("select", "t", {"stream": True, "batch": 10}),
         ("savepoint", "x"), ("rollback_to", "x"), ("count", "t"), ("atomic", [["update_all", "t", {"n": 6}], ["insert", "t", {"id": 0}]]),
         ("purge", "t", {"id": -1}, {"follow": True}), ("preview_delete", "t", [">=", "id", 0]), ("aggregate", "t", {"compute": {"n": ["count"]}})]


def vanish(path, seed):
    """Begin a transaction, do this and that in it, and go, at any point and in any way."""
    r = random.Random(seed)
    s = connect(path, 0.02)
    data = pack([0, 1, "begin", []])
    for n in range(r.randrange(6)):
        step = list(r.choice(STEPS))
        if step[0] == "insert":
            step[2] = {"id": 10**9 + seed * 100 + n}
        data += pack([0, 2 + n, step[0], step[1:]])
    cut = data[:r.randrange(len(data))] if r.random() < 0.5 else data
    try:
        s.sendall(cut)
        if r.random() < 0.5:
            s.recv(r.choice([1, 30, 5000]))
        if r.random() < 0.2:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if r.random() < 0.3:
            s.shutdown(r.choice([socket.SHUT_WR, socket.SHUT_RD, socket.SHUT_RDWR]))
    except OSError:
        pass
    s.close()


def test_clients_that_vanish_in_a_transaction_leave_nothing(lone):
    d = lone()
    with d.client() as c:
        c.call("create_table", "t", schema({"id": "int", "n": "int"}))
        c.call("insert", "t", [{"id": i, "n": 1} for i in range(500)])
        for seed in range(200):
            vanish(d.socket, seed)
            if seed % 20 == 0:
                c.gives({"inserted": 1}, "insert", "t", {"id": 1000 + seed, "n": 1})
        wire.until(lambda: d.sockets() <= 2, "their sockets to be closed")
        wire.until(lambda: c.call("stats")["databases"]["main"]["transactions"] == 0, "their transactions to be over")
        c.gives(510, "count", "t", {"n": 1})
        c.gives(510, "count", "t")
        c.gives({"updated": 510}, "update_all", "t", {"n": 2})


ENDLESS = ["not_exists", {"from": "t", "where": ["and", ["!=", "s", ["outer", "s"]], ["contains", "s", "x"]]}]
LONG = {
    "count": ("count", "t", ENDLESS), "exists": ("exists", "t", ["not", ENDLESS]),
    "select": ("select", "t", {"where": ENDLESS}), "select a stream": ("select", "t", {"where": ENDLESS, "stream": True}),
    "aggregate": ("aggregate", "t", {"where": ENDLESS, "compute": {"n": ["count"]}}), "preview_delete": ("preview_delete", "t", ENDLESS),
    "delete_where": ("delete_where", "t", ENDLESS), "delete_where returning": ("delete_where", "t", ENDLESS, {"returning": "rows"}),
    "delete_where limited": ("delete_where", "t", ENDLESS, {"limit": 29000, "order": ["s"]}), "dry_run": ("delete_where", "t", ENDLESS, {"dry_run": True}),
    "update_where": ("update_where", "t", ENDLESS, {"s": "y"}), "atomic": ("atomic", [["delete", "t", 1], ["delete_where", "t", ENDLESS]]),
    "purge": ("purge", "t", ENDLESS, {"follow": True, "rows": 10}),
}


def fill_wide(d):
    with d.client() as c:
        c.call("create_table", "t", schema({"id": "int", "s": "text(20)"}))
    con = sqlite3.connect(d.db_path)
    con.execute("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 29999) INSERT INTO t SELECT i, printf('%020d', i) FROM n")
    con.commit()
    con.close()


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """A daemon with a table on which ENDLESS runs for a very long time."""
    directory = str(tmp_path_factory.mktemp("wide"))
    d = daemon.Daemon(directory=directory).start()
    fill_wide(d)
    yield d
    try:
        d.stop()
    finally:
        d.kill()


def ends(c, msgid):
    while True:
        m = c.read()
        if not isinstance(m, Note):
            return m


@pytest.mark.parametrize("where", ["alone", "in a transaction"])
@pytest.mark.parametrize("what", LONG)
def test_whatever_runs_can_be_cancelled(wide, what, where):
    request = LONG[what]
    if where == "in a transaction" and request[0] in ("atomic", "purge"):
        request = ("delete_where", "t", ENDLESS, {"cascaded": True})
    with wide.client() as c, wide.client() as o:
        session = c.call("hello")["session"]
        if where == "in a transaction":
            c.call("begin")
            c.call("update", "t", 1, {"s": "changed"})
        waiting = c.send(*request)
        time.sleep(random.Random(what).uniform(0, 0.02))
        began = time.monotonic()
        o.gives({"id": 5, "s": "%020d" % 5}, "get", "t", 5)
        wire.until(lambda: o.call("cancel", waiting, {"session": session}) or time.monotonic() - began > 10)
        m = ends(c, waiting)
        assert m.msgid == waiting and m.error is not None, m
        wire.check_error(m.error)
        assert m.error[2]["name"] == "cancelled"
        assert time.monotonic() - began < 10
        if where == "in a transaction":
            c.refuses("tx_aborted", "count", "t")
            c.gives(True, "rollback")
        if what == "purge":
            for job in o.call("jobs"):
                if job["state"] == "running":
                    o.gives(True, "job_cancel", job["job"])
        c.gives(30000, "count", "t")
        c.gives({"id": 1, "s": "%020d" % 1}, "get", "t", 1)
        c.gives({"updated": 1}, "update", "t", 1, {"s": "%020d" % 1})


@pytest.mark.parametrize("what", LONG)
def test_a_client_that_leaves_stops_what_it_started(wide, what):
    with wide.client() as o:
        s = connect(wide.socket)
        s.sendall(pack([0, 1, LONG[what][0], list(LONG[what][1:])]))
        time.sleep(random.Random(what).uniform(0, 0.02))
        s.close()
        if what == "purge":
            wire.until(lambda: [j for j in o.call("jobs") if j["state"] == "running"])
            for job in o.call("jobs"):
                if job["state"] == "running":
                    o.gives(True, "job_cancel", job["job"])
        began = time.monotonic()
        o.gives({"updated": 1}, "update", "t", 1, {"s": "%020d" % 1})
        assert time.monotonic() - began < 10, "the writer was not given up"
        o.gives(30000, "count", "t")


@pytest.mark.parametrize("times", [1, 2], ids=["SIGTERM", "SIGTERM twice"])
def test_sigterm_waits_for_no_purge_that_searches(lone, times):
    d = lone()
    fill_wide(d)
    with d.client() as c:
        job = c.call("purge", "t", ENDLESS)["job"]
        wire.until(lambda: c.call("job", job)["state"] == "running")
        began = time.monotonic()
        for _ in range(times):
            d.signal(signal.SIGTERM)
        code = d.wait(20)
        d.check_log()
        assert code == 0 and time.monotonic() - began < 10
    d.start()
    with d.client() as c:
        assert c.call("job", job)["state"] == "running"
        c.gives(True, "job_cancel", job)
        c.gives(30000, "count", "t")
