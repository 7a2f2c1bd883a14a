"""What many clients send at the same moment may be carried out together: each is answered as if it had been alone."""
import random

import pytest

from lib.wire import until

CLIENTS = 40
ROUNDS = 12


@pytest.fixture
def many(rowd):
    clients = [rowd.client() for _ in range(CLIENTS)]
    yield clients
    for c in clients:
        c.close()


def at_once(many, requests):
    """One request from each client, sent before any answer is read. -> their replies"""
    sent = [(c, c.send(*request)) for c, request in zip(many, requests)]
    return [c.reply(msgid) for c, msgid in sent]


def outcome(reply):
    return ("error", reply.error[2]["name"]) if reply.error is not None else ("result", reply.result)


KEYS = {
    "int": [0, 1, -1, 7, 2**63 - 1, -2**63, 4],
    "text(20)": ["", "a", "A", "a ", " a", "\u00e4", "a\u0308", "z" * 20, "'; --"],
    "bytes(20)": [b"", b"\x00", b"a", b"A", b"a\x00", b"\xff" * 20],
}


@pytest.mark.parametrize("kind", KEYS)
def test_gets_at_once_are_answered_as_alone(db, table, many, kind):
    keys = KEYS[kind]
    t = table({"id": kind + "!", "n": "int", "s": "text(10)"}, rows=[(k, i, "row %d" % i) for i, k in enumerate(keys[:-2])])
    u = table({"id": "int", "s": "text(5)"}, rows=[(1, "one")])
    strange = [("get", t, None), ("get", t, [1, 2]), ("get", t, 1.5), ("get", "nowhere", 1), ("get", u, 1), ("get", u, 2),
               ("get", t), ("get", t, keys[0], {"nope": 1}), ("get", t, [keys[0]])]
    alone = {i: outcome(db.reply(db.send(*r))) for i, r in enumerate(strange)}
    rows = {i: db.call("get", t, k) for i, k in enumerate(keys)}
    assert [i for i in rows if rows[i] is None] == [len(keys) - 2, len(keys) - 1]
    dice = random.Random(1)
    for _ in range(ROUNDS):
        asked = [dice.randrange(len(keys) + len(strange) // 3) for _ in many]
        asked = [i if i < len(keys) else len(keys) + dice.randrange(len(strange)) for i in asked]
        replies = at_once(many, [("get", t, keys[i]) if i < len(keys) else strange[i - len(keys)] for i in asked])
        for i, r in zip(asked, replies):
            assert outcome(r) == (("result", rows[i]) if i < len(keys) else alone[i - len(keys)])


def test_deletes_at_once_take_each_row_once(db, table, many):
    t = table({"id": "int", "n": "int"})
    for turn in range(ROUNDS):
        db.call("insert", t, [{"id": i, "n": i} for i in range(20)])
        dice = random.Random(turn)
        asked = [dice.randrange(30) for _ in many]
        replies = at_once(many, [("delete", t, i) for i in asked])
        assert all(r.error is None and list(r.result) == ["deleted"] for r in replies)
        for i in set(asked):
            took = sum(r.result["deleted"] for a, r in zip(asked, replies) if a == i)
            assert took == (1 if i < 20 else 0)
        left = [r[0] for r in db.call("select", t, {"columns": ["id"]})["rows"]]
        assert left == [i for i in range(20) if i not in asked]
        db.call("delete_all", t)


def test_writes_at_once_fail_each_by_itself(db, table, many):
    """Inserts of which some conflict, updates that go out of range, deletes that a child forbids, bad requests."""
    p = table({"id": "int", "n": "int"})
    child = table({"id": "int", "p": "int"},
                  foreign_keys=[{"columns": ["p"], "table": p, "references": ["id"], "on_delete": "restrict"}])
    db.call("insert", p, [{"id": i, "n": 2**63 - 1 if i == 3 else 0} for i in range(10)])
    db.call("insert", child, {"id": 1, "p": 5})
    expected = {
        ("insert", p, ("id", 4)): ("error", "conflict"),
        ("update", p, 3): ("error", "out_of_range"),
        ("delete", p, 5): ("error", "foreign_key"),
        ("delete", p, "x"): ("error", "type_mismatch"),
        ("update", p, 77): ("result", {"updated": 0}),
    }
    up = {"n": ["+", ["col", "n"], 1]}
    next_id, ups = 100, 0
    for turn in range(ROUNDS):
        dice = random.Random(turn)
        requests, due = [], []
        for _ in many:
            what = dice.randrange(8)
            if what < 2:
                requests.append(("insert", p, {"id": next_id, "n": turn}))
                due.append(("result", {"inserted": 1}))
                next_id += 1
            elif what == 2:
                requests.append(("update", p, 1, up))
                due.append(("result", {"updated": 1}))
                ups += 1
            else:
                name, t, key = list(expected)[what - 3]
                requests.append((name, t, {"id": 4, "n": 1}) if name == "insert" else
                                (name, t, key, up) if name == "update" else (name, t, key))
                due.append(expected[name, t, key])
        assert [outcome(r) for r in at_once(many, requests)] == due
    db.gives({"id": 1, "n": ups}, "get", p, 1)
    db.gives(10 + next_id - 100, "count", p)
    db.gives({"id": 5, "n": 0}, "get", p, 5)


def test_a_lock_holds_up_nobody_else_for_long(backend, db, other, table, many):
    """One of those that came together waits for a transaction's row; the others are answered meanwhile."""
    if backend.name == "sqlite":
        pytest.skip("a transaction that writes is alone")
    t = table({"id": "int", "n": "int"}, rows=[(i, 0) for i in range(CLIENTS)])
    other.call("begin")
    other.call("update", t, 3, {"n": 1})
    sent = [(i, c, c.send("delete", t, i)) for i, c in enumerate(many)]
    for i, c, msgid in sent:
        if i != 3:
            assert c.result(msgid) == {"deleted": 1}
    assert db.call("count", t) == 1
    other.call("commit")
    assert many[3].result(sent[3][2]) == {"deleted": 1}
    until(lambda: db.call("count", t) == 0, "nothing left")


def test_nobody_waits_for_those_who_wait_for_locks(backend, db, other, table, many):
    """Each by itself, for a transaction's row, as long as it takes."""
    if backend.name == "sqlite":
        pytest.skip("a transaction that writes is alone")
    stuck = 4
    t = table({"id": "int", "n": "int"}, rows=[(i, 0) for i in range(CLIENTS)])

    def waiting():
        return int(backend.sql("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'")[0][1])

    other.call("begin")
    for i in range(stuck):
        other.call("update", t, i, {"n": 1})
    sent = []
    for i in range(stuck):
        sent.append(many[i].send("delete", t, i))
        until(lambda: waiting() == i + 1, "the lock to be waited for")
    for i in range(stuck, CLIENTS):
        assert many[i].call("get", t, i) == {"id": i, "n": 0}
    assert [r.error for r in at_once(many[stuck:], [("delete", t, i) for i in range(stuck, CLIENTS)])] == [None] * (CLIENTS - stuck)
    assert waiting() == stuck
    other.call("commit")
    for c, msgid in zip(many, sent):
        assert c.result(msgid) == {"deleted": 1}
    assert db.call("count", t) == 0


def test_one_who_may_not_is_refused_beside_those_who_may(db, table, many):
    """Rows that were read before are not shown to whoever asks for another table's."""
    t = table({"id": "int", "s": "text(5)"}, rows=[(1, "a"), (2, "b")])
    requests = [("get", t if i % 3 else "_rowd_requests", 1 + i % 2) for i in range(len(many))]
    for request, r in zip(requests, at_once(many, requests)):
        if request[1] == t:
            assert r.result == {"id": request[2], "s": "a" if request[2] == 1 else "b"}
        else:
            assert r.error[2]["name"] == "unknown_table"
