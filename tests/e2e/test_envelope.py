"""MessagePack-RPC on a socket: order, pipelining, and what is no message."""
import os
import socket
import threading

import pytest

from lib import wire
from lib.schema import schema
from lib.wire import Client, Failure, check_error, connect, drain, messages, pack


@pytest.fixture
def t(table):
    return table({"id": "int", "s": "text(20)"}, rows=[(1, "a"), (2, "b")])


@pytest.fixture
def blocked(rowd, db, t):
    """A client whose writes wait: another one holds a transaction open until release() is called."""
    holder = rowd.client()
    holder.call("begin")
    holder.call("insert", t, {"id": 1000})
    c = rowd.client()
    c.release = lambda: holder.call("rollback")
    yield c
    c.close()
    holder.close()


def test_replies_come_in_the_order_of_the_requests(db, t):
    sent = db.send_many([("get", t, 1), ("insert", t, {"id": 3}), ("count", t), ("nope",), ("delete", t, 3), ("count", t),
                         ("select", t, {"columns": ["id"]}), ("update", t, 1, {"s": "z"}), ("get", t, 1), ("tables",), ("whoami",), ("count", t)])
    db.order.clear()
    for m in sent:
        db.reply(m)
    assert db.order == list(sent)


def test_requests_of_a_connection_take_effect_in_order(db, t):
    sent = []
    for i in range(200):
        sent += [("upsert", t, {"id": 7, "s": "v%d" % i}), ("get", t, 7)]
    got = db.results(db.send_many(sent))
    assert [r["s"] for r in got[1::2]] == ["v%d" % i for i in range(200)]


def test_many_requests_may_be_sent_without_waiting(db, t):
    n = 5000
    writer = threading.Thread(target=lambda: db.send_many([("count", t)] * n))
    first = db.next_msgid
    writer.start()
    got = [db.reply() for _ in range(n)]
    writer.join()
    assert [r.msgid for r in got] == list(range(first, first + n))
    assert all(r.result == 2 for r in got)


def test_a_request_may_come_one_byte_at_a_time(db, t):
    for b in pack([0, 5, "get", [t, 1]]) + pack([0, 6, "count", [t, {"s": "b"}]]):
        db.send_raw(bytes([b]))
    assert db.result(5) == {"id": 1, "s": "a"}
    assert db.result(6) == 1


@pytest.mark.parametrize("msgid", [0, 1, 127, 128, 255, 256, 65535, 65536, 2**31, 2**32 - 1])
def test_any_msgid_of_32_bits_is_good(db, msgid):
    db.send("ping", msgid=msgid)
    r = db.reply()
    assert r.msgid == msgid and r.result is True
    assert r.raw == b"\x94\x01" + pack(msgid) + b"\xc0\xc3"


def test_the_envelope_may_be_written_in_any_width(db):
    db.send_raw(b"\xdc\x00\x04\xcc\x00\xcf" + (77).to_bytes(8, "big") + b"\xdb\x00\x00\x00\x04ping\xdd\x00\x00\x00\x00")
    r = db.reply()
    assert (r.msgid, r.error, r.result) == (77, None, True)
    db.send_raw(b"\x94\xd3" + b"\0" * 8 + b"\xd1\x00\x05\xda\x00\x04ping\xdc\x00\x00")
    assert db.result(5) is True


def test_ping_stats_and_cancel_are_answered_past_the_line(db, blocked, t):
    waiting = [blocked.send("insert", t, {"id": 10 + i}) for i in range(10)]
    behind = blocked.send("count", t)
    ping, stats = blocked.send("ping"), blocked.send("stats")
    assert blocked.reply().msgid == ping
    assert blocked.reply().msgid == stats
    blocked.release()
    assert blocked.results(waiting) == [{"inserted": 1}] * 10
    assert blocked.result(behind) == 12
    assert blocked.order == [ping, stats] + waiting + [behind]


def test_cancel_stops_what_is_in_flight(db, blocked, t):
    waiting = [blocked.send("insert", t, {"id": 10 + i}) for i in range(3)]
    blocked.gives(True, "cancel", waiting[1])
    blocked.gives(False, "cancel", 987654)
    blocked.release()
    assert blocked.result(waiting[0]) == {"inserted": 1}
    blocked.refused("cancelled", waiting[1])
    assert blocked.result(waiting[2]) == {"inserted": 1}
    blocked.gives(False, "cancel", waiting[0])
    assert [r[0] for r in blocked.call("select", t)["rows"]] == [1, 2, 10, 12]


def test_cancel_from_another_connection_of_the_same_user(rowd, db, blocked, t):
    session = blocked.call("hello")["session"]
    waiting = blocked.send("insert", t, {"id": 10})
    db.gives(False, "cancel", waiting)
    wire.until(lambda: db.call("cancel", waiting, {"session": session}), "the request to be in flight")
    blocked.release()
    blocked.refused("cancelled", waiting)
    db.gives(False, "cancel", waiting, {"session": session})
    db.gives(False, "cancel", 1, {"session": 2**40})


def test_cancel_as_a_notification(db, blocked, t):
    waiting = blocked.send("insert", t, {"id": 10})
    blocked.notify("cancel", waiting)
    blocked.gives(True, "ping")
    blocked.release()
    blocked.refused("cancelled", waiting)
    db.gives(2, "count", t)


def test_past_64_in_flight_rowd_stops_reading(db, blocked, t):
    sent = [blocked.send("insert", t, {"id": 10 + i}) for i in range(63)]
    ping = blocked.send("ping")
    assert blocked.reply().msgid == ping
    sent.append(blocked.send("insert", t, {"id": 10 + 63}))
    blocked.sock.setblocking(False)
    late, n = pack([0, 5000, "ping", []]), 0
    with pytest.raises(BlockingIOError):
        while n < 64 << 20:
            n += blocked.sock.send(late * 1000)
    blocked.sock.setblocking(True)
    blocked.sock.settimeout(0.2)
    with pytest.raises(socket.timeout):
        blocked.read()
    blocked.sock.settimeout(wire.DEADLINE)
    db.gives(True, "ping")
    blocked.release()
    inserted = []
    while len(inserted) < 64:
        r = blocked.read()
        if r.msgid != 5000:         # those overtake the line as soon as they are read
            inserted.append(r)
    assert [r.msgid for r in inserted] == sent and all(r.result == {"inserted": 1} for r in inserted)


def test_unknown_notifications_are_ignored(db, t):
    db.notify("nvim_set_client_info", "x", {}, "remote", {}, {})
    db.send_raw(b"\x93\x02" + pack(b"nvim_set_client_info") + pack([1, {"a": None}]))
    db.notify("rows", 1, [[1]])
    db.gives(True, "ping")


def test_an_operation_sent_as_a_notification_is_not_carried_out(db, t):
    db.notify("delete_all", t)
    db.notify("insert", t, {"id": 9})
    db.notify("begin")
    db.notify("drop_table", t)
    db.gives(2, "count", t)
    db.refuses("tx_none", "rollback")


def test_a_client_that_shuts_its_writing_side_gets_all_its_answers(rowd, db, t):
    c = rowd.client()
    sent = c.send_many([("insert", t, {"id": 100 + i, "s": "x" * 20}) for i in range(50)] + [("select", t)])
    c.finish_sending()
    got = messages(drain(c.sock))
    assert [m[1] for m in got] == list(sent)
    assert all(m[2] is None for m in got) and len(got[-1][3]["rows"]) == 52
    c.close()


def test_half_a_frame_and_then_the_end_is_just_the_end(rowd, db, t):
    s = connect(rowd.socket)
    s.sendall(pack([0, 1, "delete_all", [t]])[:-2])
    s.shutdown(socket.SHUT_WR)
    assert messages(drain(s)) == []
    db.gives(2, "count", t)
    s.close()


def test_a_client_that_goes_away_hurts_no_one(rowd, db, t):
    for i in range(50):
        c = rowd.client()
        c.send_many([("select", t), ("count", t), ("insert", t, {"id": 1000 + i})])
        c.close()
    db.gives(True, "ping")
    wire.until(lambda: rowd.sockets() <= 3, "the sockets to be closed")   # listening, db, and one of the fixture's
    assert db.call("count", t) <= 52


PING = [0, 9, "ping", []]
# bytes, msgid of the error that is due (None: none, "any": none or one with msgid 9)
NO_MESSAGE = [
    (b"\xc1", None), (b"\xc0", None), (b"\x00", None), (b"\xff", None), (b"\xa4ping", None), (b"\x80", None), (b"\xc3", None), (b"\xd9\x04ping", None),
    (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", None), (b"\n", None), (b"SELECT 1;\n", None), (b"\x16\x03\x01\x02\x00", None), (b"\xc4\x04ping", None),
    (b"\xca\x00\x00\x00\x00", None), (b"\xd4\x01\x00", None), (b"\x90", None),
    (pack([0]), None), (pack([0, 9]), "any"), (pack([0, 9, "ping"]), "any"), (pack(PING + [1]), "any"), (pack([9]), None), (pack([0, 9] + ["ping"] * 18), "any"),
    (pack([3, 9, "ping", []]), "any"), (pack([-1, 9, "ping", []]), "any"), (pack(["0", 9, "ping", []]), "any"), (pack([None, 9, "ping", []]), "any"),
    (pack([0.0, 9, "ping", []]), "any"), (pack([False, 9, "ping", []]), "any"), (pack([1, 9, None, True]), "any"), (pack([2, "ping"]), None),
    (pack([2, "ping", [], 1]), None), (pack([2, 5, []]), None), (pack([2, "ping", {}]), None), (pack([2, None, []]), None),
    (pack([0, -1, "ping", []]), None), (pack([0, 2**32, "ping", []]), None), (pack([0, 2**63, "ping", []]), None), (pack([0, "9", "ping", []]), None),
    (pack([0, None, "ping", []]), None), (pack([0, 9.0, "ping", []]), None), (pack([0, [9], "ping", []]), None), (pack([0, True, "ping", []]), None),
    (pack([0, 9, None, []]), 9), (pack([0, 9, 5, []]), 9), (pack([0, 9, ["ping"], []]), 9), (pack([0, 9, {}, []]), 9), (pack([0, 9, True, []]), 9),
    (pack([0, 9, "ping", {}]), 9), (pack([0, 9, "ping", None]), 9), (pack([0, 9, "ping", 5]), 9), (pack([0, 9, "ping", "x"]), 9), (pack([0, 9, "ping", b""]), 9),
    (b"\x94\x00\x09\xa4ping\x91\xc1", 9), (b"\x94\x00\x09\xc1", "any"), (b"\x94\x00\xc1", None), (b"\x94\x00\x09\xa4ping\xc1", 9),
    (b"\x94\x00\x09\xa5count\x92\xa1t\x81\xc1", 9), (b"\x82\x00\x09\xa4ping\x90", None), (b"\x94\x00\x09\xa4ping\x91\x91\x91\xc1", 9),
]


@pytest.mark.parametrize("data,due", [pytest.param(*c, id=c[0][:14].hex()) for c in NO_MESSAGE])
def test_what_is_no_message_closes_the_connection(rowd, db, data, due):
    s = connect(rowd.socket)
    s.sendall(data)
    got = messages(drain(s))
    s.close()
    if due == "any":
        assert len(got) <= 1
    else:
        assert len(got) == (due is not None), got
    for m in got:
        assert m[0] == 1 and m[1] == 9 and m[3] is None
        check_error(m[2])
        assert m[2][2]["name"] == "bad_request"
    db.gives(True, "ping")


def test_what_came_before_the_garbage_is_answered(rowd, db, t):
    s = connect(rowd.socket)
    s.sendall(pack([0, 1, "insert", [t, {"id": 50}]]) + pack([0, 2, "count", [t]]) + b"\xc1" + pack([0, 3, "delete_all", [t]]))
    got = messages(drain(s))
    s.close()
    assert [m[:3] for m in got] == [[1, 1, None], [1, 2, None]]
    db.gives(3, "count", t)


@pytest.mark.parametrize("msgids", [[7, 7], [7, 8, 7], [8, 7, 7], [9, 1, 5, 1], [4294967295, 0, 3, 0]])
def test_a_msgid_still_in_flight_is_not_used_again(rowd, db, blocked, t, msgids):
    for i, msgid in enumerate(msgids):
        blocked.send("insert", t, {"id": 10 + i}, msgid=msgid)
    blocked.release()
    got = messages(drain(blocked.sock))
    refusals = [m for m in got if m[2] is not None]
    assert [(m[1], m[2][2]["name"]) for m in refusals] == [(msgids[-1], "bad_request")]
    assert db.call("count", t, {"id": 10 + len(msgids) - 1}) == 0
    assert db.call("count", t, [">=", "id", 10]) == len(msgids) - 1


def test_a_msgid_may_be_used_again_once_it_was_answered(db):
    for _ in range(5):
        db.send("ping", msgid=7)
        assert db.reply().msgid == 7


@pytest.mark.parametrize("name", ["x" * 100, "x" * 101, "x" * 5000, "x" * 1000000])
def test_a_long_method_name_is_refused(rowd, name):
    c = rowd.client()
    c.send(name, msgid=3)
    c.refused(("unknown_method", "bad_request", "limit"), 3)
    c.close()


def test_the_error_shapes_that_hello_offers(rowd):
    with rowd.client() as c:
        assert c.call("hello", {"errors": "array"})["protocol"] == 1
        c.refuses("unknown_table", "count", "nope")
    with rowd.client() as c:
        c.call("hello", {"errors": "pair"})
        for call, kind in [(("count", "nope"), 1), (("nope",), 1), (("count",), 1), (("rollback",), 1)]:
            r = c.reply(c.send(*call))
            assert isinstance(r.error, list) and len(r.error) == 2 and r.error[0] == kind, r.error
            assert isinstance(r.error[1], str) and ": " in r.error[1] and r.result is None
        r = c.reply(c.send("count", "nope"))
        assert r.error[1].startswith("unknown_table: ")
    with rowd.client() as c:
        c.call("hello", {"errors": "string"})
        r = c.reply(c.send("count", "nope"))
        assert isinstance(r.error, str) and r.error.startswith("unknown_table: ")
        c.call("hello", {"errors": "array"})
        c.refuses("unknown_table", "count", "nope")
    with rowd.client() as c:
        for bad in ("", "json", "Array"):
            c.refuses("bad_request", "hello", {"errors": bad})


def test_errors_tell_no_value_of_a_row(db, table):
    t = table({"id": "int", "s": "text(60)", "u": "text(30)"}, unique=[["u"]], rows=[(1, "x", "secret-canary")])
    for call in (["insert", t, {"id": 2, "u": "secret-canary"}], ["insert", t, {"id": "secret-canary"}], ["insert", t, {"id": 2, "s": "secret-canary" * 9}],
                 ["count", t, {"id": "secret-canary"}], ["update", t, 1, {"id": "secret-canary"}], ["get", t, "secret-canary"]):
        r = db.reply(db.send(*call))
        assert r.error is not None and "secret-canary" not in repr(r.error)
        assert "sqlite" not in repr(r.error).lower() and "constraint" not in repr(r.error).lower()


def test_hostile_names_stay_one_line_in_the_log(rowd, db):
    for name in ("evil\nlevel=info forged=yes", "\x1b[2Jx", "a" * 3000):
        db.call("hello", {"client": name})
        db.refuses(("unknown_table", "bad_request", "unknown_database"), "count", name)
        db.refuses(("unknown_method", "bad_request", "limit"), name[:90])
    text = rowd.log()
    assert "\nlevel=info forged=yes" not in text and "\x1b[2J" not in text


def test_a_second_write_after_the_peer_closed_kills_nothing(rowd, db, t):
    for _ in range(20):
        s = connect(rowd.socket)
        s.sendall(pack([0, 1, "select", [t]]) * 20)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        s.close()
    db.gives(True, "ping")


def test_descriptors_that_a_client_passes_along_are_dropped(rowd, db):
    db.gives(True, "ping")
    before = rowd.descriptors()
    with rowd.client() as c:
        r, w = os.pipe()
        for _ in range(20):
            socket.send_fds(c.sock, [pack([0, 4, "ping", []])], [r, w] * 50)
            assert c.reply(4).result is True
        assert rowd.descriptors() <= before + 3
        os.close(r)
        os.close(w)


def test_schema_and_client_helpers_are_honest(db):
    """The client itself: a wrong expectation must fail."""
    with pytest.raises(AssertionError):
        db.gives(1, "ping")
    with pytest.raises(AssertionError):
        db.refuses("conflict", "ping")
    with pytest.raises(Failure):
        db.call("count", "nope")
    assert not wire.same([True], [1]) and not wire.same(1, 1.0) and not wire.same({"a": 1, "b": 2}, {"b": 2, "a": 1})
    assert schema({"id": "int+", "a": "text(3)!"})["columns"] == [{"name": "id", "type": "int", "auto": True},
                                                                 {"name": "a", "type": "text(3)", "null": False}]
    assert isinstance(db, Client)
