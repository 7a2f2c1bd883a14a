"""Reads: get, select in a total order, count, exists."""
import random

import pytest

from lib import model
from lib.wire import time_of

ROWS = [(1, "b", 3), (2, "a", None), (3, None, 1), (4, "a", 1), (5, "b", None), (6, None, None), (7, "ab", 3)]


@pytest.fixture
def t(table):
    return table({"id": "int", "s": "text(5)", "n": "int"}, rows=ROWS)


def answer(rows, columns=("id", "s", "n"), more=False):
    return {"columns": list(columns), "rows": [list(r) for r in rows], "more": more}


def ids(*which, more=False):
    return {"columns": ["id"], "rows": [[i] for i in which], "more": more}


def test_get_answers_the_row_as_a_map_or_nil(db, t):
    db.gives({"id": 1, "s": "b", "n": 3}, "get", t, 1)
    db.gives({"id": 6, "s": None, "n": None}, "get", t, 6)
    db.gives(None, "get", t, 99)
    db.gives({"id": 1, "s": "b", "n": 3}, "get", t, [1])
    for bad, name in [("1", "type_mismatch"), (1.0, "type_mismatch"), (None, "null_not_allowed"), (2**63, "out_of_range")]:
        db.refuses(name, "get", t, bad)
    for bad in ([], [1, 2], {"id": 1}, [[1]]):
        db.refuses(("bad_request", "type_mismatch"), "get", t, bad)


def test_get_by_a_composite_key(db, table):
    t = table({"a": "int", "b": "text(3)", "c": "int"}, key=["b", "a"], rows=[(1, "x", 5), (2, "x", 6), (1, "y", 7)])
    db.gives({"a": 2, "b": "x", "c": 6}, "get", t, ["x", 2])
    db.gives(None, "get", t, ["y", 2])
    for bad in ("x", ["x"], ["x", 1, 1], []):
        db.refuses(("bad_request", "type_mismatch"), "get", t, bad)
    db.refuses("type_mismatch", "get", t, [2, "x"])
    db.refuses("null_not_allowed", "get", t, ["x", None])


def test_select_answers_every_row_by_primary_key(db, t):
    db.gives(answer(ROWS), "select", t)
    db.gives(answer(ROWS), "select", t, {})
    db.gives(answer([(r[2], r[0]) for r in ROWS], ["n", "id"]), "select", t, {"columns": ["n", "id"]})
    db.gives(answer([]), "select", t, {"where": {"id": 99}})
    db.gives(answer([(r[1],) for r in ROWS], ["s"]), "select", t, {"columns": ["s"]})


def test_columns_must_be_of_the_table(db, t):
    db.refuses("unknown_column", "select", t, {"columns": ["nope"]}, column="nope")
    db.refuses("unknown_column", "select", t, {"columns": ["*"]}, column="*")
    db.refuses("unknown_column", "select", t, {"columns": ["count(*)"]})
    db.refuses("unknown_column", "select", t, {"order": ["nope"]}, column="nope")
    db.refuses(("unknown_column", "bad_request"), "select", t, {"order": ["id desc"]})
    db.refuses("bad_request", "select", t, {"columns": []})
    db.refuses("bad_request", "select", t, {"columns": ["id", "id"]})
    db.refuses("bad_request", "select", t, {"columns": "id"})
    db.refuses("bad_request", "select", t, {"columns": [5]})
    db.refuses("bad_request", "select", t, {"order": "id"})


ORDERS = [
    (["id"], [1, 2, 3, 4, 5, 6, 7]), (["-id"], [7, 6, 5, 4, 3, 2, 1]),
    (["s"], [3, 6, 2, 4, 7, 1, 5]), (["-s"], [1, 5, 7, 2, 4, 3, 6]),
    (["s nulls last"], [2, 4, 7, 1, 5, 3, 6]), (["-s nulls first"], [3, 6, 1, 5, 7, 2, 4]),
    (["s nulls first"], [3, 6, 2, 4, 7, 1, 5]), (["-s nulls last"], [1, 5, 7, 2, 4, 3, 6]),
    (["n"], [2, 5, 6, 3, 4, 1, 7]), (["n", "-id"], [6, 5, 2, 4, 3, 7, 1]), (["s", "n"], [6, 3, 2, 4, 7, 5, 1]),
    (["s", "-n"], [3, 6, 4, 2, 7, 1, 5]), (["-n", "s"], [7, 1, 3, 4, 6, 2, 5]),
    (["n nulls last", "s nulls last"], [4, 3, 7, 1, 2, 5, 6]), (["-s", "n nulls last"], [1, 5, 7, 4, 2, 3, 6]),
]


@pytest.mark.parametrize("order,expected", [pytest.param(*o, id=" ".join(o[0])) for o in ORDERS])
def test_rows_come_in_a_total_order(db, t, order, expected):
    db.gives(ids(*expected), "select", t, {"columns": ["id"], "order": order})
    for n in range(len(ROWS) + 2):
        db.gives(ids(*expected[:n], more=n < len(ROWS)), "select", t, {"columns": ["id"], "order": order, "limit": n})
        db.gives(ids(*expected[n:]), "select", t, {"columns": ["id"], "order": order, "offset": n})
    db.gives(ids(*expected[2:5], more=True), "select", t, {"columns": ["id"], "order": order, "offset": 2, "limit": 3})


@pytest.mark.parametrize("order,expected", [pytest.param(*o, id=" ".join(o[0])) for o in ORDERS])
def test_after_goes_on_behind_any_row(db, t, order, expected):
    by_id = {r[0]: dict(zip(("id", "s", "n"), r)) for r in ROWS}
    names = [o.lstrip("-").split(" ")[0] for o in order]
    for i, row_id in enumerate(expected):
        after = [by_id[row_id][n] for n in names] + [row_id]
        db.gives(ids(*expected[i + 1:]), "select", t, {"columns": ["id"], "order": order, "after": after})
        db.gives(ids(*expected[i + 1:i + 3], more=i + 3 < len(expected)), "select", t,
                 {"columns": ["id"], "order": order, "after": after, "limit": 2})


def test_after_without_order_is_the_key(db, t, table):
    db.gives(ids(4, 5, 6, 7), "select", t, {"columns": ["id"], "after": [3]})
    db.gives(ids(4, 7), "select", t, {"columns": ["id"], "after": [3], "where": ["in", "s", ["a", "ab"]]})
    db.gives(ids(1, 2), "select", t, {"columns": ["id"], "after": [0], "where": ["<", "id", 3]})
    db.gives(ids(), "select", t, {"columns": ["id"], "after": [7]})
    for bad in ([], [1, 2], ["x"], [None], [[1]]):
        db.refuses(("bad_request", "type_mismatch", "null_not_allowed"), "select", t, {"after": bad})
    db.refuses("bad_request", "select", t, {"after": 3})
    c = table({"a": "int", "b": "int"}, key=["b", "a"], rows=[(1, 1), (2, 1), (1, 2), (2, 2)])
    db.gives({"columns": ["a", "b"], "rows": [[1, 2], [2, 2]], "more": False}, "select", c, {"after": [1, 2]})
    db.gives({"columns": ["a", "b"], "rows": [[2, 1], [2, 2]], "more": False}, "select", c,
             {"order": ["a"], "after": [1, 2, 1]})


def test_a_page_never_misses_or_repeats_a_row(db, table):
    r = random.Random(5)
    t = table({"id": "int", "s": "text(3)", "f": "float", "d": "decimal(4,1)", "w": "time", "y": "bytes(2)", "b": "bool"})
    rows = [{"id": i, "s": r.choice([None, "", "a", "b", "é"]), "f": r.choice([None, -1.5, 0.0, 2.0]),
             "d": r.choice([None, "-1.0", "0.5"]), "w": r.choice([None, time_of(1), time_of(2024)]),
             "y": r.choice([None, b"", b"\0", b"\xff"]), "b": r.choice([None, True, False])} for i in range(60)]
    db.call("insert", t, rows)
    for trial in range(25):
        terms = r.sample(["s", "f", "d", "w", "y", "b"], r.randint(1, 4))
        order = [r.choice(["", "-"]) + n + r.choice(["", " nulls first", " nulls last"]) for n in terms]
        seen, after = [], None
        while True:
            options = {"order": order, "limit": r.randint(1, 13), "columns": terms + ["id"]}
            if after is not None:
                options["after"] = after
            page = db.call("select", t, options)
            seen += page["rows"]
            if not page["more"]:
                break
            after = seen[-1]
        whole = db.call("select", t, {"order": order, "columns": terms + ["id"]})["rows"]
        assert len(seen) == 60 and [x[-1] for x in seen] == [x[-1] for x in whole], order


def test_an_order_names_a_column_once_and_only_what_can_be_ordered(db, t, table):
    db.refuses("bad_request", "select", t, {"order": ["s", "-s"]})
    db.refuses("bad_request", "select", t, {"order": []})
    for bad in ("", "-", "--s", "s nulls", "s nulls never", "s NULLS LAST", " s", "s  nulls last"):
        db.refuses(("bad_request", "unknown_column"), "select", t, {"order": [bad]})
    u = table({"id": "int", "x": "text", "y": "bytes"})
    db.refuses(("unsupported", "bad_request", "not_portable"), "select", u, {"order": ["x"]})
    db.refuses(("unsupported", "bad_request", "not_portable"), "select", u, {"order": ["-y"]})


def test_more_says_whether_rows_were_left(db, t):
    db.gives(answer(ROWS[:3], more=True), "select", t, {"limit": 3})
    db.gives(answer(ROWS), "select", t, {"limit": 7})
    db.gives(answer(ROWS[:6], more=True), "select", t, {"limit": 6})
    db.gives(answer([], more=True), "select", t, {"limit": 0})
    db.gives(answer([]), "select", t, {"limit": 0, "where": {"id": 99}})
    db.gives(answer([]), "select", t, {"offset": 7})
    db.gives(answer([]), "select", t, {"offset": 2**62})
    db.gives(answer(ROWS), "select", t, {"limit": 10000})


def test_limits_are_counts(db, t):
    db.refuses("limit", "select", t, {"limit": 10001}, limit=10000)
    db.refuses("limit", "select", t, {"limit": 2**63 - 1}, limit=10000)
    for bad in (-1, 1.0, "1", True, [1]):
        db.refuses("bad_request", "select", t, {"limit": bad})
        db.refuses("bad_request", "select", t, {"offset": bad})


def test_ten_thousand_rows_are_the_most_in_one_reply(db, table):
    t = table({"id": "int"})
    db.gives({"inserted": 10001}, "insert", t, [{"id": i} for i in range(10001)])
    got = db.call("select", t)
    assert len(got["rows"]) == 10000 and got["more"] is True and got["rows"][-1] == [9999]
    got = db.call("select", t, {"where": ["<", "id", 10000]})
    assert len(got["rows"]) == 10000 and got["more"] is False
    db.gives(ids(10000), "select", t, {"after": [9999]})
    db.gives(10001, "count", t)


def test_a_reply_of_16_mib_ends_earlier_with_more(db, table):
    t = table({"id": "int", "v": "bytes"})
    for i in range(6):
        db.call("insert", t, {"id": i, "v": bytes([i]) * (5 << 20)})
    seen, after = [], None
    while True:
        got = db.call("select", t, {"after": after} if after else {})
        assert got["rows"], "a page without a row leads nowhere"
        assert sum(len(r[1]) for r in got["rows"]) <= 16 << 20
        seen += [(r[0], r[1][:1], len(r[1])) for r in got["rows"]]
        if not got["more"]:
            break
        after = [seen[-1][0]]
    assert seen == [(i, bytes([i]), 5 << 20) for i in range(6)]


def test_distinct_answers_each_row_once_in_its_own_order(db, t):
    db.gives(answer([(None,), ("a",), ("ab",), ("b",)], ["s"]), "select", t, {"columns": ["s"], "distinct": True})
    db.gives(answer([("b",), ("ab",), ("a",), (None,)], ["s"]), "select", t,
             {"columns": ["s"], "distinct": True, "order": ["-s"]})
    db.gives(answer([(None,), (1,), (3,)], ["n"]), "select", t, {"columns": ["n"], "distinct": True})
    db.gives(answer([(1,), (3,), (None,)], ["n"]), "select", t, {"columns": ["n"], "distinct": True, "order": ["n nulls last"]})
    db.gives(answer([(None, None), (None, "a"), (None, "b"), (1, None), (1, "a"), (3, "ab"), (3, "b")], ["n", "s"]),
             "select", t, {"columns": ["n", "s"], "distinct": True})
    db.gives(answer([(None,), ("a",)], ["s"], more=True), "select", t, {"columns": ["s"], "distinct": True, "limit": 2})
    db.gives(answer([("ab",), ("b",)], ["s"]), "select", t, {"columns": ["s"], "distinct": True, "offset": 2})
    db.gives(answer([("a",)], ["s"]), "select", t, {"columns": ["s"], "distinct": True, "where": {"n": 1, "s": "a"}})
    db.gives(answer(ROWS), "select", t, {"distinct": True})
    db.gives(answer(ROWS), "select", t, {"distinct": False})
    db.refuses("bad_request", "select", t, {"columns": ["s"], "distinct": True, "order": ["n"]})


def test_count_and_exists(db, t):
    db.gives(7, "count", t)
    db.gives(7, "count", t, ["not_null", "id"])
    db.gives(2, "count", t, {"s": "a"})
    db.gives(2, "count", t, {"s": "a"}, {})
    db.gives(True, "exists", t, {"s": "a"})
    db.gives(False, "exists", t, {"s": "zz"})
    db.gives(True, "exists", t, {"n": None}, {})
    db.refuses("bad_request", "exists", t)
    db.refuses("bad_request", "count", t, {"s": "a"}, {"limit": 1})


def test_a_stream_brings_every_row_in_batches(db, table):
    t = table({"id": "int", "s": "text(10)"}, rows=[(i, "row%d" % i) for i in range(2500)])
    result, batches = db.stream("select", t, {"stream": True})
    assert result == {"columns": ["id", "s"], "count": 2500} and list(result) == ["columns", "count"]
    assert [len(b) for b in batches] == [1000, 1000, 500]
    assert [r for b in batches for r in b] == [[i, "row%d" % i] for i in range(2500)]
    result, batches = db.stream("select", t, {"stream": True, "batch": 7, "where": ["<", "id", 20], "order": ["-id"], "columns": ["id"]})
    assert result == {"columns": ["id"], "count": 20}
    assert batches == [[[i] for i in range(19, 12, -1)], [[i] for i in range(12, 5, -1)], [[i] for i in range(5, -1, -1)]]
    result, batches = db.stream("select", t, {"stream": True, "where": {"id": -1}})
    assert result == {"columns": ["id", "s"], "count": 0} and batches == []
    result, batches = db.stream("select", t, {"stream": True, "limit": 3, "offset": 1, "columns": ["id"]})
    assert result["count"] == 3 and [r for b in batches for r in b] == [[1], [2], [3]]
    db.gives(2500, "count", t)


def test_a_stream_has_no_row_limit(db, table):
    t = table({"id": "int", "n": "int"})
    for k in range(0, 25000, 5000):
        db.call("insert", t, [{"id": i, "n": -i} for i in range(k, k + 5000)])
    result, batches = db.stream("select", t, {"stream": True})
    assert result["count"] == 25000
    assert [r for b in batches for r in b] == [[i, -i] for i in range(25000)]
    result, batches = db.stream("select", t, {"stream": True, "limit": 20000, "columns": ["id"]})
    assert result["count"] == 20000


def test_a_stream_refuses_what_a_select_refuses(db, t):
    db.refuses("empty_filter", "select", t, {"stream": True, "where": {}})
    db.refuses("unknown_column", "select", t, {"stream": True, "columns": ["x"]})
    db.refuses("bad_request", "select", t, {"stream": True, "batch": 0})
    db.refuses("bad_request", "select", t, {"stream": 1})
    db.gives(7, "count", t)


def test_requests_behind_a_stream_are_answered_behind_it(db, t):
    first = db.send("select", t, {"stream": True, "batch": 2})
    second = db.send("count", t)
    seen = []
    while len([m for m in seen if hasattr(m, "msgid")]) < 2:
        seen.append(db.read())
    kinds = [m.msgid if hasattr(m, "msgid") else "rows" for m in seen]
    assert kinds == ["rows"] * 4 + [first, second]


def test_reads_of_a_table_that_is_not_there(db):
    for call in (["get", "nope", 1], ["select", "nope"], ["count", "nope"], ["exists", "nope", {"id": 1}],
                 ["aggregate", "nope", {"compute": {"n": ["count"]}}], ["describe", "nope"]):
        db.refuses("unknown_table", *call, table="nope")
    for bad in ("", "nope\0", "Nope", "a\"b", "x" * 500, "a.b.c", ".", "main.", ".t"):
        db.refuses(("unknown_table", "unknown_database", "bad_request", "invalid_text"), "count", bad)
    for bad in (5, None, ["t"], {"t": 1}, b"t"):
        db.refuses("bad_request", "count", bad)


def test_the_order_by_model(db, table):
    r = random.Random(11)
    t = table({"id": "int", "s": "text(6)", "f": "float"})
    rows = [{"id": i, "s": r.choice(["", "a", "A", "a ", "é", "\uffff", "😀", "a\t", "a!", "ab"]),
             "f": r.choice([-1e300, -1.0, 0.0, 5e-324, 1.0, 1e300])} for i in range(80)]
    db.call("insert", t, rows)
    for column in ("s", "f"):
        expected = sorted(rows, key=lambda row: (model.order_key(row[column]), row["id"]))
        db.gives(ids(*[row["id"] for row in expected]), "select", t, {"columns": ["id"], "order": [column]})
        db.gives(ids(*[row["id"] for row in expected[:10]], more=True), "select", t,
                 {"columns": ["id"], "order": [column], "limit": 10})
