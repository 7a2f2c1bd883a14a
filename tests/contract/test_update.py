"""update, update_where, update_all: rows matched, set terms on the old row, guards."""
import pytest

ROWS = [(1, 10, 1, "a", "1.50"), (2, 20, 2, "b", "2.50"), (3, None, 3, None, None), (4, 40, 4, "a", "-1.00")]


@pytest.fixture
def t(table):
    return table({"id": "int", "n": "int", "m": "int!", "s": "text(5)", "d": "decimal(5,2)"}, rows=ROWS)


def rows_of(db, t, *columns):
    return db.call("select", t, {"columns": list(columns)} if columns else {})["rows"]


def test_update_changes_one_row_by_key(db, t):
    db.gives({"updated": 1}, "update", t, 1, {"n": 11, "s": None})
    db.gives({"updated": 0}, "update", t, 99, {"n": 11})
    db.gives({"updated": 1}, "update", t, 1, {"n": 11})
    db.gives({"updated": 1}, "update", t, [2], {"n": None})
    assert rows_of(db, t) == [[1, 11, 1, None, "1.50"], [2, None, 2, "b", "2.50"], [3, None, 3, None, None], [4, 40, 4, "a", "-1.00"]]


def test_update_by_composite_key(db, table):
    t = table({"a": "int", "b": "text(3)", "n": "int"}, key=["b", "a"], rows=[(1, "x", 1), (2, "x", 2)])
    db.gives({"updated": 1}, "update", t, ["x", 2], {"n": 5})
    assert rows_of(db, t) == [[1, "x", 1], [2, "x", 5]]
    db.refuses("bad_request", "update", t, ["x"], {"n": 1})
    db.refuses("type_mismatch", "update", t, [1, "x"], {"n": 1})


def test_counts_are_rows_matched_whether_or_not_they_changed(db, t):
    db.gives({"updated": 4}, "update_all", t, {"m": 9})
    db.gives({"updated": 4}, "update_all", t, {"m": 9})
    db.gives({"updated": 2}, "update_where", t, {"s": "a"}, {"s": "a"})
    db.gives({"updated": 0}, "update_where", t, {"s": "zz"}, {"s": "a"})


ARITHMETIC = [
    ({"n": ["+", ["col", "n"], 1]}, [[11], [21], [None], [41]]), ({"n": ["-", ["col", "n"], ["col", "m"]]}, [[9], [18], [None], [36]]),
    ({"n": ["*", ["col", "n"], -2]}, [[-20], [-40], [None], [-80]]), ({"n": ["-", 100, ["col", "m"]]}, [[99], [98], [97], [96]]),
    ({"n": ["+", 2, 3]}, [[5]] * 4), ({"n": ["*", ["col", "m"], ["col", "m"]]}, [[1], [4], [9], [16]]),
    ({"n": ["+", ["col", "m"], 0]}, [[1], [2], [3], [4]])]


@pytest.mark.parametrize("what,expected", [pytest.param(*a, id=str(i)) for i, a in enumerate(ARITHMETIC)])
def test_arithmetic_reads_the_old_row(db, t, what, expected):
    db.gives({"updated": 4}, "update_all", t, what)
    assert rows_of(db, t, "n") == expected


def test_columns_can_be_swapped(db, t):
    db.gives({"updated": 1}, "update", t, 2, {"n": ["+", ["col", "m"], 0], "m": ["+", ["col", "n"], 0]})
    db.gives({"id": 2, "n": 2, "m": 20, "s": "b", "d": "2.50"}, "get", t, 2)
    db.gives({"updated": 1}, "update", t, 1, {"m": ["+", ["col", "m"], 1], "n": ["*", ["col", "m"], 100]})
    db.gives({"id": 1, "n": 100, "m": 2, "s": "a", "d": "1.50"}, "get", t, 1)


def test_decimals_are_added_exactly(db, t):
    db.gives({"updated": 4}, "update_all", t, {"d": ["+", ["col", "d"], "0.01"]})
    assert rows_of(db, t, "d") == [["1.51"], ["2.51"], [None], ["-0.99"]]
    db.gives({"updated": 4}, "update_all", t, {"d": ["-", ["col", "d"], "1"]})
    assert rows_of(db, t, "d") == [["0.51"], ["1.51"], [None], ["-1.99"]]
    db.refuses("out_of_range", "update", t, 1, {"d": ["+", ["col", "d"], "999.99"]})
    db.refuses("out_of_range", "update_all", t, {"d": ["-", ["col", "d"], "999.00"]})
    assert rows_of(db, t, "d") == [["0.51"], ["1.51"], [None], ["-1.99"]]


@pytest.mark.parametrize("start,term", [
    (2**63 - 1, ["+", ["col", "n"], 1]), (-2**63, ["-", ["col", "n"], 1]), (2**62, ["*", ["col", "n"], 2]), (-2**63, ["*", ["col", "n"], -1]),
    (-2**63, ["-", 0, ["col", "n"]]), (2**63 - 1, ["+", ["col", "n"], ["col", "n"]]), (2**32, ["*", ["col", "n"], ["col", "n"]]),
    (1, ["+", 2**63 - 1, ["col", "n"]]), (1, ["*", 2**62, 2])])
def test_overflow_is_refused_and_nothing_changes(db, table, start, term):
    t = table({"id": "int", "n": "int"}, rows=[(1, 5), (2, start)])
    db.refuses("out_of_range", "update", t, 2, {"n": term})
    db.refuses("out_of_range", "update_all", t, {"n": term})
    assert rows_of(db, t) == [[1, 5], [2, start]]


def test_arithmetic_at_the_edge_is_allowed(db, table):
    t = table({"id": "int", "n": "int"}, rows=[(1, 2**63 - 2), (2, -2**63 + 1), (3, None)])
    db.gives({"updated": 1}, "update", t, 1, {"n": ["+", ["col", "n"], 1]})
    db.gives({"updated": 1}, "update", t, 2, {"n": ["-", ["col", "n"], 1]})
    db.gives({"updated": 1}, "update", t, 3, {"n": ["+", ["col", "n"], 2**63 - 1]})
    assert rows_of(db, t) == [[1, 2**63 - 1], [2, -2**63], [3, None]]


@pytest.mark.parametrize("bad,name", [
    ({}, "bad_request"), ({"nope": 1}, "unknown_column"), ({"id": 5}, "bad_request"), ({"n": "5"}, "type_mismatch"), ({"m": None}, "null_not_allowed"),
    ({"s": "toolong"}, "too_long"), ({"n": 2**63}, "out_of_range"), ({"d": "1000"}, "out_of_range"), ({"n": ["+", 1]}, "bad_request"),
    ({"n": ["/", 4, 2]}, ("bad_request", "unsupported")), ({"n": ["+", ["col", "nope"], 1]}, "unknown_column"), ({"n": ["+", ["col", "s"], 1]}, "type_mismatch"),
    ({"s": ["+", ["col", "s"], "x"]}, ("type_mismatch", "bad_request", "unsupported")), ({"n": ["+", "1", 2]}, "type_mismatch"), ({"n": ["+", 1, 2, 3]}, "bad_request"),
    ({"n": ["+", ["col", "n"], 1.5]}, "type_mismatch"), ({"n": []}, "bad_request"), ({"n": ["col", "m"]}, ("bad_request", "type_mismatch"))])
def test_what_cannot_be_set_is_refused(db, t, bad, name):
    before = rows_of(db, t)
    db.refuses(name, "update", t, 1, bad)
    db.refuses(name, "update_where", t, {"id": 1}, bad)
    db.refuses(name, "update_all", t, bad)
    assert rows_of(db, t) == before


def test_null_not_allowed_by_arithmetic_either(db, t):
    db.refuses("null_not_allowed", "update_all", t, {"m": ["+", ["col", "n"], 1]})
    assert rows_of(db, t, "m") == [[1], [2], [3], [4]]


def test_update_where_with_limit_takes_the_first_by_order_then_key(db, t):
    db.gives({"updated": 2}, "update_where", t, ["not_null", "id"], {"m": 0}, {"limit": 2})
    assert rows_of(db, t, "m") == [[0], [0], [3], [4]]
    db.gives({"updated": 1}, "update_where", t, ["not_null", "id"], {"m": 7}, {"limit": 1, "order": ["-n"]})
    assert rows_of(db, t, "m") == [[0], [0], [3], [7]]
    db.gives({"updated": 1}, "update_where", t, ["not_null", "id"], {"m": 8}, {"limit": 1, "order": ["n"]})
    assert rows_of(db, t, "m") == [[0], [0], [8], [7]]
    db.gives({"updated": 2}, "update_where", t, {"s": "a"}, {"m": 9}, {"limit": 100, "order": ["s", "-id"]})
    db.gives({"updated": 0}, "update_where", t, {"s": "a"}, {"m": 1}, {"limit": 0})
    db.refuses("bad_request", "update_where", t, {"s": "a"}, {"m": 1}, {"order": ["id"]})


def test_max_rows_guards_updates(db, t):
    f = db.refuses("too_many_rows", "update_where", t, ["not_null", "n"], {"m": 0}, {"max_rows": 2}, matched=3)
    assert f.outcome == "not_applied"
    db.refuses("too_many_rows", "update_all", t, {"m": 0}, {"max_rows": 3}, matched=4)
    db.refuses("too_many_rows", "update_where", t, {"id": 1}, {"m": 0}, {"max_rows": 0}, matched=1)
    assert rows_of(db, t, "m") == [[1], [2], [3], [4]]
    db.gives({"updated": 3}, "update_where", t, ["not_null", "n"], {"m": 0}, {"max_rows": 3})
    db.gives({"updated": 4}, "update_all", t, {"m": 5}, {"max_rows": 4})
    db.gives({"updated": 0}, "update_where", t, {"id": 99}, {"m": 0}, {"max_rows": 0})


def test_dry_run_counts_and_changes_nothing(db, t):
    before = rows_of(db, t)
    db.gives({"matched": 3}, "update_where", t, ["not_null", "n"], {"m": 0}, {"dry_run": True})
    db.gives({"matched": 4}, "update_all", t, {"m": 0}, {"dry_run": True})
    db.gives({"updated": 0}, "update_where", t, {"id": 99}, {"m": 0}, {"dry_run": False})
    db.refuses("type_mismatch", "update_where", t, {"id": 1}, {"m": "x"}, {"dry_run": True})
    assert rows_of(db, t) == before


def test_returning_brings_the_rows_as_they_are_now(db, t):
    db.gives({"updated": 2, "columns": ["id", "n", "m", "s", "d"], "rows": [[1, 11, 1, "a", "1.50"], [4, 41, 4, "a", "-1.00"]]},
             "update_where", t, {"s": "a"}, {"n": ["+", ["col", "n"], 1]}, {"returning": "rows"})
    db.gives({"updated": 2, "columns": ["id"], "rows": [[1], [4]]}, "update_where", t, {"s": "a"}, {"s": "c"}, {"returning": "keys"})
    db.gives({"updated": 1, "columns": ["s", "id"], "rows": [["q", 4]]}, "update_where", t, {"s": "c"}, {"s": "q"},
             {"returning": ["s", "id"], "limit": 1, "order": ["-id"]})
    db.gives({"updated": 0, "columns": ["id"], "rows": []}, "update_where", t, {"id": 99}, {"s": "c"}, {"returning": "keys"})
    db.refuses("unknown_column", "update_where", t, {"id": 1}, {"s": "z"}, {"returning": ["nope"]}, column="nope")
    db.gives({"id": 1, "n": 11, "m": 1, "s": "c", "d": "1.50"}, "get", t, 1)


def test_unique_keys_hold_under_updates(db, table):
    t = table({"id": "int", "u": "int", "s": "text(5)"}, unique=[["u"]], rows=[(1, 1, "a"), (2, 2, "b"), (3, 3, "c")])
    db.refuses("conflict", "update", t, 1, {"u": 2}, table=t)
    db.refuses("conflict", "update_all", t, {"u": 9}, table=t)
    db.refuses("conflict", "update_where", t, ["in", "id", [1, 2]], {"u": 7}, table=t)
    assert rows_of(db, t) == [[1, 1, "a"], [2, 2, "b"], [3, 3, "c"]]
    db.gives({"updated": 1}, "update", t, 1, {"u": 10})
    db.gives({"updated": 3}, "update_all", t, {"u": None})


def test_update_where_sees_one_state_of_the_table(db, t):
    db.gives({"updated": 2}, "update_where", t, {"s": "a"}, {"s": "b"})
    db.gives({"updated": 3}, "update_where", t, {"s": "b"}, {"s": "a"})
    assert rows_of(db, t, "s") == [["a"], ["a"], [None], ["a"]]


def test_updates_of_nothing_known(db, t):
    db.refuses("unknown_table", "update", "nope", 1, {"a": 1}, table="nope")
    db.refuses("unknown_table", "update_where", "nope", {"a": 1}, {"a": 1}, table="nope")
    db.refuses("unknown_table", "update_all", "nope", {"a": 1}, table="nope")
    for bad in (None, 5, [], "n = 1", [["n", 1]]):
        db.refuses("bad_request", "update", t, 1, bad)
        db.refuses("bad_request", "update_all", t, bad)
