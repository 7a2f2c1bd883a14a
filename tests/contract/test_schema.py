"""Tables: made, described, changed and removed."""
import pytest

from lib.schema import column, foreign_key, schema
from lib.wire import time_of


def described(name, columns, key=("id",), unique=(), indexes=(), foreign_keys=(), defaults=None, portable=True,
              reasons=()):
    """What describe answers, key order included."""
    out = []
    for n, words in columns.items():
        c = column(n, words)
        out.append({"name": n, "type": c["type"], "null": c.get("null", True) and n not in key,
                    "default": (defaults or {}).get(n), "auto": c.get("auto", False)})
    return {"name": name, "columns": out, "primary_key": list(key), "unique": [list(u) for u in unique],
            "indexes": [list(i) for i in indexes], "foreign_keys": list(foreign_keys), "portable": portable,
            "reasons": list(reasons)}


EVERY_TYPE = {"id": "int", "i": "int!", "b": "bool", "f": "float", "d": "decimal(10,2)", "t": "text(20)", "tt": "text",
              "y": "bytes(8)", "yy": "bytes", "w": "time"}


def test_describe_tells_what_create_table_was_told(db, table):
    t = table(EVERY_TYPE)
    db.gives(described(t, EVERY_TYPE), "describe", t)


def test_describe_tells_of_keys_and_indexes(db, table):
    columns = {"a": "int", "b": "text(10)", "c": "int", "d": "time"}
    t = table(columns, key=["b", "a"], unique=[["c"], ["d", "c"]], indexes=[["d"], ["c", "a"]])
    got = db.call("describe", t)
    assert got["primary_key"] == ["b", "a"]
    assert sorted(got["unique"]) == [["c"], ["d", "c"]]
    assert sorted(got["indexes"]) == [["c", "a"], ["d"]]
    assert got["portable"] is True and got["reasons"] == []
    assert list(got) == ["name", "columns", "primary_key", "unique", "indexes", "foreign_keys", "portable", "reasons"]


def test_describe_tells_of_defaults_and_generated_keys(db, table):
    columns = {"id": "int+", "i": "int", "b": "bool!", "f": "float", "d": "decimal(6,2)", "t": "text(20)!", "y": "bytes(8)",
               "w": "time"}
    defaults = {"i": -5, "b": True, "f": 1.5, "d": "2.50", "t": "it's \"x\" \\ %", "y": b"\0'\xff", "w": time_of(2024, 2, 29)}
    t = table(columns, defaults=defaults)
    db.gives(described(t, columns, defaults=defaults), "describe", t)
    db.gives({"inserted": 1, "ids": [1]}, "insert", t, {})
    db.gives({"id": 1, **defaults}, "get", t, 1)


def test_describe_tells_of_foreign_keys(db, table):
    p = table({"id": "int", "a": "int", "b": "int"}, unique=[["a", "b"]])
    c = table({"id": "int", "p": "int", "x": "int", "y": "int"}, foreign_keys=[
        foreign_key(["p"], p, on_delete="cascade"), foreign_key(["x", "y"], p, ["a", "b"])])
    got = db.call("describe", c)
    assert sorted(got["foreign_keys"], key=lambda k: k["columns"]) == [
        {"columns": ["p"], "table": p, "references": ["id"], "on_delete": "cascade"},
        {"columns": ["x", "y"], "table": p, "references": ["a", "b"], "on_delete": "restrict"}]
    assert all(list(k) == ["columns", "table", "references", "on_delete"] for k in got["foreign_keys"])
    assert got["portable"] is True


@pytest.mark.parametrize("zero", [0, False, 0.0, "", b""])
def test_a_default_of_nothing_is_not_no_default(db, table, zero):
    kind = {int: "int", bool: "bool", float: "float", str: "text(5)", bytes: "bytes(5)"}[type(zero)]
    t = table({"id": "int", "v": kind + "!"}, defaults={"v": zero})
    db.gives({"inserted": 1}, "insert", t, {"id": 1})
    db.gives({"id": 1, "v": zero}, "get", t, 1)
    assert db.call("describe", t)["columns"][1]["default"] == zero


def test_tables_lists_names_in_order(db, table):
    for name in ("zz_last", "aa_first", "mm_mid"):
        table({"id": "int"}, name=name)
    got = db.call("tables")
    assert got == sorted(got) and {"zz_last", "aa_first", "mm_mid"} <= set(got)
    assert not [n for n in got if n.startswith(("_rowd_", "sqlite_"))]


def test_a_table_can_be_dropped_and_made_again(db, table):
    t = table({"id": "int", "a": "int"}, rows=[(1, 2)])
    db.gives(True, "drop_table", t)
    assert t not in db.call("tables")
    for call in (["count", t], ["describe", t], ["insert", t, {"id": 1}], ["drop_table", t], ["delete_all", t], ["get", t, 1]):
        db.refuses("unknown_table", *call, table=t)
    db.gives(True, "drop_table", t, {"if_exists": True})
    db.refuses("unknown_table", "drop_table", t, {"if_exists": False}, table=t)
    table({"id": "int", "b": "text(5)"}, name=t, rows=[(1, "x")])
    db.gives({"id": 1, "b": "x"}, "get", t, 1)


def test_create_table_minds_what_exists(db, table):
    columns = {"id": "int", "a": "text(5)!", "n": "int"}
    t = table(columns, indexes=[["a"]], defaults={"n": 3}, rows=[(1, "x", 1)])
    same = schema(columns, indexes=[["a"]], defaults={"n": 3})
    db.refuses("table_exists", "create_table", t, same, table=t)
    db.refuses("table_exists", "create_table", t, same, {"if_not_exists": False}, table=t)
    db.gives(True, "create_table", t, same, {"if_not_exists": True})
    others = [schema(dict(columns, a="text(6)!"), indexes=[["a"]], defaults={"n": 3}),
              schema(dict(columns, a="text(5)"), indexes=[["a"]], defaults={"n": 3}),
              schema(dict(columns, n="float"), indexes=[["a"]], defaults={"n": 3.0}),
              schema(columns, indexes=[["a"]], defaults={"n": 4}), schema(columns, indexes=[["a"]]),
              schema(columns, indexes=[["n"]], defaults={"n": 3}), schema(columns, defaults={"n": 3}),
              schema(columns, unique=[["a"]], defaults={"n": 3}),
              schema(columns, key=["n"], indexes=[["a"]], defaults={}),
              schema(dict(columns, more="int"), indexes=[["a"]], defaults={"n": 3}),
              schema({"id": "int", "a": "text(5)!"}, indexes=[["a"]]),
              schema({"id": "int+", "a": "text(5)!", "n": "int"}, indexes=[["a"]], defaults={"n": 3})]
    for other in others:
        db.refuses("schema_mismatch", "create_table", t, other, {"if_not_exists": True}, table=t)
    db.gives({"id": 1, "a": "x", "n": 1}, "get", t, 1)


ID = {"name": "id", "type": "int"}
INVALID = [
    {"columns": [ID]}, {"columns": [ID], "primary_key": []}, {"columns": [], "primary_key": ["id"]},
    {"columns": [ID], "primary_key": ["nope"]}, {"columns": [ID, ID], "primary_key": ["id"]},
    {"columns": [ID], "primary_key": ["id", "id"]},
    {"columns": [ID, {"name": "a", "type": "integer"}], "primary_key": ["id"]},
    {"columns": [ID, {"name": "a", "type": "text(0)"}], "primary_key": ["id"]},
    {"columns": [ID, {"name": "a", "type": "text(-1)"}], "primary_key": ["id"]},
    {"columns": [ID, {"name": "a", "type": "text()"}], "primary_key": ["id"]},
    {"columns": [ID, {"name": "a", "type": "text(5"}], "primary_key": ["id"]},
    {"columns": [ID, {"name": "a", "type": "text(99999999999999999999)"}], "primary_key": ["id"]},
    {"columns": [ID, {"name": "a", "type": "decimal"}], "primary_key": ["id"]},
    {"columns": [ID, {"name": "a", "type": "decimal(19,2)"}], "primary_key": ["id"]},
    {"columns": [ID, {"name": "a", "type": "decimal(5,6)"}], "primary_key": ["id"]},
    {"columns": [ID, {"name": "a", "type": "decimal(0,0)"}], "primary_key": ["id"]},
    {"columns": [ID, {"name": "a", "type": "int; drop table x"}], "primary_key": ["id"]},
    {"columns": [ID, {"name": "a", "type": ""}], "primary_key": ["id"]},
    {"columns": [ID, {"name": "a", "type": "int(11)"}], "primary_key": ["id"]},
    {"columns": [{"name": "id", "type": "int", "null": True}], "primary_key": ["id"]},
    {"columns": [{"name": "id", "type": "text(5)", "auto": True}], "primary_key": ["id"]},
    {"columns": [ID, {"name": "n", "type": "int", "auto": True}], "primary_key": ["id"]},
    {"columns": [{"name": "id", "type": "int", "auto": True}, {"name": "n", "type": "int"}], "primary_key": ["id", "n"]},
    {"columns": [ID], "primary_key": ["id"], "unique": [["nope"]]}, {"columns": [ID], "primary_key": ["id"], "unique": [[]]},
    {"columns": [ID], "primary_key": ["id"], "indexes": [["nope"]]}, {"columns": [ID], "primary_key": ["id"], "indexes": [[]]},
    {"columns": [ID], "primary_key": ["id"], "indexes": [["id", "id"]]},
    {"columns": [{"name": "id", "type": "text"}], "primary_key": ["id"]},
    {"columns": [{"name": "id", "type": "bytes"}], "primary_key": ["id"]},
    {"columns": [ID, {"name": "a", "type": "text"}], "primary_key": ["id"], "indexes": [["a"]]},
    {"columns": [ID, {"name": "a", "type": "bytes"}], "primary_key": ["id"], "unique": [["a"]]},
    {"columns": [ID], "primary_key": ["id"], "foreign_keys": [foreign_key(["nope"], "people")]},
    {"columns": [ID, {"name": "p", "type": "int"}], "primary_key": ["id"], "foreign_keys": [foreign_key(["p"], "no_such_parent")]},
    {"columns": [ID, {"name": "p", "type": "int"}], "primary_key": ["id"], "foreign_keys": [foreign_key(["p"], "people", ["nope"])]},
    {"columns": [ID, {"name": "p", "type": "int"}], "primary_key": ["id"], "foreign_keys": [foreign_key(["p"], "people", ["age"])]},
    {"columns": [ID, {"name": "p", "type": "text(5)"}], "primary_key": ["id"], "foreign_keys": [foreign_key(["p"], "people")]},
    {"columns": [ID, {"name": "p", "type": "int"}], "primary_key": ["id"], "foreign_keys": [foreign_key(["p"], "people", ["id", "age"])]},
    {"columns": [ID, {"name": "p", "type": "int"}], "primary_key": ["id"], "foreign_keys": [foreign_key(["p"], "people", on_delete="explode")]},
    {"columns": [ID, {"name": "p", "type": "int", "null": False}], "primary_key": ["id"],
     "foreign_keys": [foreign_key(["p"], "people", on_delete="set_null")]},
]


@pytest.mark.parametrize("bad", [pytest.param(s, id=str(i)) for i, s in enumerate(INVALID)])
def test_a_table_that_cannot_be_is_refused_whole(db, bad):
    if "people" not in db.call("tables"):
        db.call("create_table", "people", schema({"id": "int", "age": "int"}))
    db.refuses(("schema_invalid", "not_portable", "bad_request", "unknown_column", "unknown_table"), "create_table", "bad", bad)
    assert "bad" not in db.call("tables")
    db.refuses("unknown_table", "describe", "bad", table="bad")


@pytest.mark.parametrize("bad", [
    {}, {"columns": "id", "primary_key": ["id"]}, {"columns": [5], "primary_key": ["id"]}, {"columns": [ID], "primary_key": "id"},
    {"columns": [{"name": "id"}], "primary_key": ["id"]}, {"columns": [{"type": "int"}], "primary_key": ["id"]},
    {"columns": [{"name": 5, "type": "int"}], "primary_key": ["id"]}, {"columns": [dict(ID, nope=1)], "primary_key": ["id"]},
    {"columns": [ID], "primary_key": ["id"], "nope": 1}, {"columns": [dict(ID, null="no")], "primary_key": ["id"]},
    {"columns": [dict(ID, auto=1)], "primary_key": ["id"]}, {"columns": [ID], "primary_key": ["id"], "unique": ["id"]},
    {"columns": [ID], "primary_key": ["id"], "foreign_keys": [{"columns": ["id"]}]}])
def test_a_schema_of_the_wrong_shape_is_refused(db, bad):
    db.refuses(("bad_request", "schema_invalid"), "create_table", "bad2", bad)
    assert "bad2" not in db.call("tables")


@pytest.mark.parametrize("kind,value", [("int", "5"), ("int", 1.5), ("int", 2**63), ("bool", 1), ("text(3)", "abcd"), ("text(3)", 5),
                                        ("bytes(2)", b"abc"), ("decimal(4,2)", "100"), ("time", "soon"), ("float", "1")])
def test_a_default_of_another_type_is_refused(db, kind, value):
    db.refuses(("schema_invalid", "type_mismatch", "out_of_range", "too_long"), "create_table", "bad3",
               schema({"id": "int", "v": kind}, defaults={"v": value}))
    assert "bad3" not in db.call("tables")


BAD_NAMES = ["", "A", "Users", "1a", "_a", "a-b", "a b", "a\"b", "a`b", "a'b", "a;b", "é", "a\n", "a" * 49, "sqlite_x", "rowid", "oid",
             "_rowid_", "a.b.c", "a%", "drop table x"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_rowd_does_not_make_are_refused(db, name):
    if name not in ("rowid", "oid", "_rowid_"):
        db.refuses(("schema_invalid", "bad_request", "unknown_database"), "create_table", name, schema({"id": "int"}))
    db.refuses(("schema_invalid", "bad_request"), "create_table", "bad4", {"columns": [ID, {"name": name, "type": "int"}],
                                                                           "primary_key": ["id"]})
    assert "bad4" not in db.call("tables") and name not in db.call("tables")


@pytest.mark.parametrize("name", ["select", "order", "group", "table", "rank", "groups", "lateral", "window", "key", "index", "values",
                                  "user", "system", "a", "a_", "a0", "x" * 48])
def test_any_word_of_sql_is_a_good_name(db, table, name):
    table({"id": "int", name: "int"}, name=name, rows=[(1, 5)], indexes=[[name]])
    db.gives({"id": 1, name: 5}, "get", name, 1)
    db.gives({"updated": 1}, "update_where", name, [">", name, 4], {name: ["+", ["col", name], 1]})
    db.gives({"columns": [name], "rows": [[6]], "more": False}, "select", name, {"columns": [name], "order": ["-" + name]})
    db.gives({"columns": [name, "n"], "rows": [[6, 1]], "more": False}, "aggregate", name,
             {"group_by": [name], "compute": {"n": ["count"]}})
    db.gives({"deleted": 1}, "delete_where", name, {name: 6})
    db.gives(True, "drop_index", name, [name])
    db.gives(True, "drop_table", name)


@pytest.mark.parametrize("name", ["_rowd_columns", "_rowd_requests", "_rowd_x", "sqlite_master", "sqlite_sequence", "sqlite_schema"])
def test_rowds_own_tables_are_not_reachable(db, name):
    db.refuses("unknown_table", "count", name)
    db.refuses("unknown_table", "select", name)
    db.refuses("unknown_table", "delete_all", name)
    db.refuses(("unknown_table", "schema_invalid", "bad_request"), "drop_table", name)
    db.refuses(("unknown_table", "schema_invalid", "bad_request"), "create_index", name, ["id"])


def test_a_hundred_columns_are_the_limit(db, table):
    columns = {"id": "int", **{"c%d" % i: "int" for i in range(99)}}
    t = table(columns)
    row = {n: i for i, n in enumerate(columns)}
    db.gives({"inserted": 1}, "insert", t, row)
    db.gives(row, "get", t, 0)
    db.refuses("limit", "create_table", "wide", schema(dict(columns, more="int")), limit=100)
    db.refuses("limit", "add_column", t, {"name": "more", "type": "int"}, limit=100)


def test_index_keys_of_3072_bytes_are_the_limit(db, table):
    t = table({"id": "int", "a": "text(766)", "b": "bytes(3072)", "c": "bytes(8)"}, indexes=[["a", "id"], ["b"]])
    assert sorted(db.call("describe", t)["indexes"]) == [["a", "id"], ["b"]]
    for kind in ("text(769)", "bytes(3073)"):
        db.refuses(("limit", "schema_invalid"), "create_table", "bad5", schema({"id": "int", "a": kind}, indexes=[["a"]]))
        db.refuses(("limit", "schema_invalid"), "create_table", "bad5", schema({"id": kind}))
        db.refuses(("limit", "schema_invalid"), "create_table", "bad5", schema({"id": "int", "a": kind}, unique=[["a"]]))
    db.refuses(("limit", "schema_invalid"), "create_index", t, ["b", "c"])


def test_indexes_come_and_go(db, table):
    t = table({"id": "int", "a": "int", "b": "text(5)", "u": "text"}, rows=[(1, 1, "x", ""), (2, 1, "y", "")])
    db.gives(True, "create_index", t, ["a"])
    db.refuses("index_exists", "create_index", t, ["a"])
    db.gives(True, "create_index", t, ["a"], {"if_not_exists": True})
    db.gives(True, "create_index", t, ["a", "b"], {"unique": True})
    got = db.call("describe", t)
    assert got["indexes"] == [["a"]] and got["unique"] == [["a", "b"]] and got["portable"] is True
    db.refuses("conflict", "insert", t, {"id": 3, "a": 1, "b": "x"})
    db.gives(True, "drop_index", t, ["a", "b"])
    db.gives({"inserted": 1}, "insert", t, {"id": 3, "a": 1, "b": "x"})
    db.refuses("unknown_index", "drop_index", t, ["a", "b"])
    db.refuses("unknown_index", "drop_index", t, ["b", "a"])
    db.refuses("conflict", "create_index", t, ["a", "b"], {"unique": True})
    db.gives(True, "drop_index", t, ["a"])
    db.refuses("unknown_column", "create_index", t, ["nope"], column="nope")
    db.refuses("unknown_table", "create_index", "nope", ["a"], table="nope")
    db.refuses("unknown_table", "drop_index", "nope", ["a"], table="nope")
    db.refuses(("bad_request", "schema_invalid"), "create_index", t, [])
    db.refuses(("schema_invalid", "not_portable"), "create_index", t, ["u"])
    got = db.call("describe", t)
    assert got["indexes"] == [] and got["unique"] == []


def test_the_primary_key_is_not_dropped_as_an_index(db, table):
    t = table({"id": "int", "a": "int"}, unique=[["a"]])
    db.refuses("unknown_index", "drop_index", t, ["id"])
    db.gives(True, "drop_index", t, ["a"])
    assert db.call("describe", t)["unique"] == []


def test_columns_are_added(db, table):
    t = table({"id": "int"}, rows=[(1,)])
    db.gives(True, "add_column", t, {"name": "a", "type": "text(5)"})
    db.gives(True, "add_column", t, {"name": "b", "type": "int", "null": False, "default": 7})
    db.gives(True, "add_column", t, {"name": "c", "type": "time", "default": time_of(2024)})
    db.gives(True, "add_column", t, {"name": "d", "type": "decimal(5,2)", "default": "1.50", "null": False})
    db.gives(True, "add_column", t, {"name": "e", "type": "bytes(4)", "default": b"\0'"})
    db.gives(True, "add_column", t, {"name": "f", "type": "bool"})
    db.gives(True, "add_column", t, {"name": "g", "type": "text"})
    db.gives({"id": 1, "a": None, "b": 7, "c": time_of(2024), "d": "1.50", "e": b"\0'", "f": None, "g": None}, "get", t, 1)
    db.gives({"inserted": 1}, "insert", t, {"id": 2, "a": "x"})
    db.gives({"id": 2, "a": "x", "b": 7, "c": time_of(2024), "d": "1.50", "e": b"\0'", "f": None, "g": None}, "get", t, 2)
    db.refuses("too_long", "insert", t, {"id": 3, "a": "toolong"})
    db.refuses("type_mismatch", "insert", t, {"id": 3, "f": 1})
    got = db.call("describe", t)
    assert [c["name"] for c in got["columns"]] == ["id", "a", "b", "c", "d", "e", "f", "g"]
    assert [c["type"] for c in got["columns"]] == ["int", "text(5)", "int", "time", "decimal(5,2)", "bytes(4)", "bool", "text"]
    assert got["portable"] is True, got["reasons"]


@pytest.mark.parametrize("bad", [
    {"name": "a", "type": "int"}, {"name": "id", "type": "int"}, {"name": "B", "type": "int"}, {"name": "b", "type": "what"},
    {"name": "b", "type": "int", "auto": True}, {"name": "b"}, {"type": "int"}, {"name": "b", "type": "int", "nope": 1},
    {"name": "b", "type": "int", "default": "x"}, {"name": "b", "type": "int", "null": False}])
def test_a_column_that_cannot_be_added_is_refused(db, table, bad):
    t = table({"id": "int", "a": "int"}, rows=[(1, 1)])
    db.refuses(("schema_invalid", "bad_request", "type_mismatch", "null_not_allowed"), "add_column", t, bad)
    db.gives({"id": 1, "a": 1}, "get", t, 1)
    db.refuses("unknown_table", "add_column", "nope", {"name": "b", "type": "int"}, table="nope")


def test_a_parent_is_not_dropped_from_under_its_children(db, table):
    p = table({"id": "int"})
    c = table({"id": "int", "p": "int"}, foreign_keys=[foreign_key(["p"], p)])
    db.refuses("foreign_key", "drop_table", p)
    db.gives(True, "drop_table", c)
    db.gives(True, "drop_table", p)


def test_what_one_connection_changes_all_others_see(db, other, table):
    t = table({"id": "int"}, rows=[(1,)])
    other.gives({"id": 1}, "get", t, 1)
    db.gives(True, "add_column", t, {"name": "a", "type": "int", "default": 4})
    other.gives({"id": 1, "a": 4}, "get", t, 1)
    other.gives({"columns": ["a"], "rows": [[4]], "more": False}, "select", t, {"columns": ["a"]})
    other.gives(True, "drop_table", t)
    db.refuses("unknown_table", "get", t, 1, table=t)


def test_a_table_of_another_database_is_named_with_a_dot(db):
    db.gives(True, "create_table", "other.dotted", schema({"id": "int", "a": "text(3)"}))
    db.gives({"inserted": 1}, "insert", "other.dotted", {"id": 1, "a": "x"})
    db.refuses("unknown_table", "get", "dotted", 1)
    assert "dotted" not in db.call("tables")
    db.gives(True, "use", "other")
    db.gives({"id": 1, "a": "x"}, "get", "dotted", 1)
    db.gives({"id": 1, "a": "x"}, "get", "other.dotted", 1)
    assert db.call("tables") == ["dotted"]
    db.gives(True, "use", "main")
    db.refuses("unknown_table", "count", "dotted")
    db.refuses("unknown_database", "count", "nowhere.dotted")
    db.refuses("unknown_table", "count", "other.nothing")
    db.gives(True, "drop_table", "other.dotted")
