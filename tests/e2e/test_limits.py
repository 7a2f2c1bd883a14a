"""Bombs, slow clients and greedy ones: an error or a closed connection, flat memory, and others notice nothing."""
import resource
import socket
import sqlite3
import struct
import threading

import pytest

from lib import daemon, wire
from lib.schema import schema
from lib.wire import check_error, connect, drain, messages, pack

MIB = 1 << 20


def spare(d, mib):
    """How much resident memory may grow: a sanitizer keeps shadow memory and freed blocks."""
    return mib * MIB * (12 if daemon.is_sanitized(d.binary) else 1)


def request(msgid, params):
    return b"\x94\x00" + pack(msgid) + pack("count") + params


def nested(levels, opener=b"\x91", last=b"\x90"):
    return opener * levels + last


HUGE = [
    ("array32", b"\xdd\xff\xff\xff\xff"), ("map32", b"\xdf\xff\xff\xff\xff"), ("bin32", b"\xc6\xff\xff\xff\xff"), ("str32", b"\xdb\xff\xff\xff\xff"),
    ("ext32", b"\xc9\xff\xff\xff\xff\x05"), ("array of arrays", b"\xdd\x00\xff\xff\xff" * 10), ("map of maps", b"\xdf\x00\xff\xff\xff" + b"\xa1a\xdf\x00\xff\xff\xff" * 10),
    ("2^31 elements", b"\xdd\x80\x00\x00\x00"), ("2^31-1 elements", b"\xdd\x7f\xff\xff\xff"), ("deep", nested(40)), ("very deep", nested(100000)),
    ("deep maps", b"\x81\xa1a" * 40), ("a million deep", nested(10**6)), ("array16 nest", b"\xdc\xff\xff" * 20), ("31 deep", nested(31)), ("32 deep", nested(32)), ("33 deep", nested(33)),
    ("17 MiB str", b"\xdb" + struct.pack(">I", 17 * MIB)), ("17 MiB bin", b"\xc6" + struct.pack(">I", 17 * MIB)), ("2^31 bin", b"\xc6\x80\x00\x00\x00"),
    ("2,000,001 elements", b"\xdd" + struct.pack(">I", 2000001)), ("2,000,001 pairs", b"\xdf" + struct.pack(">I", 2000001)),
]


@pytest.mark.parametrize("head", [pytest.param(h, id=n) for n, h in HUGE])
def test_a_bomb_is_refused_by_its_header(rowd, db, head):
    db.gives(True, "ping")
    before = rowd.rss()
    for _ in range(5):
        s = connect(rowd.socket)
        s.sendall(request(9, b"\x92" + pack("t") + head))
        got = messages(drain(s))
        s.close()
        assert len(got) == 1 and got[0][1] == 9, got
        check_error(got[0][2])
        assert got[0][2][2]["name"] == "limit"
    db.gives(True, "ping")
    assert rowd.rss() - before < spare(rowd, 4)


@pytest.mark.parametrize("head", [pytest.param(h, id=n) for n, h in HUGE])
def test_a_bomb_in_place_of_an_envelope_is_closed(rowd, db, head):
    db.gives(True, "ping")
    before = rowd.rss()
    for prefix in (b"", b"\x94", b"\x94\x00", b"\x94\x00\x09", b"\x93\x02" + pack("x")):
        s = connect(rowd.socket)
        try:
            s.sendall(prefix + head)
            s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        for m in messages(drain(s)):
            check_error(m[2])
        s.close()
    db.gives(True, "ping")
    assert rowd.rss() - before < spare(rowd, 4)


def test_a_client_that_sends_on_after_its_last_answer_reads_it_and_is_closed(rowd, db):
    """The error is not lost to a broken pipe, and nobody may talk on for ever."""
    endless = connect(rowd.socket)
    endless.sendall(b"\x94\x00\x07\xa4ping\x91\xc1")
    sent = 0
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        while sent < 1 << 32:
            sent += endless.send(b"x" * 4096)
            daemon.rest(0.005)
    got = messages(drain(endless))
    assert [m[1] for m in got] == [7] and got[0][2][2]["name"] == "bad_request"
    endless.close()
    idle = connect(rowd.socket)
    idle.sendall(b"\x94\x00\x07\xa4ping\x91\xc1")
    assert len(messages(drain(idle))) == 1
    wire.until(lambda: rowd.sockets() <= 3, "the one that does nothing to be closed", 10)
    idle.close()


def test_amplification_is_bounded(rowd, db):
    """A megabyte of one-byte values costs a decoder twenty-four: it is used, and given back."""
    db.gives(True, "ping")
    before = rowd.rss()
    for params in (b"\x92" + pack("t") + b"\xdd" + struct.pack(">I", MIB) + b"\xc0" * MIB, b"\x92" + pack("t") + b"\xdd" + struct.pack(">I", MIB // 2) + b"\x91\xc0" * (MIB // 2)):
        for _ in range(4):
            db.send_raw(request(9, params))
            db.refused(("unknown_table", "bad_request"), 9)
    assert rowd.rss() - before < spare(rowd, 96)


def test_a_frame_of_16_mib_is_the_largest(rowd, db, table):
    t = table({"id": "int", "a": "bytes", "b": "bytes", "c": "bytes"})
    frame = pack([0, 7, "insert", [t, {"id": 1, "a": b"\1" * (8 * MIB), "b": b"\2" * (7 * MIB), "c": b""}]])
    full = pack([0, 7, "insert", [t, {"id": 1, "a": b"\1" * (8 * MIB), "b": b"\2" * (7 * MIB), "c": b"\3" * (16 * MIB - len(frame) - 3)}]])
    assert len(full) == 16 * MIB
    db.send_raw(full)
    assert db.result(7) == {"inserted": 1}
    over = pack([0, 8, "insert", [t, {"id": 2, "a": b"\1" * (8 * MIB), "b": b"\2" * (7 * MIB), "c": b"\3" * (16 * MIB - len(frame) - 2)}]])
    assert len(over) == 16 * MIB + 1
    s = connect(rowd.socket)
    s.sendall(over)
    got = messages(drain(s))
    s.close()
    assert [(m[1], m[2][2]["name"]) for m in got] == [(8, "limit")]
    db.gives(1, "count", t)


def test_two_million_values_are_the_most_in_a_request(rowd, db, table):
    t = table({"id": "int"}, rows=[(1,)])
    def with_list(n):
        return b"\x92" + pack(t) + b"\x93" + pack("in") + pack("id") + b"\xdd" + struct.pack(">I", n) + b"\x01" * n
    db.send_raw(request(5, with_list(1999900)))
    assert db.result(5) == 1
    with rowd.client() as c:
        c.send_raw(request(6, with_list(2000001)))
        c.refused("limit", 6, limit=2000000)
        assert c.at_end()


def test_limits_can_be_lowered_and_hello_tells(lone):
    d = lone(args=["--frame_bytes", "5000", "--nesting", "5", "--reply_rows", "10", "--request_values", "1000", "--value_bytes", "1024",
                   "--in_flight", "2", "--filter_operators", "3", "--reply_bytes", "65536"])
    with d.client() as c:
        told = c.call("hello")["limits"]
        assert (told["frame_bytes"], told["nesting"], told["reply_rows"], told["request_values"], told["value_bytes"], told["in_flight"],
                told["filter_operators"]) == (5000, 5, 10, 1000, 1024, 2, 3)
        c.call("create_table", "t", schema({"id": "int", "v": "text"}))
        c.call("insert", "t", [{"id": i} for i in range(20)])
        got = c.call("select", "t")
        assert len(got["rows"]) == 10 and got["more"] is True
        c.refuses("limit", "select", "t", {"limit": 11}, limit=10)
        c.refuses("limit", "insert", "t", {"id": 99, "v": "x" * 1025})
        c.refuses("limit", "count", "t", ["or"] + [{"id": i} for i in range(5)], limit=3)
        assert c.results(c.send_many([("count", "t")] * 50)) == [20] * 50
    with d.client() as c:
        c.refuses("limit", "count", "t", ["not", ["not", ["not", ["not", ["not", {"id": 1}]]]]], limit=5)
        assert c.at_end()
    with d.client() as c:
        c.send("count", "t", {"v": "x" * 6000}, msgid=3)
        c.refused("limit", 3, limit=5000)
        assert c.at_end()


def test_a_frame_that_is_never_finished_is_closed(lone):
    d = lone(args=["--frame_ms", "300"])
    with d.client() as busy:
        idle = connect(d.socket)
        halves = []
        for cut in (1, 3, 8):
            s = connect(d.socket)
            s.sendall(pack([0, 1, "describe", ["nothing"]])[:cut])
            halves.append(s)
        dripping = connect(d.socket)
        stop = threading.Event()
        thread = threading.Thread(target=drip, args=(dripping, stop))
        thread.start()
        for s in halves:
            for m in messages(drain(s, 20)):
                check_error(m[2])
            s.close()
        drain(dripping, 20)
        stop.set()
        thread.join()
        busy.gives(True, "ping")
        idle.sendall(pack([0, 1, "ping", []]))
        assert wire.unpack(idle.recv(100)) == [1, 1, None, True]
        idle.close()
        dripping.close()


def drip(s, stop):
    """One byte at a time, for ever: progress does not excuse a frame that never ends."""
    data = b"\x94\x00\x01\xa4ping\x91\xda\xff\xff" + b"x" * 60000
    try:
        for b in data:
            if stop.wait(0.02):
                return
            s.sendall(bytes([b]))
    except OSError:
        pass


def test_slow_writers_hold_no_one_up(rowd, db, table):
    t = table({"id": "int"})
    slow = [connect(rowd.socket) for _ in range(100)]
    frame = pack([0, 1, "insert", [t, {"id": 1}]])
    for n in range(len(frame) - 1):
        for s in slow:
            s.sendall(frame[n:n + 1])
        if n % 5 == 0:
            db.gives(0, "count", t)
    for i, s in enumerate(slow):
        s.sendall(frame[-1:])
    answers = [wire.messages(s.recv(4096))[0] for s in slow]
    assert sum(a[2] is None for a in answers) == 1
    assert {a[2][2]["name"] for a in answers if a[2]} == {"conflict"}
    for s in slow:
        s.close()


def fill(d, t, rows, width=20):
    con = sqlite3.connect(d.db_path)
    con.execute("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO %s SELECT i, printf('%%0%dd', i) FROM n" % (rows - 1, t, width))
    con.commit()
    con.close()


def test_a_million_rows_to_a_slow_reader_keep_memory_flat(lone):
    d = lone()
    with d.client() as c:
        c.call("create_table", "t", schema({"id": "int", "s": "text(20)"}))
        fill(d, "t", 1000000)
        c.gives(1000000, "count", "t")
        c.stream("select", "t", {"stream": True, "limit": 50000})
        before = d.rss()
        s = connect(d.socket)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.sendall(pack([0, 1, "select", ["t", {"stream": True, "batch": 500}]]))
        u = wire.msgpack.Unpacker(raw=False, strict_map_key=False, max_buffer_size=1 << 30)
        peak, seen, due, last, turns = 0, 0, 0, None, 0
        while last is None:
            data = s.recv(1 << 18)
            assert data, "closed before the end"
            u.feed(data)
            turns += 1
            if turns % 64 == 0:
                peak = max(peak, d.rss())
                c.gives(True, "ping")
                c.gives({"id": seen, "s": "%020d" % seen}, "get", "t", seen)
            for m in u:
                if m[0] == 2:
                    assert m[1] == "rows" and m[2][0] == 1
                    rows = m[2][1]
                    assert rows[0] == [due, "%020d" % due] and rows[-1][0] == due + len(rows) - 1
                    due += len(rows)
                    seen = due - 1
                else:
                    last = m
        assert last == [1, 1, None, {"columns": ["id", "s"], "count": 1000000}] and due == 1000000
        assert peak - before < spare(d, 16), "grew by %d KiB" % ((peak - before) // 1024)
        s.close()


def test_a_reader_that_never_reads_costs_no_memory_and_is_closed(lone):
    d = lone(args=["--write_ms", "500"])
    with d.client() as c:
        c.call("create_table", "t", schema({"id": "int", "s": "text(20)"}))
        fill(d, "t", 300000)
        c.stream("select", "t", {"stream": True, "limit": 20000})
        before, sockets = d.rss(), d.sockets()
        deaf = []
        for i in range(8):
            s = connect(d.socket)
            s.sendall(pack([0, 1, "select", ["t", {"stream": True}]]))
            deaf.append(s)
        for i in range(20):
            s = connect(d.socket)
            s.sendall(pack([0, 1, "select", ["t"]]) * 60)
            deaf.append(s)
        peak = 0

        def gone():
            nonlocal peak
            peak = max(peak, d.rss())
            c.gives(300000, "count", "t")
            return d.sockets() <= sockets
        wire.until(gone, "the deaf to be closed", 40)
        assert peak - before < spare(d, 8 * 2 + 20 * 4)
        for s in deaf:
            s.close()
        c.gives({"inserted": 1}, "insert", "t", {"id": -1})


def test_a_stream_left_by_its_reader_is_given_up(lone):
    d = lone()
    with d.client() as c:
        c.call("create_table", "t", schema({"id": "int", "s": "text(20)"}))
        fill(d, "t", 200000)
        c.gives(True, "ping")
        before = d.sockets()
        for _ in range(20):
            s = connect(d.socket)
            s.sendall(pack([0, 1, "select", ["t", {"stream": True}]]))
            s.recv(1000)
            s.close()
        wire.until(lambda: d.sockets() <= before, "the sockets to be closed")
        c.gives(200000, "count", "t")


@pytest.fixture
def crowded(lone):
    """A table on which a self-join without an index runs for a very long time."""
    d = lone(args=["--statement_ms", "1500"])
    with d.client() as c:
        c.call("create_table", "t", schema({"id": "int", "s": "text(20)"}))
        fill(d, "t", 30000)
    return d


ENDLESS = ["not_exists", {"from": "t", "where": ["and", ["!=", "s", ["outer", "s"]], ["contains", "s", "x"]]}]


def test_a_long_read_holds_no_one_up_and_times_out(crowded):
    with crowded.client() as slow, crowded.client() as quick:
        waiting = slow.send("count", "t", ENDLESS)
        for i in range(200):
            quick.gives({"id": i, "s": "%020d" % i}, "get", "t", i)
        quick.gives({"inserted": 1}, "insert", "t", {"id": -1})
        slow.gives(True, "ping")
        slow.refused("timeout", waiting)
        slow.gives(30001, "count", "t")


def test_a_long_write_times_out_and_changes_nothing(crowded):
    with crowded.client() as slow, crowded.client() as quick:
        waiting = slow.send("delete_where", "t", ENDLESS)
        quick.gives({"id": 5, "s": "%020d" % 5}, "get", "t", 5)
        slow.refused("timeout", waiting)
        slow.gives(30000, "count", "t")
        quick.gives({"inserted": 1}, "insert", "t", {"id": -1})


@pytest.mark.parametrize("method", ["count", "delete_where"])
def test_a_running_statement_can_be_cancelled(lone, method):
    d = lone()
    with d.client() as c, d.client() as o:
        c.call("create_table", "t", schema({"id": "int", "s": "text(20)"}))
        fill(d, "t", 30000)
        waiting = c.send(method, "t", ENDLESS)
        o.gives({"id": 5, "s": "%020d" % 5}, "get", "t", 5)
        c.gives(True, "cancel", waiting)
        c.refused("cancelled", waiting)
        c.gives(30000, "count", "t")


def test_a_client_that_leaves_ends_its_long_read(lone):
    d = lone()
    with d.client() as c:
        c.call("create_table", "t", schema({"id": "int", "s": "text(20)"}))
        fill(d, "t", 30000)
        for _ in range(12):
            s = connect(d.socket)
            s.sendall(pack([0, 1, "count", ["t", ENDLESS]]))
            s.close()
        c.gives(30000, "count", "t", [">=", "s", ""])
        result, _ = c.stream("select", "t", {"stream": True})
        assert result["count"] == 30000


def test_idle_clients_are_small(lone):
    d = lone()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with d.client() as c:
        c.call("ping")
        crowd = [connect(d.socket) for _ in range(1000)]
        for s in crowd:
            s.sendall(pack([0, 1, "ping", []]))
            assert s.recv(64)
        before = d.rss()
        more = [connect(d.socket) for _ in range(8900)]
        for s in more:
            s.sendall(pack([0, 1, "ping", []]))
            assert s.recv(64)
        each = (d.rss() - before) / 8900
        assert each < (4096 if not daemon.is_sanitized(d.binary) else 40960), "%d bytes each" % each
        for s in crowd + more:
            s.close()
        wire.until(lambda: d.descriptors() < 100)
        c.gives(True, "ping")


def test_when_descriptors_run_out_old_clients_are_served_and_it_recovers(lone):
    d = lone(preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
    with d.client() as c:
        c.call("create_table", "t", schema({"id": "int"}))
        crowd = []
        for _ in range(150):
            s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            s.settimeout(20)
            s.connect(d.socket)
            crowd.append(s)
        for i in range(50):
            c.gives({"inserted": 1}, "insert", "t", {"id": i})
        used = d.cpu()
        daemon.rest(1.0)
        assert d.cpu() - used < 0.5, "it spins while it cannot accept"
        for s in crowd:
            s.close()
        with d.client() as again:
            again.gives(50, "count", "t")
        wire.until(lambda: d.log().count("\n") < 500, seconds=1)


def test_past_the_limit_of_clients_old_ones_are_served(lone):
    d = lone(args=["--clients", "5"])
    with d.client() as c:
        c.gives(True, "ping")
    wire.until(lambda: d.sockets() == 1, "those who came before to be gone")
    crowd = [d.client(timeout=20) for _ in range(5)]
    for c in crowd:
        c.gives(True, "ping")
    extra = connect(d.socket)
    try:
        extra.sendall(pack([0, 1, "ping", []]))
    except BrokenPipeError:
        pass
    assert messages(drain(extra)) == []
    for c in crowd:
        c.gives(True, "ping")
    for c in crowd[1:]:
        c.close()
    extra.close()

    def served():
        try:
            with d.client() as c:
                return c.call("ping")
        except (wire.Closed, OSError, wire.Failure):
            return False
    wire.until(served, "a place to be free")
    crowd[0].gives(True, "ping")
    crowd[0].close()


def test_connections_leave_nothing_behind(rowd, db):
    db.gives(True, "ping")
    before = rowd.descriptors()
    for _ in range(500):
        c = rowd.client()
        c.gives(True, "ping")
        c.close()
    wire.until(lambda: rowd.descriptors() <= before, "the descriptors to be closed")


def test_an_idle_transaction_is_rolled_back(lone):
    d = lone(args=["--transaction_idle_ms", "300"])
    with d.client() as idle, d.client() as c:
        c.call("create_table", "t", schema({"id": "int"}))
        idle.call("begin")
        idle.call("insert", "t", {"id": 1})
        c.gives({"inserted": 1}, "insert", "t", {"id": 2})
        idle.refuses(("tx_timeout", "tx_aborted"), "count", "t")
        idle.gives(True, "rollback")
        idle.gives({"columns": ["id"], "rows": [[2]], "more": False}, "select", "t")


def test_a_long_transaction_is_rolled_back(lone):
    d = lone(args=["--transaction_ms", "400"])
    with d.client() as c, d.client() as o:
        c.call("create_table", "t", schema({"id": "int"}))
        c.call("begin")
        c.call("insert", "t", {"id": 1})

        def over():
            r = c.reply(c.send("count", "t"))
            return r.error is not None and r.error[2]["name"]
        assert wire.until(over) in ("tx_timeout", "tx_aborted")
        c.gives(True, "rollback")
        o.gives(0, "count", "t")


def test_a_flood_of_requests_leaves_room_for_others(rowd, db, table):
    t = table({"id": "int", "s": "text(20)"}, rows=[(i, "x") for i in range(100)])
    flood = rowd.client()
    total, got = 240000, [0]

    def read():
        while got[0] < total:
            flood.reply()
            got[0] += 1
    reader = threading.Thread(target=read)
    one = b"".join(pack([0, i, "get", [t, i % 100]]) for i in range(total))
    writer = threading.Thread(target=flood.send_raw, args=(one,))
    reader.start()
    writer.start()
    for i in range(30):
        db.gives({"id": i, "s": "x"}, "get", t, i)
    during = got[0]
    writer.join()
    reader.join()
    flood.close()
    assert during < total, "thirty reads took as long as %d of another client" % total
