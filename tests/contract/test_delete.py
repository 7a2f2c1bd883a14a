"""delete, delete_where, delete_all: exact, bounded, and what was deleted."""
import random

import pytest

from lib.schema import foreign_key

ROWS = [(1, "a", 5), (2, "b", None), (3, "a", 3), (4, None, 5), (5, "c", 1), (6, "a", 4)]


@pytest.fixture
def t(table):
    return table({"id": "int", "s": "text(5)", "n": "int"}, rows=ROWS)


def left(db, t):
    return [r[0] for r in db.call("select", t, {"columns": ["id"]})["rows"]]


def test_delete_takes_one_row_by_key(db, t):
    db.gives({"deleted": 1}, "delete", t, 3)
    db.gives({"deleted": 0}, "delete", t, 3)
    db.gives({"deleted": 0}, "delete", t, 99)
    assert left(db, t) == [1, 2, 4, 5, 6]
    db.refuses("type_mismatch", "delete", t, "1")
    db.refuses("null_not_allowed", "delete", t, None)
    db.refuses(("bad_request", "type_mismatch"), "delete", t, {"id": 1})
    db.refuses("bad_request", "delete", t, [1, 2])
    assert left(db, t) == [1, 2, 4, 5, 6]


def test_delete_by_composite_key(db, table):
    t = table({"a": "int", "b": "text(3)"}, key=["b", "a"], rows=[(1, "x"), (2, "x"), (1, "y")])
    db.gives({"deleted": 1}, "delete", t, ["x", 1])
    db.gives({"deleted": 1, "columns": ["b", "a"], "rows": [["y", 1]]}, "delete", t, ["y", 1], {"returning": "keys"})
    db.gives({"columns": ["a", "b"], "rows": [[2, "x"]], "more": False}, "select", t)


def test_delete_returning(db, t):
    db.gives({"deleted": 1, "columns": ["id", "s", "n"], "rows": [[1, "a", 5]]}, "delete", t, 1, {"returning": "rows"})
    db.gives({"deleted": 0, "columns": ["id", "s", "n"], "rows": []}, "delete", t, 1, {"returning": "rows"})
    db.gives({"deleted": 1, "columns": ["n"], "rows": [[None]]}, "delete", t, 2, {"returning": ["n"]})
    db.refuses("unknown_column", "delete", t, 3, {"returning": ["x"]}, column="x")
    assert left(db, t) == [3, 4, 5, 6]


def test_delete_where_takes_exactly_what_matches(db, t):
    db.gives({"deleted": 3}, "delete_where", t, {"s": "a"})
    assert left(db, t) == [2, 4, 5]
    db.gives({"deleted": 0}, "delete_where", t, {"s": "a"})
    db.gives({"deleted": 1}, "delete_where", t, ["<", "n", 5], {})
    db.gives({"deleted": 2}, "delete_where", t, ["not_null", "id"])
    db.gives(0, "count", t)


def test_limit_takes_the_first_by_order_then_key(db, t):
    db.gives({"deleted": 2, "columns": ["id"], "rows": [[1], [2]]}, "delete_where", t, ["not_null", "id"], {"limit": 2, "returning": "keys"})
    db.gives({"deleted": 1, "columns": ["id"], "rows": [[4]]}, "delete_where", t, ["not_null", "id"],
             {"limit": 1, "order": ["-n"], "returning": "keys"})
    db.gives({"deleted": 1, "columns": ["id"], "rows": [[5]]}, "delete_where", t, ["not_null", "id"],
             {"limit": 1, "order": ["n"], "returning": "keys"})
    db.gives({"deleted": 0}, "delete_where", t, {"s": "a"}, {"limit": 0})
    db.gives({"deleted": 2}, "delete_where", t, {"s": "a"}, {"limit": 100})
    assert left(db, t) == []


@pytest.mark.parametrize("order,expected", [
    (["s"], [[1], [4]]), (["-s"], [[2], [5]]), (["s nulls last"], [[1], [3]]), (["n"], [[2], [5]]), (["-n"], [[1], [4]]), (["-n", "-id"], [[1], [4]]),
    (["-n nulls first"], [[1], [2]]), (["n nulls last"], [[3], [5]]), (["s nulls last", "-id"], [[3], [6]]), (["-id"], [[5], [6]])])
def test_order_decides_which_and_the_key_how_they_are_told(db, t, order, expected):
    db.gives({"matched": 2}, "delete_where", t, ["not_null", "id"], {"limit": 2, "order": order, "dry_run": True})
    db.gives({"deleted": 2, "columns": ["id"], "rows": expected}, "delete_where", t, ["not_null", "id"],
             {"limit": 2, "order": order, "returning": "keys"})
    assert left(db, t) == [i for i in range(1, 7) if [i] not in expected]


def test_order_without_limit_is_refused(db, t):
    db.refuses("bad_request", "delete_where", t, {"s": "a"}, {"order": ["id"]})
    db.refuses("unknown_column", "delete_where", t, {"s": "a"}, {"order": ["x"], "limit": 1}, column="x")
    assert len(left(db, t)) == 6


def test_returning_tells_what_is_gone_in_key_order(db, table):
    t = table({"id": "int", "s": "text(5)"}, rows=[(5, "e"), (3, "c"), (1, "a"), (4, "d"), (2, "b")])
    db.gives({"deleted": 3, "columns": ["id", "s"], "rows": [[1, "a"], [3, "c"], [5, "e"]]}, "delete_where", t,
             ["in", "id", [5, 1, 3, 77]], {"returning": "rows"})
    db.gives({"deleted": 0, "columns": ["id"], "rows": []}, "delete_where", t, {"id": 1}, {"returning": "keys"})
    db.gives({"deleted": 2, "columns": ["s", "id"], "rows": [["b", 2], ["d", 4]]}, "delete_where", t, ["not_null", "s"],
             {"returning": ["s", "id"]})
    for bad in ("all", [], 5, ["id", "id"], True):
        db.refuses("bad_request", "delete_where", t, {"id": 1}, {"returning": bad})


def test_returning_many_rows(db, table):
    t = table({"id": "int", "s": "text(10)"}, rows=[(i, "r%d" % i) for i in range(3000)])
    got = db.call("delete_where", t, [">=", "id", 500], {"returning": "rows"})
    assert got["deleted"] == 2500 and got["rows"] == [[i, "r%d" % i] for i in range(500, 3000)]
    db.gives(500, "count", t)


def test_returning_past_the_reply_limit_is_refused_and_nothing_deleted(db, table):
    t = table({"id": "int"}, rows=[(i,) for i in range(10001)])
    db.refuses("limit", "delete_where", t, [">=", "id", 0], {"returning": "keys"}, limit=10000)
    db.gives(10001, "count", t)
    db.gives({"deleted": 10001}, "delete_where", t, [">=", "id", 0])


def test_max_rows_guards(db, t):
    f = db.refuses("too_many_rows", "delete_where", t, {"s": "a"}, {"max_rows": 2}, matched=3)
    assert f.outcome == "not_applied" and f.details["matched"] == 3
    db.refuses("too_many_rows", "delete_all", t, {"max_rows": 5}, matched=6)
    db.refuses("too_many_rows", "delete_where", t, {"s": "a"}, {"max_rows": 0}, matched=3)
    assert len(left(db, t)) == 6
    db.gives({"deleted": 3}, "delete_where", t, {"s": "a"}, {"max_rows": 3})
    db.gives({"deleted": 0}, "delete_where", t, {"s": "a"}, {"max_rows": 0})
    db.gives({"deleted": 3}, "delete_all", t, {"max_rows": 3})


def test_dry_run_deletes_nothing(db, t):
    db.gives({"matched": 3}, "delete_where", t, {"s": "a"}, {"dry_run": True})
    db.gives({"matched": 2}, "delete_where", t, {"s": "a"}, {"dry_run": True, "limit": 2})
    db.gives({"matched": 0}, "delete_where", t, {"s": "zz"}, {"dry_run": True})
    db.gives({"matched": 6}, "delete_all", t, {"dry_run": True})
    assert len(left(db, t)) == 6
    db.gives({"deleted": 3}, "delete_where", t, {"s": "a"}, {"dry_run": False})


def test_delete_all_takes_every_row(db, t):
    db.gives({"deleted": 6}, "delete_all", t)
    db.gives({"deleted": 0}, "delete_all", t)
    assert left(db, t) == []
    db.refuses("bad_request", "delete_all", t, {"limit": 1})
    db.refuses("bad_request", "delete_all", t, {"s": "a"})
    db.refuses("bad_request", "delete_all", t, ["=", "s", "a"])


def test_lists_of_a_hundred_thousand_values(db, table):
    t = table({"id": "int", "n": "int"})
    for k in range(0, 3000, 1000):
        db.call("insert", t, [{"id": i * 7, "n": i} for i in range(k, k + 1000)])
    wanted = list(range(0, 100000))
    random.Random(1).shuffle(wanted)
    inside = len([i for i in range(3000) if i * 7 < 100000])
    db.gives(inside, "count", t, ["in", "id", wanted])
    db.gives({"deleted": 3000 - 1500}, "delete_where", t, ["not_in", "id", list(range(10500))])
    db.gives({"deleted": 1000}, "delete_where", t, ["in", "id", [i * 7 for i in range(1000)] * 2 + [-i - 1 for i in range(100000)]])
    assert left(db, t) == [i * 7 for i in range(1000, 1500)]


def test_lists_of_every_type(db, table):
    t = table({"id": "int", "s": "text(12)", "b": "bytes(8)", "f": "float", "d": "decimal(12,3)"},
              rows=[(i, "s%d" % i, b"b%d" % i, i / 4, "%d.125" % i) for i in range(300)])
    for column, make in (("s", lambda i: "s%d" % i), ("b", lambda i: b"b%d" % i), ("f", lambda i: i / 4), ("d", lambda i: "%d.125" % i)):
        db.gives(100, "count", t, ["in", column, [make(i) for i in range(200, 5000)]])
        db.gives(200, "count", t, ["not_in", column, [make(i) for i in range(200, 5000)]])
    db.gives({"deleted": 250}, "delete_where", t, ["and", ["in", "s", ["s%d" % i for i in range(50, 5000)]],
                                                   ["not_in", "d", ["%d.125" % i for i in range(1000, 2000)]]])


@pytest.fixture
def family(table):
    """parent <- child (cascade) <- grandchild (cascade); parent <- note (set_null)."""
    p = table({"id": "int", "s": "text(5)"}, rows=[(1, "a"), (2, "a"), (3, "b")])
    c = table({"id": "int", "p": "int"}, foreign_keys=[foreign_key(["p"], p, on_delete="cascade")],
              rows=[(10, 1), (11, 1), (12, 2), (13, None)])
    g = table({"id": "int", "c": "int"}, foreign_keys=[foreign_key(["c"], c, on_delete="cascade")],
              rows=[(100, 10), (101, 10), (102, 12), (103, 13)])
    return p, c, g


def test_cascaded_counts_the_rows_of_child_tables(db, family):
    p, c, g = family
    db.gives({"matched": 1, "cascaded": {c: 2, g: 2}}, "delete_where", p, {"id": 1}, {"dry_run": True, "cascaded": True})
    db.gives({"matched": 3, "cascaded": {c: 3, g: 3}}, "delete_all", p, {"dry_run": True, "cascaded": True})
    db.gives(3, "count", p)
    db.gives({"deleted": 1, "cascaded": {c: 2, g: 2}}, "delete", p, 1, {"cascaded": True})
    db.gives(2, "count", c)
    db.gives({"deleted": 1, "columns": ["id"], "rows": [[2]], "cascaded": {c: 1, g: 1}}, "delete_where", p, {"s": "a"},
             {"cascaded": True, "returning": "keys"})
    db.gives({"columns": ["id", "p"], "rows": [[13, None]], "more": False}, "select", c)
    db.gives({"columns": ["id", "c"], "rows": [[103, 13]], "more": False}, "select", g)


def test_counts_leave_out_what_was_cascaded(db, family):
    p, c, g = family
    db.gives({"deleted": 2}, "delete_where", p, {"s": "a"})
    db.gives({"deleted": 1}, "delete_all", p)
    db.gives(1, "count", c)


def test_token_belongs_to_preview_delete(db, t):
    db.refuses("preview_stale", "delete_where", t, {"s": "a"}, {"token": "no such token"})
    db.gives(6, "count", t)


def test_preview_tells_what_would_go(db, family):
    p, c, g = family
    got = db.call("preview_delete", p, {"s": "a"})
    assert list(got) == ["matched", "cascades", "blocked_by", "index", "full_scan", "token"]
    assert got["matched"] == 2 and got["cascades"] == {c: 3, g: 3} and got["blocked_by"] == []
    assert got["index"] is None and got["full_scan"] is True and isinstance(got["token"], str)
    assert db.call("preview_delete", p, {"id": 1})["index"] == ["id"]
    db.gives(3, "count", p)
    for bad, name in (({}, "empty_filter"), ({"x": 1}, "unknown_column"), ({"id": "1"}, "type_mismatch"), (5, "bad_request")):
        db.refuses(name, "preview_delete", p, bad)


def test_preview_tells_who_stands_in_the_way(db, table, family):
    p, c, _ = family
    r = table({"id": "int", "c": "int"}, foreign_keys=[foreign_key(["c"], c)], rows=[(1, 10)])
    assert db.call("preview_delete", p, {"id": 1})["blocked_by"] == [r]
    assert db.call("preview_delete", p, {"id": 2})["blocked_by"] == []
    db.refuses("foreign_key", "delete", p, 1, table=r)


def test_a_token_deletes_what_was_shown_or_nothing(db, other, family):
    p, c, _ = family
    token = db.call("preview_delete", p, {"s": "a"})["token"]
    assert db.call("preview_delete", p, {"s": "a"})["token"] == token
    other.call("insert", p, {"id": 9, "s": "a"})
    db.refuses("preview_stale", "delete_where", p, {"s": "a"}, {"token": token}, table=p)
    other.call("delete", p, 9)
    other.call("update", c, 13, {"p": 1})
    db.refuses("preview_stale", "delete_where", p, {"s": "a"}, {"token": token})
    other.call("update", c, 13, {"p": None})
    db.refuses("preview_stale", "delete_where", p, {"id": 1}, {"token": token})
    db.refuses("preview_stale", "delete_where", p, {"s": "a"}, {"token": token[:-1]})
    db.refuses("bad_request", "delete_where", p, {"s": "a"}, {"token": token, "limit": 5})
    db.gives(3, "count", p)
    db.gives({"deleted": 2, "columns": ["id"], "rows": [[1], [2]]}, "delete_where", p, {"s": "a"}, {"token": token, "returning": "keys"})
    db.refuses("preview_stale", "delete_where", p, {"s": "a"}, {"token": token})


def test_deletes_of_nothing_known(db, t):
    for call in (["delete", "nope", 1], ["delete_where", "nope", {"id": 1}], ["delete_all", "nope"]):
        db.refuses("unknown_table", *call, table="nope")
    db.refuses("bad_request", "delete_where", t)
    db.refuses("bad_request", "delete", t)
    db.refuses("empty_filter", "delete_where", t, {})
    db.refuses("empty_filter", "delete_where", t, {}, {})
    db.gives(6, "count", t)
