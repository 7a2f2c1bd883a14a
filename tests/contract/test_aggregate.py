"""aggregate: exact sums and averages, groups in order."""
import pytest

from lib.wire import time_of

ROWS = [
    (1, "a", 5, "1.50", 2.5, True, time_of(2024)), (2, "b", -3, "2.25", -1.0, False, time_of(1970)),
    (3, "a", None, None, None, None, None), (4, None, 7, "-0.75", 0.5, True, time_of(1)),
    (5, "a", 5, "1.50", 8.0, True, time_of(9999)), (6, None, None, "0.00", None, False, None),
]
COLUMNS = {"id": "int", "g": "text(5)", "n": "int", "d": "decimal(8,2)", "f": "float", "b": "bool", "w": "time"}


@pytest.fixture
def t(table):
    return table(COLUMNS, rows=ROWS)


def one(db, t, what, where=None):
    options = {"compute": {"x": what}}
    if where is not None:
        options["where"] = where
    got = db.call("aggregate", t, options)
    assert list(got) == ["columns", "rows", "more"] and got["columns"] == ["x"] and got["more"] is False
    assert len(got["rows"]) == 1
    return got["rows"][0][0]


@pytest.mark.parametrize("what,expected", [
    (["count"], 6), (["count", "n"], 4), (["count", "id"], 6), (["count", "g"], 4), (["count_distinct", "g"], 2),
    (["count_distinct", "n"], 3), (["count_distinct", "d"], 4), (["count_distinct", "b"], 2), (["sum", "n"], 14), (["sum", "id"], 21),
    (["sum", "d"], "4.50"), (["min", "n"], -3), (["max", "n"], 7), (["min", "d"], "-0.75"), (["max", "d"], "2.25"),
    (["min", "g"], "a"), (["max", "g"], "b"), (["min", "f"], -1.0), (["max", "f"], 8.0), (["min", "w"], time_of(1)),
    (["max", "w"], time_of(9999)), (["avg", "n"], 3.5), (["avg", "id"], 3.5), (["avg", "d"], 0.9)])
def test_what_can_be_computed(db, t, what, expected):
    got = one(db, t, what)
    assert type(got) is type(expected) and got == expected


@pytest.mark.parametrize("what,expected", [
    (["count"], 0), (["count", "n"], 0), (["count_distinct", "g"], 0), (["sum", "n"], None), (["sum", "d"], None),
    (["min", "n"], None), (["max", "g"], None), (["avg", "n"], None), (["avg", "d"], None)])
def test_of_no_rows_counts_are_0_and_the_rest_nil(db, t, what, expected):
    assert one(db, t, what, {"id": 99}) is expected or one(db, t, what, {"id": 99}) == expected
    if what != ["count"] and what[1] in ("n", "d"):
        assert one(db, t, what, ["and", {"id": 3}]) == expected


def test_groups_come_in_order_with_their_columns_first(db, t):
    db.gives({"columns": ["g", "rows", "total", "least"], "rows": [[None, 2, 7, "-0.75"], ["a", 3, 10, "1.50"], ["b", 1, -3, "2.25"]],
              "more": False}, "aggregate", t,
             {"group_by": ["g"], "compute": {"rows": ["count"], "total": ["sum", "n"], "least": ["min", "d"]}})
    db.gives({"columns": ["g", "n"], "rows": [["b", 1], ["a", 3], [None, 2]], "more": False}, "aggregate", t,
             {"group_by": ["g"], "compute": {"n": ["count"]}, "order": ["-g"]})
    db.gives({"columns": ["g", "n"], "rows": [["a", 3], ["b", 1], [None, 2]], "more": False}, "aggregate", t,
             {"group_by": ["g"], "compute": {"n": ["count"]}, "order": ["g nulls last"]})
    db.gives({"columns": ["b", "g", "n"], "rows": [[None, "a", 1], [False, None, 1], [False, "b", 1], [True, None, 1], [True, "a", 2]],
              "more": False}, "aggregate", t, {"group_by": ["b", "g"], "compute": {"n": ["count"]}})
    db.gives({"columns": ["g", "n"], "rows": [[None, 2], ["a", 3]], "more": True}, "aggregate", t,
             {"group_by": ["g"], "compute": {"n": ["count"]}, "limit": 2})
    db.gives({"columns": ["g", "n"], "rows": [["a", 2]], "more": False}, "aggregate", t,
             {"where": {"n": 5}, "group_by": ["g"], "compute": {"n": ["count"]}})
    db.gives({"columns": ["g", "n"], "rows": [], "more": False}, "aggregate", t,
             {"where": {"n": 999}, "group_by": ["g"], "compute": {"n": ["count"]}})


def test_sums_are_exact_and_overflow_is_refused(db, table):
    t = table({"id": "int", "n": "int", "d": "decimal(18,0)"}, rows=[
        (1, 2**63 - 1, "999999999999999999"), (2, 1, "1"), (3, -2**63, "-999999999999999999"), (4, 2**53 + 1, "1")])
    assert one(db, t, ["sum", "n"], ["in", "id", [1, 3]]) == -1
    assert one(db, t, ["sum", "n"]) == 2**53 + 1
    assert one(db, t, ["sum", "n"], ["in", "id", [2, 4]]) == 2**53 + 2
    db.refuses("out_of_range", "aggregate", t, {"where": ["in", "id", [1, 2]], "compute": {"x": ["sum", "n"]}})
    assert one(db, t, ["avg", "n"], ["in", "id", [1, 2]]) == float(2**62)
    assert one(db, t, ["avg", "n"], ["in", "id", [1]]) == float(2**63)
    assert one(db, t, ["sum", "d"]) == "2"
    assert one(db, t, ["sum", "d"], ["in", "id", [1, 2]]) == "1000000000000000000"


def test_averages_are_the_exact_sum_by_the_count(db, table):
    t = table({"id": "int", "n": "int", "d": "decimal(6,2)"}, rows=[(1, 1, "0.10"), (2, 1, "0.20"), (3, 2, "0.00")])
    assert one(db, t, ["avg", "n"]) == 4 / 3
    assert one(db, t, ["avg", "d"]) == 0.1


@pytest.mark.parametrize("compute,name", [
    ({}, "bad_request"), ({"x": []}, "bad_request"), ({"x": ["nope", "n"]}, ("bad_request", "unsupported")), ({"x": ["sum"]}, "bad_request"),
    ({"x": ["sum", "n", "n"]}, "bad_request"), ({"x": "count"}, "bad_request"), ({"x": ["sum", "nope"]}, "unknown_column"),
    ({"x": ["sum", "f"]}, "unsupported"), ({"x": ["avg", "f"]}, ("unsupported", "bad_request")),
    ({"x": ["sum", "g"]}, ("unsupported", "type_mismatch", "bad_request")), ({"x": ["sum", "w"]}, ("unsupported", "type_mismatch", "bad_request")),
    ({"x": ["sum", 5]}, "bad_request"), ({"x": None}, "bad_request"), ([], "bad_request"), ({"x": ["count", None]}, "bad_request")])
def test_what_cannot_be_computed_is_refused(db, t, compute, name):
    db.refuses(name, "aggregate", t, {"compute": compute})


def test_an_aggregate_needs_something_to_compute(db, t):
    db.refuses("bad_request", "aggregate", t)
    db.refuses("bad_request", "aggregate", t, {})
    db.refuses("unknown_column", "aggregate", t, {"group_by": ["nope"], "compute": {"n": ["count"]}}, column="nope")
    db.refuses("bad_request", "aggregate", t, {"group_by": ["g", "g"], "compute": {"n": ["count"]}})
    db.refuses("bad_request", "aggregate", t, {"group_by": ["g"], "compute": {"g": ["count"]}})
    db.refuses("limit", "aggregate", t, {"group_by": ["g"], "compute": {"n": ["count"]}, "limit": 10001}, limit=10000)
