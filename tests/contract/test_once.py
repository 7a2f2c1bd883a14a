"""Exactly once: a request with an id takes effect once, and its answer is given as often as it is asked for."""
import threading
import time
import uuid

import pytest

from lib import wire
from lib.wire import Failure, pack, same


def new_id():
    return str(uuid.uuid4())


def id_of(ms, tail=0x1234):
    """A UUID of version 7, which tells its time."""
    n = (int(ms) << 80) | (7 << 76) | (0xabc << 64) | (2 << 62) | tail
    return str(uuid.UUID(int=n))


def now_ms():
    return time.time() * 1000


HOUR = 3600 * 1000


@pytest.fixture
def t(table):
    return table({"id": "int", "n": "int", "s": "text(20)"}, rows=[(i, i * 10, "row%d" % i) for i in range(1, 6)])


def rows(db, t):
    return db.call("select", t)["rows"]


WRITES = {
    "insert": lambda t: ("insert", t, {"id": 100, "n": 1}),
    "insert of many": lambda t: ("insert", t, [{"id": 100 + i} for i in range(50)]),
    "insert returning": lambda t: ("insert", t, [{"id": 102}, {"id": 101, "s": "x"}], {"returning": "rows"}),
    "upsert": lambda t: ("upsert", t, [{"id": 1, "n": 0}, {"id": 200, "n": 0}]),
    "update": lambda t: ("update", t, 2, {"n": ["+", ["col", "n"], 1]}),
    "update_where": lambda t: ("update_where", t, [">", "id", 2], {"n": ["+", ["col", "n"], 1]}, {"returning": "rows"}),
    "update_all": lambda t: ("update_all", t, {"n": ["-", ["col", "n"], 7]}),
    "delete": lambda t: ("delete", t, 3, {"returning": "rows"}),
    "delete of nothing": lambda t: ("delete", t, 33),
    "delete_where": lambda t: ("delete_where", t, ["<", "id", 3], {"returning": "keys"}),
    "delete_where limited": lambda t: ("delete_where", t, [">", "id", 0], {"limit": 1, "order": ["-n"]}),
    "delete_all": lambda t: ("delete_all", t),
    "atomic": lambda t: ("atomic", [["insert", t, {"id": 100}], ["update", t, 1, {"n": ["*", ["col", "n"], 2]}], ["count", t]]),
}


def with_id(request, request_id):
    """The request with one more option."""
    if isinstance(request[-1], dict) and ("returning" in request[-1] or "limit" in request[-1]):
        return request[:-1] + (dict(request[-1], request_id=request_id),)
    return request + ({"request_id": request_id},)


@pytest.mark.parametrize("name", WRITES)
def test_the_same_id_again_answers_the_same_and_does_nothing(db, other, t, name):
    plain = WRITES[name](t)
    request = with_id(plain, new_id())
    first = db.reply(db.send(*request, msgid=7))
    assert first.error is None
    after = rows(db, t)
    again = db.reply(db.send(*request, msgid=7))
    assert again.raw == first.raw
    assert other.reply(other.send(*request, msgid=7)).raw == first.raw
    assert same(rows(db, t), after)


@pytest.mark.parametrize("name", WRITES)
def test_with_an_id_a_request_does_what_it_does_without(db, table, name):
    content = dict(columns={"id": "int", "n": "int", "s": "text(20)"}, rows=[(i, i * 10, "row%d" % i) for i in range(1, 6)])
    a, b = table(**content), table(**content)
    plain = db.call(*WRITES[name](a))
    assert same(db.call(*with_id(WRITES[name](b), new_id())), plain)
    assert same(rows(db, b), rows(db, a))


def test_generated_keys_are_answered_again(db, other, table):
    t = table({"id": "int+", "n": "int"})
    request = ("insert", t, [{"n": 1}, {"n": 2}], {"request_id": new_id()})
    db.gives({"inserted": 2, "ids": [1, 2]}, *request)
    db.gives({"inserted": 1, "ids": [3]}, "insert", t, {"n": 3})
    other.gives({"inserted": 2, "ids": [1, 2]}, *request)
    db.gives(3, "count", t)


def test_what_happened_since_does_not_change_the_answer(db, t):
    request = ("delete_where", t, [">", "id", 3], {"returning": "rows", "request_id": new_id()})
    first = db.call(*request)
    assert first["deleted"] == 2
    db.call("insert", t, [{"id": 4, "n": 0}, {"id": 6, "n": 0}])
    db.gives(first, *request)
    db.gives(5, "count", t)


def test_values_of_every_type_come_back_as_they_were(db, table):
    t = table({"id": "int", "b": "bool", "f": "float", "d": "decimal(9,2)", "s": "text(20)", "x": "bytes", "w": "time"})
    row = {"id": -5, "b": False, "f": 0.1, "d": "12.30", "s": "ä\U0001f600 ", "x": b"\0\xff", "w": wire.time_of(2024, 2, 29, 1, 2, 3, 456789)}
    request = ("insert", t, row, {"returning": "rows", "request_id": new_id()})
    first = db.reply(db.send(*request, msgid=1))
    assert same(first.result["rows"], [list(row.values())])
    assert db.reply(db.send(*request, msgid=1)).raw == first.raw


@pytest.mark.parametrize("change", ["method", "parameter", "option", "table", "one more option"])
def test_another_request_of_the_same_id_is_refused(db, table, t, change):
    one = new_id()
    db.gives({"updated": 1}, "update_where", t, {"id": 1}, {"n": 5}, {"max_rows": 5, "request_id": one})
    before = rows(db, t)
    changed = {
        "method": ("delete_where", t, {"id": 1}, {"max_rows": 5}),
        "parameter": ("update_where", t, {"id": 1}, {"n": 6}, {"max_rows": 5}),
        "option": ("update_where", t, {"id": 1}, {"n": 5}, {"max_rows": 6}),
        "table": ("update_where", table({"id": "int", "n": "int"}), {"id": 1}, {"n": 5}, {"max_rows": 5}),
        "one more option": ("update_where", t, {"id": 1}, {"n": 5}, {"max_rows": 5, "dry_run": False}),
    }[change]
    db.refuses("id_reused", *changed[:-1], dict(changed[-1], request_id=one))
    assert same(rows(db, t), before)
    db.gives({"updated": 1}, "update_where", t, {"id": 1}, {"n": 5}, {"max_rows": 5, "request_id": one})


def test_the_same_request_in_another_encoding_is_the_same_request(db, t):
    one = new_id()
    db.gives({"deleted": 1}, "delete", t, 5, {"request_id": one})
    wide = b"\x94\xcc\x00\xce\x00\x00\x00\x63\xc4\x06delete\xdc\x00\x03" + b"\xd9" + bytes([len(t)]) + t.encode() + b"\xd3" + (5).to_bytes(8, "big")
    db.send_raw(wide + b"\xde\x00\x01" + pack("request_id") + pack(one))
    assert db.result(0x63) == {"deleted": 1}


def test_an_id_is_the_same_in_capitals(db, t):
    one = new_id()
    db.gives({"deleted": 1}, "delete", t, 5, {"request_id": one})
    db.gives({"deleted": 1}, "delete", t, 5, {"request_id": one.upper()})
    db.gives({"state": "applied", "result": {"deleted": 1}}, "outcome", one.upper())


@pytest.mark.parametrize("bad", ["", "x", "1", "7b0d61f486d74b9c9c3e2a4c2c1d9e01", "{7b0d61f4-86d7-4b9c-9c3e-2a4c2c1d9e01}",
                                 "7b0d61f4-86d7-4b9c-9c3e-2a4c2c1d9e0", "7b0d61f4-86d7-4b9c-9c3e-2a4c2c1d9e011", "7b0d61f4-86d7-4b9c-9c3e-2a4c2c1d9e0g",
                                 "7b0d61f4 86d7 4b9c 9c3e 2a4c2c1d9e01", "7b0d61f4-86d7-4b9c-9c3e-2a4c2c1d9e0\0", "7b0d61f-486d7-4b9c-9c3e-2a4c2c1d9e01"])
def test_what_is_no_uuid_is_refused(db, t, bad):
    before = rows(db, t)
    names = "invalid_text" if "\0" in bad else "bad_request"
    db.refuses(names, "delete_all", t, {"request_id": bad})
    db.refuses(names, "outcome", bad)
    assert same(rows(db, t), before)


def test_a_request_that_failed_has_not_used_up_its_id(db, t):
    one = new_id()
    db.refuses("conflict", "insert", t, {"id": 1}, {"request_id": one})
    db.refuses("unknown_column", "insert", t, {"nope": 1}, {"request_id": one})
    db.refuses("conflict", "insert", t, {"id": 1}, {"request_id": one})
    db.gives({"deleted": 1}, "delete", t, 1)
    db.gives({"inserted": 1}, "insert", t, {"id": 1}, {"request_id": one})
    db.gives({"inserted": 1}, "insert", t, {"id": 1}, {"request_id": one})
    db.gives(5, "count", t)


def test_an_atomic_that_failed_has_not_used_up_its_id(db, t):
    one = new_id()
    ops = [["insert", t, {"id": 50}], ["insert", t, {"id": 1}]]
    db.refuses("conflict", "atomic", ops, {"request_id": one}, index=1)
    db.gives({"deleted": 1}, "delete", t, 1)
    db.gives([{"inserted": 1}, {"inserted": 1}], "atomic", ops, {"request_id": one})
    db.gives([{"inserted": 1}, {"inserted": 1}], "atomic", ops, {"request_id": one})


def test_twice_in_one_pipeline_is_once(db, t):
    one = {"request_id": new_id()}
    got = db.results(db.send_many([("update", t, 1, {"n": ["+", ["col", "n"], 1]}, one)] * 20 + [("get", t, 1)]))
    assert got[:20] == [{"updated": 1}] * 20 and got[20]["n"] == 11


def test_at_the_same_moment_on_many_connections_is_once(rowd, db, t):
    ids = [new_id() for _ in range(10)]
    wrong = []

    def client():
        with rowd.client() as c:
            for one in ids:
                while True:
                    r = c.reply(c.send("update", t, 1, {"n": ["+", ["col", "n"], 1]}, {"request_id": one}))
                    if r.error is None or r.error[2]["name"] != "busy":
                        break
                if r.result != {"updated": 1}:
                    wrong.append(r)
    threads = [threading.Thread(target=client) for _ in range(6)]
    for x in threads:
        x.start()
    for x in threads:
        x.join()
    assert not wrong
    assert db.call("get", t, 1)["n"] == 10 + len(ids)


# ---- old ids ----

def test_an_id_older_than_what_is_remembered_is_told_so(db, t):
    old = id_of(now_ms() - 25 * HOUR)
    before = rows(db, t)
    db.refuses("id_expired", "delete_all", t, {"request_id": old})
    db.refuses("id_expired", "outcome", old)
    assert same(rows(db, t), before)


def test_a_young_id_that_tells_its_time_is_as_good_as_any(db, t):
    for i, age in enumerate((0, HOUR, 23 * HOUR, -HOUR)):
        one = id_of(now_ms() - age, tail=i)
        db.gives({"inserted": 1}, "insert", t, {"id": 100 + i}, {"request_id": one})
        db.gives({"inserted": 1}, "insert", t, {"id": 100 + i}, {"request_id": one})
        db.gives({"state": "applied", "result": {"inserted": 1}}, "outcome", one)


# ---- outcome ----

def test_outcome_tells_what_was_answered(db, other, t):
    one = new_id()
    got = db.call("delete_where", t, ["<", "id", 4], {"returning": "rows", "request_id": one})
    for c in (db, other):
        c.gives({"state": "applied", "result": got}, "outcome", one)
        c.gives({"state": "applied", "result": got}, "outcome", one)


def test_after_not_applied_the_request_never_applies(db, other, t):
    one = new_id()
    other.gives({"state": "not_applied"}, "outcome", one)
    db.refuses("id_fenced", "insert", t, {"id": 100}, {"request_id": one})
    db.refuses("id_fenced", "delete_all", t, {"request_id": one})
    db.refuses("id_fenced", "atomic", [["delete_all", t]], {"request_id": one})
    db.gives({"state": "not_applied"}, "outcome", one)
    db.gives(5, "count", t)


def test_the_outcome_of_a_request_that_failed_is_not_applied(db, t):
    one = new_id()
    db.refuses("conflict", "insert", t, {"id": 1}, {"request_id": one})
    db.gives({"state": "not_applied"}, "outcome", one)
    db.call("delete", t, 1)
    db.refuses("id_fenced", "insert", t, {"id": 1}, {"request_id": one})


def test_outcome_races_its_request_and_both_agree(rowd, t):
    """Whatever outcome says, it stays true."""
    a, b = rowd.client(), rowd.client()
    for i in range(60):
        one = new_id()
        sent = a.send("insert", t, {"id": 1000 + i}, {"request_id": one})
        while True:
            r = b.reply(b.send("outcome", one))
            if r.error is None:
                break
            assert r.error[2]["name"] == "busy", r.error
        answer = a.reply(sent)
        if answer.error and answer.error[2]["name"] == "busy":
            answer = a.reply(a.send("insert", t, {"id": 1000 + i}, {"request_id": one}))
        if r.result["state"] == "applied":
            assert answer.error is None
        else:
            assert answer.error[2]["name"] == "id_fenced"
        assert b.call("count", t, {"id": 1000 + i}) == (1 if answer.error is None else 0)
        assert b.call("outcome", one)["state"] == r.result["state"]
    a.close()
    b.close()


def test_outcome_is_no_part_of_a_transaction(db, other, t):
    """What it says must not be undone by a rollback."""
    one = new_id()
    db.call("begin")
    db.refuses("tx_open", "outcome", one)
    db.gives(True, "rollback")
    db.refuses("bad_request", "atomic", [["outcome", one]])
    other.gives({"inserted": 1}, "insert", t, {"id": 100}, {"request_id": one})


# ---- transactions ----

def test_inside_a_transaction_only_commit_carries_an_id(db, t):
    db.call("begin")
    db.refuses("bad_request", "delete_all", t, {"request_id": new_id()})
    db.refuses("tx_aborted", "count", t)
    db.gives(True, "rollback")
    db.refuses("bad_request", "atomic", [["delete_all", t, {"request_id": new_id()}]])
    db.gives(5, "count", t)


def test_a_commit_is_answered_again_on_another_connection(db, other, t):
    one = new_id()
    db.call("begin")
    db.call("insert", t, {"id": 100})
    db.gives(True, "commit", {"request_id": one})
    db.gives(True, "commit", {"request_id": one})
    other.gives(True, "commit", {"request_id": one})
    other.gives({"state": "applied", "result": True}, "outcome", one)
    db.gives(6, "count", t)


def test_the_commit_of_another_transaction_does_not_take_a_used_id(db, t):
    one = new_id()
    db.call("begin")
    db.call("insert", t, {"id": 100})
    db.gives(True, "commit", {"request_id": one})
    db.call("begin")
    db.call("insert", t, {"id": 101})
    db.refuses("id_reused", "commit", {"request_id": one})
    db.refuses("tx_none", "rollback")
    db.gives(6, "count", t)


def test_a_commit_that_never_was_is_told_so(db, t):
    one = new_id()
    db.refuses("tx_none", "commit", {"request_id": one})
    db.call("begin")
    db.call("insert", t, {"id": 100})
    db.gives(True, "rollback")
    db.refuses("tx_none", "commit", {"request_id": one})
    db.gives({"state": "not_applied"}, "outcome", one)


def test_a_fenced_commit_is_rolled_back(db, t):
    one = new_id()
    db.gives({"state": "not_applied"}, "outcome", one)
    db.call("begin")
    db.call("insert", t, {"id": 100})
    db.refuses("id_fenced", "commit", {"request_id": one})
    db.gives(5, "count", t)
    db.refuses("tx_none", "commit")


def test_the_commit_of_an_aborted_transaction_uses_up_no_id(db, t):
    one = new_id()
    db.call("begin")
    db.refuses("conflict", "insert", t, {"id": 1})
    db.refuses("tx_aborted", "commit", {"request_id": one})
    db.call("begin")
    db.call("insert", t, {"id": 100})
    db.gives(True, "commit", {"request_id": one})
    db.gives(6, "count", t)


def test_the_id_of_a_request_is_not_a_commits(db, t):
    one = new_id()
    db.call("delete", t, 1, {"request_id": one})
    db.refuses("id_reused", "commit", {"request_id": one})
    db.call("begin")
    db.refuses("id_reused", "commit", {"request_id": one})
    two = new_id()
    db.call("begin")
    db.gives(True, "commit", {"request_id": two})
    db.refuses("id_reused", "delete", t, 2, {"request_id": two})
    db.gives(4, "count", t)


# ---- where it is kept ----

def test_what_is_kept_is_nobodys_table(db, t):
    db.call("delete", t, 1, {"request_id": new_id()})
    assert not [n for n in db.call("tables") if n.startswith("_rowd")]
    db.refuses(("unknown_table", "schema_invalid", "denied"), "delete_all", "_rowd_requests")


def test_ids_are_remembered_across_restarts(rowd, table):
    with rowd.client() as c:
        t = table({"id": "int"}, rows=[(1,), (2,)])
        one, two, fenced = new_id(), new_id(), new_id()
        first = c.call("delete", t, 1, {"returning": "rows", "request_id": one})
        c.call("outcome", fenced)
        rowd.kill()
        rowd.start()
    with rowd.client() as c:
        c.gives(first, "delete", t, 1, {"returning": "rows", "request_id": one})
        c.refuses("id_fenced", "delete", t, 2, {"request_id": fenced})
        c.gives({"deleted": 1}, "delete", t, 2, {"request_id": two})


def test_an_answer_too_long_to_be_kept_is_refused_before_it_applies(db, table):
    t = table({"id": "int", "s": "text"}, rows=[(i, "x" * 1000000) for i in range(9)])
    one = new_id()
    with pytest.raises(Failure) as e:
        db.call("delete_where", t, [">=", "id", 0], {"returning": "rows", "request_id": one})
    assert e.value.name == "limit" and e.value.outcome == "not_applied"
    db.gives(9, "count", t)
    db.gives({"deleted": 9}, "delete_where", t, [">=", "id", 0], {"request_id": one})
