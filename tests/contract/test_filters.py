"""Every operator of a filter, and what is no filter."""
import random

import pytest

from lib import model
from lib.wire import time_of

ROWS = [
    # id, name, nick, age, low, score, price, ok, data, at
    (1, "ann", "ann", 30, 30, 1.5, "10.00", True, b"a", time_of(2024)),
    (2, "bob", None, 25, 26, -2.5, "9.99", False, b"b", time_of(2023)),
    (3, "Bob", "bob", 40, 39, 0.0, "-1.00", True, b"", time_of(1)),
    (4, "ann ", "ann", 30, None, 1e300, "0.00", None, b"a\0", None),
    (5, None, "x", None, 5, None, None, False, None, time_of(9999)),
    (6, "", "", -1, -1, 5e-324, "9999.99", True, b"\xff", time_of(2024, 1, 1, 0, 0, 0, 1)),
    (7, "a%b_c\\d", "%", 2**63 - 1, -2**63, -1e300, "0.01", False, b"\0", time_of(1970)),
    (8, "éß😀", "😀", -2**63, 0, 1 / 3, "-9999.99", True, b"ab", time_of(1969, 12, 31)),
]
COLUMNS = {"id": "int", "name": "text(20)", "nick": "text", "age": "int", "low": "int", "score": "float",
           "price": "decimal(6,2)", "ok": "bool", "data": "bytes(4)", "at": "time"}


@pytest.fixture(scope="module")
def people(rowd):
    """The table of ROWS; no test changes it."""
    with rowd.client() as c:
        c.call("create_table", "people", {
            "columns": [{"name": n, "type": t} for n, t in COLUMNS.items()], "primary_key": ["id"]})
        c.call("insert", "people", [dict(zip(COLUMNS, r)) for r in ROWS])
        c.call("create_table", "pets", {
            "columns": [{"name": "id", "type": "int"}, {"name": "owner", "type": "int"},
                        {"name": "kind", "type": "text(10)"}, {"name": "age", "type": "int"}],
            "primary_key": ["id"]})
        c.call("insert", "pets", [
            {"id": 10, "owner": 1, "kind": "cat", "age": 3}, {"id": 11, "owner": 1, "kind": "dog", "age": 30},
            {"id": 12, "owner": 3, "kind": "cat", "age": 40}, {"id": 13, "owner": None, "kind": "cat", "age": None},
            {"id": 14, "owner": 6, "kind": None, "age": -1}])
    return "people"


CASES = [
    # a map: all equal
    ({"id": 3}, [3]), ({"name": "ann"}, [1]), ({"name": "ann", "age": 30}, [1]), ({"name": "ann", "age": 31}, []),
    ({"name": None}, [5]), ({"age": None, "low": 5}, [5]), ({"ok": True}, [1, 3, 6, 8]), ({"data": b""}, [3]),
    ({"score": 0.0}, [3]), ({"score": -0.0}, [3]), ({"price": "0"}, [4]), ({"price": "-0.00"}, [4]),
    # comparison
    (["=", "age", 30], [1, 4]), (["=", "name", "Bob"], [3]), (["=", "name", "ann "], [4]), (["=", "name", ""], [6]),
    (["!=", "age", 30], [2, 3, 6, 7, 8]), (["!=", "name", "ann"], [2, 3, 4, 6, 7, 8]),
    (["<", "age", 0], [6, 8]), (["<=", "age", -1], [6, 8]), ([">", "age", 30], [3, 7]), ([">=", "age", 30], [1, 3, 4, 7]),
    (["<", "age", -2**63], []), (["<=", "age", -2**63], [8]), ([">=", "age", 2**63 - 1], [7]),
    (["<", "name", "a"], [3, 6]), ([">", "name", "ann"], [2, 4, 8]), ([">=", "name", "ann"], [1, 2, 4, 8]),
    ([">", "name", "bob"], [8]), (["<", "score", 0.0], [2, 7]), ([">", "score", 0.0], [1, 4, 6, 8]),
    (["<", "price", "0.01"], [3, 4, 8]), ([">=", "price", "9.99"], [1, 2, 6]), (["=", "price", "10"], [1]),
    (["<", "ok", True], [2, 5, 7]), ([">=", "ok", False], [1, 2, 3, 5, 6, 7, 8]),
    ([">", "data", b"a"], [2, 4, 6, 8]), (["<", "data", b"a"], [3, 7]), (["=", "data", b"a"], [1]),
    (["<", "at", time_of(1970)], [3, 8]), ([">", "at", time_of(2024)], [5, 6]),
    (["=", "at", "2024-01-01T01:00:00+01:00"], [1]), (["!=", "at", "2024-01-01T00:00:00Z"], [2, 3, 5, 6, 7, 8]),
    # another column
    (["=", "age", ["col", "low"]], [1, 6]), (["!=", "age", ["col", "low"]], [2, 3, 7, 8]),
    (["<", "age", ["col", "low"]], [2, 8]), ([">", "age", ["col", "low"]], [3, 7]),
    (["=", "name", ["col", "nick"]], [1, 6]), (["is", "age", ["col", "low"]], [1, 6]),
    (["is_not", "age", ["col", "low"]], [2, 3, 4, 5, 7, 8]), (["=", "id", ["col", "id"]], [1, 2, 3, 4, 5, 6, 7, 8]),
    (["between", "age", ["col", "low"], ["col", "low"]], [1, 6]),
    # null
    (["is", "age", None], [5]), (["is_not", "age", None], [1, 2, 3, 4, 6, 7, 8]), (["is", "age", 30], [1, 4]),
    (["is_not", "age", 30], [2, 3, 5, 6, 7, 8]), (["is_null", "ok"], [4]), (["not_null", "ok"], [1, 2, 3, 5, 6, 7, 8]),
    (["is_null", "id"], []), (["is", "name", "ann"], [1]), (["is_not", "name", "ann"], [2, 3, 4, 5, 6, 7, 8]),
    (["not", ["=", "age", 30]], [2, 3, 6, 7, 8]), (["not", ["is", "age", 30]], [2, 3, 5, 6, 7, 8]),
    (["not", ["is_null", "age"]], [1, 2, 3, 4, 6, 7, 8]),
    # lists
    (["in", "id", [1, 2, 99]], [1, 2]), (["in", "id", []], []), (["not_in", "id", []], [1, 2, 3, 4, 5, 6, 7, 8]),
    (["not_in", "age", []], [1, 2, 3, 4, 5, 6, 7, 8]), (["in", "age", []], []),
    (["not", ["in", "age", []]], [1, 2, 3, 4, 5, 6, 7, 8]), (["not", ["not_in", "age", []]], []),
    (["not_in", "age", [30]], [2, 3, 6, 7, 8]), (["in", "age", [30, 30, 30, 25]], [1, 2, 4]),
    (["not", ["in", "age", [30]]], [2, 3, 6, 7, 8]), (["in", "name", ["ann", "Bob", "", "nope"]], [1, 3, 6]),
    (["not_in", "name", ["ann"]], [2, 3, 4, 6, 7, 8]), (["in", "score", [1.5, -0.0, 1e300]], [1, 3, 4]),
    (["in", "price", ["10", "9.99", "0.010".rstrip("0")]], [1, 2, 7]), (["in", "ok", [True]], [1, 3, 6, 8]),
    (["in", "data", [b"", b"\0"]], [3, 7]), (["in", "at", ["1970-01-01T00:00:00Z", time_of(1)]], [3, 7]),
    (["in", "nick", ["ann", "😀"]], [1, 4, 8]), (["in", "age", [2**63 - 1, -2**63]], [7, 8]),
    (["in", "name", ["x" * 500, "ann"]], [1]),
    # between
    (["between", "age", 25, 30], [1, 2, 4]), (["between", "age", 30, 25], []), (["between", "age", 30, 30], [1, 4]),
    (["between", "name", "a", "b"], [1, 4, 7]), (["between", "price", "0", "9.99"], [2, 4, 7]),
    (["not", ["between", "age", 25, 30]], [3, 6, 7, 8]), (["between", "at", time_of(1970), time_of(2024)], [1, 2, 7]),
    # text
    (["like", "name", "a%"], [1, 4, 7]), (["like", "name", "ann"], [1]), (["like", "name", "ann_"], [4]),
    (["like", "name", "%"], [1, 2, 3, 4, 6, 7, 8]), (["like", "name", ""], [6]), (["like", "name", "_ob"], [2, 3]),
    (["like", "name", "b%"], [2]), (["like", "name", "B%"], [3]), (["like", "name", "___"], [1, 2, 3, 8]),
    (["like", "name", "%\\%%"], [7]), (["like", "name", "%\\_%"], [7]), (["like", "name", "%\\\\%"], [7]),
    (["like", "name", "a\\%b\\_c\\\\d"], [7]), (["like", "name", "É%"], []), (["like", "name", "é_😀"], [8]),
    (["like", "name", "%b%"], [2, 3, 7]), (["like", "nick", "%n%n"], [1, 4]), (["like", "name", "%%%"], [1, 2, 3, 4, 6, 7, 8]),
    (["like", "name", "%n "], [4]), (["not", ["like", "name", "a%"]], [2, 3, 6, 8]),
    (["prefix", "name", "ann"], [1, 4]), (["prefix", "name", ""], [1, 2, 3, 4, 6, 7, 8]), (["prefix", "name", "a%"], [7]),
    (["prefix", "name", "é"], [8]), (["prefix", "name", "B"], [3]), (["prefix", "name", "ann  "], []),
    (["suffix", "name", "b"], [2, 3]), (["suffix", "name", " "], [4]), (["suffix", "name", "😀"], [8]),
    (["suffix", "name", ""], [1, 2, 3, 4, 6, 7, 8]), (["suffix", "name", "\\d"], [7]),
    (["not", ["suffix", "name", "b"]], [1, 4, 6, 7, 8]), (["suffix", "name", "xxann"], []),
    (["contains", "name", "n"], [1, 4]), (["contains", "name", "%"], [7]), (["contains", "name", "_"], [7]),
    (["contains", "name", ""], [1, 2, 3, 4, 6, 7, 8]), (["contains", "name", "ß"], [8]), (["contains", "name", "N"], []),
    (["contains", "nick", "o"], [3]), (["prefix", "nick", "a"], [1, 4]), (["suffix", "nick", "n"], [1, 4]),
    # logic
    (["and", ["=", "age", 30], ["=", "name", "ann"]], [1]), (["or", ["=", "age", 30], ["=", "id", 5]], [1, 4, 5]),
    (["and", ["=", "age", 30]], [1, 4]), (["or", ["=", "age", 30]], [1, 4]),
    (["and", {"age": 30}, {"name": "ann"}], [1]), (["or", {"id": 1}, {"id": 2, "name": "bob"}, {"id": 3, "name": "bob"}], [1, 2]),
    (["not", ["or", ["=", "age", 30], ["=", "name", "bob"]]], [3, 6, 7, 8]),
    (["not", ["and", ["=", "age", 30], ["=", "name", "ann"]]], [2, 3, 4, 6, 7, 8]),
    (["or", ["=", "age", 30], ["is_null", "age"]], [1, 4, 5]), (["and", ["not", {"id": 1}], ["<", "id", 4]], [2, 3]),
    (["not", ["not", ["=", "age", 30]]], [1, 4]), (["not", {"age": 30, "name": "ann"}], [2, 3, 4, 6, 7, 8]),
    (["not", {"age": None}], [1, 2, 3, 4, 6, 7, 8]), (["or", ["in", "id", []], ["=", "id", 2]], [2]),
    # selections
    (["in", "id", {"select": "owner", "from": "pets"}], [1, 3, 6]),
    (["in", "id", {"select": "owner", "from": "pets", "where": {"kind": "cat"}}], [1, 3]),
    (["not_in", "id", {"select": "owner", "from": "pets", "where": ["not_null", "owner"]}], [2, 4, 5, 7, 8]),
    (["not_in", "id", {"select": "owner", "from": "pets"}], []),
    (["not_in", "id", {"select": "owner", "from": "pets", "where": {"kind": "fish"}}], [1, 2, 3, 4, 5, 6, 7, 8]),
    (["in", "id", {"select": "owner", "from": "pets", "where": {"kind": "fish"}}], []),
    (["in", "age", {"select": "age", "from": "pets"}], [1, 3, 4, 6]),
    (["in", "id", {"select": "id", "from": "people", "where": ["<", "age", 0]}], [6, 8]),
    (["exists", {"from": "pets", "where": ["=", "owner", ["outer", "id"]]}], [1, 3, 6]),
    (["not_exists", {"from": "pets", "where": ["=", "owner", ["outer", "id"]]}], [2, 4, 5, 7, 8]),
    (["exists", {"from": "pets", "where": ["and", ["=", "owner", ["outer", "id"]], ["=", "age", ["outer", "age"]]]}], [1, 3, 6]),
    (["exists", {"from": "pets"}], [1, 2, 3, 4, 5, 6, 7, 8]), (["not_exists", {"from": "pets"}], []),
    (["not", ["exists", {"from": "pets", "where": ["=", "owner", ["outer", "id"]]}]], [2, 4, 5, 7, 8]),
    (["in", "id", {"select": "owner", "from": "pets", "where": ["=", "age", ["outer", "age"]]}], [1, 3, 6]),
    (["exists", {"from": "people", "where": ["and", ["<", "age", ["outer", "age"]], ["=", "name", "bob"]]}], [1, 3, 4, 7]),
    (["exists", {"from": "pets", "where": ["and", ["=", "owner", ["outer", "id"]],
      ["exists", {"from": "people", "where": ["=", "age", ["outer", "age"]]}]]}], [1, 3, 6]),
    (["in", "id", {"select": "owner", "from": "pets", "where":
      ["in", "kind", {"select": "kind", "from": "pets", "where": ["=", "id", 12]}]}], [1, 3]),
    (["or", {"id": 8}, ["in", "id", {"select": "owner", "from": "pets", "where": {"kind": "dog"}}]], [1, 8]),
]


@pytest.mark.parametrize("f,ids", [pytest.param(*c, id=str(i)) for i, c in enumerate(CASES)])
def test_a_filter_matches_exactly(db, people, f, ids):
    db.gives({"columns": ["id"], "rows": [[i] for i in ids], "more": False},
             "select", people, {"where": f, "columns": ["id"]})
    db.gives(len(ids), "count", people, f)
    db.gives(bool(ids), "exists", people, f)
    db.gives({"matched": len(ids)}, "delete_where", people, f, {"dry_run": True})
    db.gives({"matched": len(ids)}, "update_where", people, f, {"age": 1}, {"dry_run": True})


def random_filter(r, depth):
    values = {"name": ["ann", "bob", "Bob", "ann ", "", "é", "zz"], "nick": ["ann", "x", "", "😀"],
              "age": [-2**63, -1, 0, 25, 30, 40, 2**63 - 1], "low": [-1, 0, 30, 39],
              "score": [-2.5, 0.0, 1.5, 1e300, 5e-324], "ok": [True, False], "data": [b"", b"a", b"a\0", b"\xff"],
              "at": [time_of(1), time_of(1970), time_of(2024), time_of(9999)]}
    if depth and r.random() < 0.6:
        op = r.choice(["and", "or", "not"])
        if op == "not":
            return ["not", random_filter(r, depth - 1)]
        return [op] + [random_filter(r, depth - 1) for _ in range(r.randint(1, 3))]
    column = r.choice(list(values))
    pool = values[column]
    kind = r.randrange(8)
    if kind == 0:
        return [r.choice(["is_null", "not_null"]), column]
    if kind == 1:
        return [r.choice(["in", "not_in"]), column, r.sample(pool, r.randint(0, len(pool)))]
    if kind == 2:
        return ["between", column, r.choice(pool), r.choice(pool)]
    if kind == 3:
        return [r.choice(["is", "is_not"]), column, r.choice(pool + [None])]
    if kind == 4:
        return {column: r.choice(pool + [None]), "id": r.randint(1, 8)}
    if kind == 5 and column == "age":
        return [r.choice(["=", "<", ">=", "is"]), "age", ["col", "low"]]
    if kind == 6 and column in ("name", "nick"):
        return [r.choice(["like", "prefix", "suffix", "contains"]), column, r.choice(["a", "%", "b", "%n%", "_", "", "ann", "é"])]
    return [r.choice(["=", "!=", "<", "<=", ">", ">="]), column, r.choice(pool)]


@pytest.mark.parametrize("seed", range(8))
def test_random_filters_mean_what_the_model_says(db, people, seed):
    r = random.Random(seed)
    rows = [dict(zip(COLUMNS, row)) for row in ROWS]
    for _ in range(60):
        f = random_filter(r, 4)
        ids = [row["id"] for row in rows if model.holds(f, row) is True]
        db.gives({"columns": ["id"], "rows": [[i] for i in ids], "more": False},
                 "select", people, {"where": f, "columns": ["id"]})


EMPTY = [None, {}, [], ["and"], ["or"], ["not", {}], ["and", {}], ["or", ["=", "id", 1], []], ["not", ["and"]],
         ["and", ["=", "id", 1], ["or"]], ["not", None], ["and", None], ["or", {"id": 1}, {}],
         ["in", "id", {"select": "owner", "from": "pets", "where": {}}],
         ["in", "id", {"select": "owner", "from": "pets", "where": []}],
         ["exists", {"from": "pets", "where": ["and"]}], ["not_exists", {"from": "pets", "where": {}}]]


@pytest.mark.parametrize("f", [pytest.param(f, id=str(i)) for i, f in enumerate(EMPTY)])
def test_an_empty_filter_is_refused_everywhere(db, people, f):
    db.refuses("empty_filter", "count", people, f)
    db.refuses("empty_filter", "exists", people, f)
    db.refuses("empty_filter", "delete_where", people, f)
    db.refuses("empty_filter", "delete_where", people, f, {"dry_run": True})
    db.refuses("empty_filter", "delete_where", people, f, {"limit": 1})
    db.refuses("empty_filter", "update_where", people, f, {"age": 1})
    if f is not None:
        db.refuses("empty_filter", "select", people, {"where": f})
        db.refuses("empty_filter", "aggregate", people, {"where": f, "compute": {"n": ["count"]}})
    db.gives(len(ROWS), "count", people)


def test_an_option_given_as_nil_is_not_the_same_as_not_given(db, people):
    db.refuses("bad_request", "select", people, {"where": None})
    db.refuses("bad_request", "aggregate", people, {"where": None, "compute": {"n": ["count"]}})


BAD = [1, "id", True, 1.5, b"x", [1], [None], ["nope", "id", 1], ["=", "id"], ["=", "id", 1, 2], ["="], ["=", 1, 1],
       ["=", ["col", "id"], 1], ["=", None, 1], ["not"], ["not", ["=", "id", 1], ["=", "id", 2]], ["is_null"], ["is_null", "id", 1],
       ["in", "id"], ["in", "id", 5], ["in", "id", "abc"], ["in", "id", [1], 2], ["between", "id", 1], ["between", "id", 1, 2, 3],
       ["like", "name"], ["and", 5], ["or", "x"], ["AND", ["=", "id", 1]], ["==", "id", 1], ["exists"], ["exists", []],
       ["exists", {"select": "id"}], ["in", "id", {"from": "pets"}], ["in", "id", {"select": "owner"}],
       ["in", "id", {"select": "owner", "from": "pets", "limit": 1}], ["exists", {"from": "pets", "nope": 1}],
       ["exists", {"from": 5}], ["in", "id", {"select": 5, "from": "pets"}], ["=", "id", ["outer", "id"]],
       ["=", "id", ["col"]], ["=", "id", ["col", "id", "id"]], ["=", "id", ["col", 5]], ["exists", {"from": "pets", "where": 5}]]


@pytest.mark.parametrize("f", [pytest.param(f, id=str(i)) for i, f in enumerate(BAD)])
def test_what_is_no_filter_is_a_bad_request(db, people, f):
    names = ("bad_request", "type_mismatch") if f in (["=", "id", ["col"]], ["=", "id", ["col", "id", "id"]],
                                                      ["=", "id", ["col", 5]]) else "bad_request"
    db.refuses(names, "count", people, f)
    db.refuses(names, "delete_where", people, f)
    db.refuses(names, "select", people, {"where": f})


@pytest.mark.parametrize("f,column", [
    ({"nope": 1}, "nope"), (["=", "nope", 1], "nope"), (["is_null", "nope"], "nope"), (["in", "nope", []], "nope"),
    (["=", "id", ["col", "nope"]], "nope"), (["in", "id", {"select": "nope", "from": "pets"}], "nope"),
    (["exists", {"from": "pets", "where": {"nope": 1}}], "nope"),
    (["exists", {"from": "pets", "where": ["=", "id", ["outer", "nope"]]}], "nope"),
    (["exists", {"from": "pets", "where": {"name": "x"}}], "name"),
    ({"ID": 1}, "ID"), ({"id ": 1}, "id "), ({"": 1}, ""), ({"rowid": 1}, "rowid"), ({"id\"--": 1}, "id\"--"),
    (["=", "id; drop table people", 1], "id; drop table people"), (["=", "people.id", 1], "people.id")])
def test_a_column_that_is_not_there_is_named(db, people, f, column):
    db.refuses("unknown_column", "count", people, f, column=column)
    db.refuses("unknown_column", "delete_where", people, f, column=column)


@pytest.mark.parametrize("f", [["in", "id", {"select": "id", "from": "nope"}], ["exists", {"from": "nope"}],
                               ["exists", {"from": "_rowd_columns"}], ["exists", {"from": "sqlite_master"}]])
def test_a_selection_from_no_table_is_refused(db, people, f):
    db.refuses("unknown_table", "count", people, f)


@pytest.mark.parametrize("f", [
    ["=", "age", None], ["!=", "age", None], ["<", "age", None], [">=", "age", None], ["in", "age", [1, None]],
    ["not_in", "age", [None]], ["between", "age", None, 1], ["between", "age", 1, None], ["like", "name", None],
    ["prefix", "name", None], ["suffix", "name", None], ["contains", "name", None], ["in", "age", None]])
def test_null_is_refused_where_only_is_takes_it(db, people, f):
    names = ("null_not_allowed", "bad_request") if f == ["in", "age", None] else "null_not_allowed"
    db.refuses(names, "count", people, f)
    db.refuses(names, "delete_where", people, f)
    db.refuses(names, "count", people, ["not", f])


@pytest.mark.parametrize("f", [
    ["=", "age", ["col", "score"]], ["=", "name", ["col", "age"]], ["<", "age", ["col", "price"]], ["is", "data", ["col", "name"]],
    ["like", "age", "3%"], ["prefix", "score", "1"], ["contains", "at", "2024"],
    ["like", "name", 5], ["prefix", "name", b"a"], ["in", "id", {"select": "kind", "from": "pets"}],
    ["exists", {"from": "pets", "where": ["=", "kind", ["outer", "id"]]}]])
def test_operands_of_different_types_are_refused(db, people, f):
    db.refuses("type_mismatch", "count", people, f)


def test_a_filter_longer_than_the_column_simply_matches_nothing(db, people):
    db.gives(0, "count", people, {"name": "x" * 21})
    db.gives(0, "count", people, ["prefix", "name", "x" * 300])
    db.gives(8, "count", people, ["or", ["!=", "name", "x" * 100], ["is_null", "name"]])
    db.gives(0, "count", people, {"data": b"x" * 100})


def test_filters_nest_to_the_limit_and_no_deeper(rowd, db, people):
    def nested(levels):
        f = ["is_null", "name"]
        for _ in range(levels - 1):
            f = ["not", f]
        return f
    db.gives(7, "count", people, nested(16))
    db.gives(1, "count", people, nested(15))
    with rowd.client() as c:
        c.refuses("limit", "count", people, nested(17), limit=16)
        assert c.at_end()


def test_deep_logic_is_carried_out_up_to_the_nesting_limit(db, people):
    f = ["=", "id", 1]
    for i in range(15):
        f = ["and" if i % 2 else "or", f, ["=", "id", 1]]
    db.gives(1, "count", people, f)
    f = {"id": 1}
    for i in range(6):
        f = ["in", "id", {"select": "id", "from": "people", "where": f}]
    db.gives(1, "count", people, f)


def test_a_thousand_operators_are_the_limit(db, people):
    many = [["=", "id", i] for i in range(-990, 9)]
    db.gives(8, "count", people, ["or"] + many)
    db.refuses("limit", "count", people, ["or"] + [["=", "id", i] for i in range(1001)], limit=1000)
    db.refuses("limit", "delete_where", people, ["or"] + [["not", ["=", "id", i]] for i in range(700)], limit=1000)
    db.gives(8, "count", people)


def test_selections_may_read_the_table_that_is_written(db, table):
    t = table({"id": "int", "n": "int"}, rows=[(i, i % 3) for i in range(9)])
    db.gives({"updated": 3}, "update_where", t, ["in", "id", {"select": "id", "from": t, "where": {"n": 1}}], {"n": 5})
    db.gives({"deleted": 3}, "delete_where", t, ["in", "n", {"select": "n", "from": t, "where": ["=", "id", 1]}])
    db.gives({"deleted": 5}, "delete_where", t,
             ["exists", {"from": t, "where": ["<", "id", ["outer", "id"]]}])
    db.gives({"columns": ["id", "n"], "rows": [[0, 0]], "more": False}, "select", t)


def test_a_duplicate_key_in_a_filter_map_is_refused(db, people):
    from lib.wire import pack
    db.send_raw(b"\x94\x00" + pack(77) + pack("count") + b"\x92" + pack(people)
                + b"\x82" + pack("id") + pack(1) + pack("id") + pack(2))
    db.refused("bad_request", 77)
    db.send_raw(b"\x94\x00" + pack(78) + pack("count") + b"\x92" + pack(people) + b"\x81" + pack(5) + pack(2))
    db.refused("bad_request", 78)


@pytest.mark.parametrize("words", [
    ["select", "people", {"where": {"id": "1 or 1=1"}}], ["count", "people", {"name": "' or '1'='1"}],
    ["count", "people", ["like", "name", "%' --"]], ["count", "people", ["prefix", "name", "\" or 1=1 --"]]])
def test_values_are_never_read_as_sql(db, people, words):
    if words[0] == "select":
        db.refuses("type_mismatch", *words)
    else:
        db.gives(0, *words)
