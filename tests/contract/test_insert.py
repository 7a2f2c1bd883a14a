"""insert and upsert: all or nothing, generated ids, defaults, what comes back."""
import pytest

from lib.wire import pack


def rows_of(db, t):
    return db.call("select", t)["rows"]


def test_one_row_or_many(db, table):
    t = table({"id": "int", "a": "text(5)"})
    db.gives({"inserted": 1}, "insert", t, {"id": 1, "a": "x"})
    db.gives({"inserted": 1}, "insert", t, [{"id": 2, "a": "y"}])
    db.gives({"inserted": 3}, "insert", t, [{"id": 5}, {"a": None, "id": 4}, {"a": "z", "id": 3}])
    assert rows_of(db, t) == [[1, "x"], [2, "y"], [3, "z"], [4, None], [5, None]]


def test_insert_is_all_or_nothing(db, table):
    t = table({"id": "int", "a": "text(3)!", "u": "int"}, unique=[["u"]], rows=[(1, "x", 1)])
    for bad, name in [
            ([{"id": 2, "a": "y"}, {"id": 1, "a": "z"}], "conflict"), ([{"id": 2, "a": "y"}, {"id": 2, "a": "z"}], "conflict"),
            ([{"id": 2, "a": "y", "u": 5}, {"id": 3, "a": "z", "u": 5}], "conflict"), ([{"id": 2, "a": "y"}, {"id": 3, "a": "z", "u": 1}], "conflict"),
            ([{"id": 2, "a": "y"}, {"id": 3}], "null_not_allowed"), ([{"id": 2, "a": "y"}, {"id": 3, "a": None}], "null_not_allowed"),
            ([{"id": 2, "a": "y"}, {"id": 3, "a": "long"}], "too_long"), ([{"id": 2, "a": "y"}, {"id": 3, "a": 5}], "type_mismatch"),
            ([{"id": 2, "a": "y"}, {"id": 3, "a": "z", "b": 1}], "unknown_column"), ([{"id": 2, "a": "y"}, {"id": 2**63, "a": "z"}], "out_of_range"),
            ([{"id": 2, "a": "y"}, 5], "bad_request"), ([{"id": 2, "a": "y"}, None], "bad_request"), ([{"id": 2, "a": "y"}, [3, "z"]], "bad_request")]:
        db.refuses(name, "insert", t, bad)
        assert rows_of(db, t) == [[1, "x", 1]], bad
    many = [{"id": i, "a": "m"} for i in range(2, 3000)] + [{"id": 1, "a": "m"}]
    db.refuses("conflict", "insert", t, many)
    assert rows_of(db, t) == [[1, "x", 1]]


def test_what_is_no_row_is_refused(db, table):
    t = table({"id": "int", "a": "int"})
    for bad in (5, "x", None, b"x", True, 1.5, [[1, 2]], [5]):
        db.refuses("bad_request", "insert", t, bad)
        db.refuses("bad_request", "upsert", t, bad)
    db.refuses("null_not_allowed", "insert", t, {"a": 1}, column="id")
    db.refuses("null_not_allowed", "insert", t, {"id": None, "a": 1}, column="id")
    db.refuses("null_not_allowed", "insert", t, {}, column="id")
    db.refuses("null_not_allowed", "upsert", t, {"a": 1}, column="id")
    db.send_raw(b"\x94\x00" + pack(500) + pack("insert") + b"\x92" + pack(t) + b"\x82" + pack("id") + b"\x01" + pack("id") + b"\x02")
    db.refused("bad_request", 500)
    db.send_raw(b"\x94\x00" + pack(501) + pack("insert") + b"\x92" + pack(t) + b"\x81\x05\x01")
    db.refused("bad_request", 501)
    db.gives(0, "count", t)


def test_null_given_is_not_the_default(db, table):
    t = table({"id": "int", "a": "int", "b": "int!"}, defaults={"a": 7, "b": 8})
    db.call("insert", t, [{"id": 1}, {"id": 2, "a": None}, {"id": 3, "a": 1, "b": 2}])
    assert rows_of(db, t) == [[1, 7, 8], [2, None, 8], [3, 1, 2]]
    db.refuses("null_not_allowed", "insert", t, {"id": 4, "b": None}, column="b")


def test_generated_ids_come_in_the_order_of_the_rows(db, table):
    t = table({"id": "int+", "a": "text(5)"})
    db.gives({"inserted": 1, "ids": [1]}, "insert", t, {"a": "x"})
    db.gives({"inserted": 3, "ids": [2, 3, 4]}, "insert", t, [{"a": "y"}, {}, {"a": "z"}])
    db.gives({"inserted": 1, "ids": [100]}, "insert", t, {"id": 100, "a": "own"})
    db.gives({"inserted": 1, "ids": [101]}, "insert", t, {"a": "next"})
    db.gives({"inserted": 1, "ids": [50]}, "insert", t, {"id": 50})
    db.gives({"inserted": 1, "ids": [102]}, "insert", t, {"id": None})
    assert [r[0] for r in rows_of(db, t)] == [1, 2, 3, 4, 50, 100, 101, 102]


def test_generated_ids_are_never_used_again(db, table):
    t = table({"id": "int+", "a": "int"})
    db.gives({"inserted": 3, "ids": [1, 2, 3]}, "insert", t, [{}, {}, {}])
    db.gives({"deleted": 1}, "delete", t, 3)
    db.gives({"inserted": 1, "ids": [4]}, "insert", t, {})
    db.gives({"deleted": 3}, "delete_all", t)
    db.gives({"inserted": 1, "ids": [5]}, "insert", t, {})


def test_zero_and_negative_ids_are_ids(db, table):
    t = table({"id": "int+", "a": "int"})
    db.gives({"inserted": 1, "ids": [0]}, "insert", t, {"id": 0, "a": 1})
    db.gives({"inserted": 1, "ids": [-5]}, "insert", t, {"id": -5, "a": 2})
    assert rows_of(db, t) == [[-5, 2], [0, 1]]
    got = db.call("insert", t, {"a": 3})["ids"][0]
    assert got >= 1


def test_rows_with_and_without_ids_mix(db, table):
    t = table({"id": "int+", "a": "int"})
    got = db.call("insert", t, [{"id": 10, "a": 1}, {"a": 2}, {"id": 20, "a": 3}, {"a": 4}])
    assert got == {"inserted": 4, "ids": [10, 11, 20, 21]}
    assert rows_of(db, t) == [[10, 1], [11, 2], [20, 3], [21, 4]]


def test_returning_brings_the_rows_as_they_are_stored(db, table):
    t = table({"id": "int+", "a": "text(5)", "d": "decimal(5,2)"}, defaults={"a": "dflt"})
    db.gives({"inserted": 1, "ids": [1], "columns": ["id"], "rows": [[1]]}, "insert", t, {"d": "1"}, {"returning": "keys"})
    db.gives({"inserted": 2, "ids": [2, 3], "columns": ["id", "a", "d"], "rows": [[2, "dflt", "2.00"], [3, "x", None]]},
             "insert", t, [{"d": "2"}, {"a": "x"}], {"returning": "rows"})
    db.gives({"inserted": 1, "ids": [4], "columns": ["d", "id"], "rows": [["3.50", 4]]}, "insert", t, {"d": "3.5"}, {"returning": ["d", "id"]})
    c = table({"a": "int", "b": "int", "n": "int"}, key=["b", "a"])
    db.gives({"inserted": 1, "columns": ["b", "a"], "rows": [[2, 1]]}, "insert", c, {"a": 1, "b": 2}, {"returning": "keys"})
    db.refuses("unknown_column", "insert", t, {"d": "9"}, {"returning": ["nope"]}, column="nope")
    for bad in ("all", "", [], ["id", "id"], 5, True, [5]):
        db.refuses("bad_request", "insert", t, {"d": "9"}, {"returning": bad})
    db.gives(4, "count", t)


def test_unique_keys_let_nulls_pass(db, table):
    t = table({"id": "int", "a": "int", "b": "text(3)"}, unique=[["a"], ["b", "a"]])
    db.gives({"inserted": 4}, "insert", t, [{"id": 1}, {"id": 2}, {"id": 3, "b": "x"}, {"id": 4, "b": "x"}])
    db.gives({"inserted": 1}, "insert", t, {"id": 5, "a": 1, "b": "x"})
    db.refuses("conflict", "insert", t, {"id": 6, "a": 1}, table=t)
    db.refuses("conflict", "update", t, 1, {"a": 1}, table=t)
    db.gives({"updated": 1}, "update", t, 5, {"a": 1})


def test_upsert_adds_or_changes(db, table):
    t = table({"id": "int", "a": "text(5)", "n": "int"}, defaults={"n": 7}, rows=[(1, "x", 1)])
    db.gives({"inserted": 1, "updated": 0}, "upsert", t, {"id": 2, "a": "y"})
    db.gives({"inserted": 0, "updated": 1}, "upsert", t, {"id": 1, "a": "z"})
    assert rows_of(db, t) == [[1, "z", 1], [2, "y", 7]]
    db.gives({"inserted": 2, "updated": 2}, "upsert", t, [{"id": 1, "n": 5}, {"id": 3}, {"id": 2, "a": None}, {"id": 4, "a": "w", "n": 0}])
    assert rows_of(db, t) == [[1, "z", 5], [2, None, 7], [3, None, 7], [4, "w", 0]]
    db.gives({"inserted": 0, "updated": 1}, "upsert", t, {"id": 1})
    db.gives({"inserted": 0, "updated": 1}, "upsert", t, {"id": 1, "a": "z", "n": 5})
    assert rows_of(db, t)[0] == [1, "z", 5]


def test_upsert_is_by_primary_key_only(db, table):
    t = table({"id": "int", "u": "int", "a": "text(5)!"}, unique=[["u"]], rows=[(1, 10, "x"), (2, 20, "y")])
    db.refuses("conflict", "upsert", t, {"id": 3, "u": 10, "a": "z"}, table=t)
    db.refuses("conflict", "upsert", t, {"id": 1, "u": 20, "a": "z"}, table=t)
    db.refuses("conflict", "upsert", t, [{"id": 9, "u": 90, "a": "q"}, {"id": 3, "u": 10, "a": "z"}])
    db.refuses("null_not_allowed", "upsert", t, {"id": 3, "u": 30})
    assert rows_of(db, t) == [[1, 10, "x"], [2, 20, "y"]]
    db.gives({"inserted": 0, "updated": 1}, "upsert", t, {"id": 1, "u": 10, "a": "same"})
    c = table({"a": "int", "b": "text(3)", "n": "int"}, key=["b", "a"], rows=[(1, "x", 5)])
    db.gives({"inserted": 1, "updated": 1}, "upsert", c, [{"b": "x", "a": 1, "n": 6}, {"a": 2, "b": "x", "n": 7}])
    assert rows_of(db, c) == [[1, "x", 6], [2, "x", 7]]


def test_upsert_of_the_same_key_twice_in_one_request(db, table):
    t = table({"id": "int", "a": "int", "b": "int"})
    db.gives({"inserted": 1, "updated": 1}, "upsert", t, [{"id": 1, "a": 5}, {"id": 1, "b": 6}])
    assert rows_of(db, t) == [[1, 5, 6]]


def test_upsert_returning(db, table):
    t = table({"id": "int", "a": "text(5)"}, rows=[(1, "x")])
    db.gives({"inserted": 1, "updated": 1, "columns": ["id", "a"], "rows": [[1, "z"], [2, None]]}, "upsert", t,
             [{"id": 1, "a": "z"}, {"id": 2}], {"returning": "rows"})
    db.gives({"inserted": 0, "updated": 1, "columns": ["id"], "rows": [[2]]}, "upsert", t, {"id": 2}, {"returning": "keys"})


def test_many_rows_in_one_request(db, table):
    t = table({"id": "int", "a": "text(20)", "b": "bytes(4)", "f": "float"})
    n = 20000
    db.gives({"inserted": n}, "insert", t, [{"id": i, "a": "row %d" % i, "b": i.to_bytes(4, "big"), "f": i / 2} for i in range(n)])
    db.gives(n, "count", t)
    db.gives({"id": 12345, "a": "row 12345", "b": (12345).to_bytes(4, "big"), "f": 6172.5}, "get", t, 12345)
    db.gives({"columns": ["s"], "rows": [[n * (n - 1) // 2]], "more": False}, "aggregate", t, {"compute": {"s": ["sum", "id"]}})


def test_ids_past_the_last_are_refused(db, table):
    t = table({"id": "int+", "a": "int"})
    db.gives({"inserted": 1, "ids": [2**63 - 1]}, "insert", t, {"id": 2**63 - 1})
    db.refuses("out_of_range", "insert", t, {"a": 1})
    db.gives(1, "count", t)


@pytest.mark.parametrize("seed", range(3))
def test_ids_are_unique_and_increasing_whoever_inserts(db, other, table, seed):
    t = table({"id": "int+", "n": "int"})
    sent = []
    for i in range(60):
        c = (db, other)[i % 2]
        sent.append((c, c.send("insert", t, [{"n": i}] * (1 + (i + seed) % 3))))
    got = [(c, c.result(m)["ids"]) for c, m in sent]
    every = [i for _, ids in got for i in ids]
    assert len(set(every)) == len(every)
    for c in (db, other):
        own = [i for who, ids in got if who is c for i in ids]
        assert own == sorted(own)
