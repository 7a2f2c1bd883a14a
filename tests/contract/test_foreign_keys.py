"""Foreign keys: restrict, cascade, set_null, the same everywhere."""
import pytest

from lib.schema import foreign_key, schema


@pytest.fixture
def parent(table):
    return table({"id": "int", "a": "int", "b": "text(3)"}, unique=[["a", "b"], ["b"]],
                 rows=[(1, 1, "x"), (2, 2, "y"), (3, None, None)])


def rows_of(db, t):
    return db.call("select", t)["rows"]


def test_a_child_needs_its_parent(db, table, parent):
    c = table({"id": "int", "p": "int"}, foreign_keys=[foreign_key(["p"], parent)], rows=[(1, 1), (2, None)])
    db.refuses("foreign_key", "insert", c, {"id": 3, "p": 99}, table=c)
    db.refuses("foreign_key", "insert", c, [{"id": 3, "p": 1}, {"id": 4, "p": 99}], table=c)
    db.refuses("foreign_key", "upsert", c, {"id": 1, "p": 99}, table=c)
    db.refuses("foreign_key", "update", c, 1, {"p": 99}, table=c)
    db.refuses("foreign_key", "update_all", c, {"p": 99}, table=c)
    assert rows_of(db, c) == [[1, 1], [2, None]]
    db.gives({"updated": 1}, "update", c, 2, {"p": 3})
    db.gives({"updated": 1}, "update", c, 1, {"p": None})


@pytest.mark.parametrize("on_delete", [None, "restrict"])
def test_restrict_keeps_a_parent_that_has_children(db, table, parent, on_delete):
    c = table({"id": "int", "p": "int"}, foreign_keys=[foreign_key(["p"], parent, on_delete=on_delete)], rows=[(1, 1), (2, None)])
    db.refuses("foreign_key", "delete", parent, 1)
    db.refuses("foreign_key", "delete_all", parent)
    db.refuses("foreign_key", "delete_where", parent, ["in", "id", [1, 2]])
    db.refuses("foreign_key", "delete_where", parent, ["in", "id", [1, 2]], {"returning": "rows"})
    db.gives(3, "count", parent)
    db.gives({"deleted": 1}, "delete", parent, 2)
    db.gives({"deleted": 1}, "delete", c, 1)
    db.gives({"deleted": 2}, "delete_all", parent)


def test_cascade_takes_the_children_along(db, table, parent):
    c = table({"id": "int", "p": "int"}, foreign_keys=[foreign_key(["p"], parent, on_delete="cascade")],
              rows=[(1, 1), (2, 1), (3, 2), (4, None)])
    db.gives({"deleted": 1}, "delete", parent, 1)
    assert rows_of(db, c) == [[3, 2], [4, None]]
    db.gives({"deleted": 2}, "delete_all", parent)
    assert rows_of(db, c) == [[4, None]]


def test_set_null_lets_the_children_go(db, table, parent):
    c = table({"id": "int", "p": "int"}, foreign_keys=[foreign_key(["p"], parent, on_delete="set_null")],
              rows=[(1, 1), (2, 1), (3, 2)])
    db.gives({"deleted": 1}, "delete", parent, 1)
    assert rows_of(db, c) == [[1, None], [2, None], [3, 2]]
    db.gives({"deleted": 2}, "delete_where", parent, ["not_null", "id"])
    assert rows_of(db, c) == [[1, None], [2, None], [3, None]]


def test_composite_and_unique_keys_can_be_referenced(db, table, parent):
    c = table({"id": "int", "x": "int", "y": "text(3)", "z": "text(3)"}, foreign_keys=[
        foreign_key(["x", "y"], parent, ["a", "b"], "cascade"), foreign_key(["z"], parent, ["b"], "set_null")],
        rows=[(1, 1, "x", "y"), (2, 1, None, None), (3, 2, "y", "x"), (4, None, "q", None)])
    db.refuses("foreign_key", "insert", c, {"id": 9, "x": 1, "y": "y"}, table=c)
    db.refuses("foreign_key", "insert", c, {"id": 9, "z": "q"}, table=c)
    db.gives({"deleted": 1}, "delete", parent, 1)
    assert rows_of(db, c) == [[2, 1, None, None], [3, 2, "y", None], [4, None, "q", None]]
    db.refuses("foreign_key", "update", parent, 2, {"b": "new"})
    db.gives({"updated": 1}, "update", parent, 3, {"b": "new"})


def test_restrict_below_a_cascade_blocks_the_whole(db, table, parent):
    c = table({"id": "int", "p": "int"}, foreign_keys=[foreign_key(["p"], parent, on_delete="cascade")], rows=[(10, 1), (11, 2)])
    g = table({"id": "int", "c": "int"}, foreign_keys=[foreign_key(["c"], c)], rows=[(100, 10)])
    db.refuses("foreign_key", "delete", parent, 1)
    db.refuses("foreign_key", "delete_all", parent)
    assert rows_of(db, c) == [[10, 1], [11, 2]]
    db.gives({"deleted": 1}, "delete", parent, 2)
    db.gives({"deleted": 1}, "delete", g, 100)
    db.gives({"deleted": 1}, "delete", parent, 1)
    assert rows_of(db, c) == []


def test_a_row_may_refer_to_another_of_its_table(db, table):
    t = table({"id": "int", "boss": "int"}, foreign_keys=[])
    db.call("drop_table", t)
    db.gives(True, "create_table", t, schema({"id": "int", "boss": "int"}, foreign_keys=[foreign_key(["boss"], t)]))
    db.gives({"inserted": 1}, "insert", t, {"id": 1})
    db.gives({"inserted": 1}, "insert", t, {"id": 2, "boss": 1})
    db.refuses("foreign_key", "insert", t, {"id": 3, "boss": 99})
    db.refuses("foreign_key", "delete", t, 1)
    db.gives({"deleted": 1}, "delete", t, 2)
    db.gives({"deleted": 1}, "delete", t, 1)


@pytest.mark.parametrize("on_delete", ["cascade", "set_null"])
def test_a_table_does_not_cascade_into_itself(db, on_delete):
    db.refuses(("not_portable", "schema_invalid", "unsupported"), "create_table", "selfish",
               schema({"id": "int", "boss": "int"}, foreign_keys=[foreign_key(["boss"], "selfish", on_delete=on_delete)]))
    assert "selfish" not in db.call("tables")


def test_chains_of_fifteen_are_the_deepest(db, table):
    below = table({"id": "int"})
    chain = [below]
    for _ in range(14):
        below = table({"id": "int", "p": "int"}, foreign_keys=[foreign_key(["p"], below, on_delete="cascade")])
        chain.append(below)
    db.call("insert", chain[0], {"id": 1})
    for t in chain[1:]:
        db.call("insert", t, {"id": 1, "p": 1})
    db.gives({"deleted": 1, "cascaded": {t: 1 for t in chain[1:]}}, "delete", chain[0], 1, {"cascaded": True})
    assert [db.call("count", t) for t in chain] == [0] * 15


def test_nulls_refer_to_nothing(db, table, parent):
    c = table({"id": "int", "x": "int", "y": "text(3)"}, foreign_keys=[foreign_key(["x", "y"], parent, ["a", "b"])])
    db.gives({"inserted": 3}, "insert", c, [{"id": 1}, {"id": 2, "x": 77}, {"id": 3, "y": "qqq"}])
    db.gives({"deleted": 3}, "delete_all", parent)


def test_which_error_comes_first_is_the_rows_order(db, table, parent):
    c = table({"id": "int", "p": "int", "u": "int"}, unique=[["u"]], foreign_keys=[foreign_key(["p"], parent)], rows=[(1, 1, 1)])
    db.refuses("conflict", "insert", c, {"id": 1, "p": 99, "u": 5})
    db.refuses("foreign_key", "insert", c, [{"id": 2, "p": 99, "u": 2}, {"id": 1, "p": 1, "u": 3}])
    db.refuses("conflict", "insert", c, [{"id": 1, "p": 1, "u": 3}, {"id": 2, "p": 99, "u": 2}])
    assert rows_of(db, c) == [[1, 1, 1]]
