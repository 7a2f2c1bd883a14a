"""begin, commit, rollback, savepoints, and what an error does to them."""
import threading

import pytest

from lib import wire


@pytest.fixture
def t(table):
    return table({"id": "int", "n": "int"}, rows=[(1, 10), (2, 20)])


def rows_of(c, t):
    return c.call("select", t)["rows"]


def test_commit_makes_work_lasting_and_visible(db, other, t):
    db.gives(True, "begin")
    db.gives({"inserted": 1}, "insert", t, {"id": 3, "n": 30})
    db.gives({"updated": 1}, "update", t, 1, {"n": 11})
    db.gives({"deleted": 1}, "delete", t, 2)
    assert rows_of(db, t) == [[1, 11], [3, 30]]
    db.gives(True, "commit")
    assert rows_of(db, t) == rows_of(other, t) == [[1, 11], [3, 30]]


def test_rollback_undoes_everything(db, other, t):
    db.gives(True, "begin")
    db.gives({"deleted": 2}, "delete_all", t)
    db.gives({"inserted": 1}, "insert", t, {"id": 9, "n": 9})
    db.gives(True, "rollback")
    assert rows_of(db, t) == rows_of(other, t) == [[1, 10], [2, 20]]


def test_without_a_transaction_there_is_nothing_to_end(db, t):
    for call in (["commit"], ["rollback"], ["savepoint", "a"], ["rollback_to", "a"], ["release", "a"]):
        db.refuses("tx_none", *call)
    db.gives(True, "begin")
    db.gives(True, "commit")
    db.refuses("tx_none", "commit")
    db.gives(True, "begin")
    db.gives(True, "rollback")
    db.refuses("tx_none", "rollback")


def test_transactions_do_not_nest(db, t):
    db.gives(True, "begin")
    db.refuses("tx_open", "begin")
    db.gives(True, "rollback")
    db.gives(True, "begin", {})
    db.gives(True, "rollback")


def test_savepoints_go_back_and_on(db, t):
    db.gives(True, "begin")
    db.call("insert", t, {"id": 3})
    db.gives(True, "savepoint", "one")
    db.call("insert", t, {"id": 4})
    db.gives(True, "savepoint", "two words; '\"")
    db.call("insert", t, {"id": 5})
    db.gives(True, "rollback_to", "two words; '\"")
    assert [r[0] for r in rows_of(db, t)] == [1, 2, 3, 4]
    db.call("insert", t, {"id": 6})
    db.gives(True, "rollback_to", "one")
    assert [r[0] for r in rows_of(db, t)] == [1, 2, 3]
    db.gives(True, "rollback_to", "one")
    db.call("insert", t, {"id": 7})
    db.gives(True, "release", "one")
    db.gives(True, "commit")
    assert [r[0] for r in rows_of(db, t)] == [1, 2, 3, 7]


def test_a_savepoint_rolled_past_is_gone(db, t):
    db.call("begin")
    db.call("savepoint", "a")
    db.call("savepoint", "b")
    db.call("rollback_to", "a")
    db.refuses("bad_request", "rollback_to", "b")
    db.gives(True, "rollback")


@pytest.mark.parametrize("verb", ["rollback_to", "release"])
def test_a_savepoint_that_was_never_set_is_refused(db, t, verb):
    db.call("begin")
    db.refuses("bad_request", verb, "nope")
    db.gives(True, "rollback")


FAILURES = [(["insert", "{t}", {"id": 1}], "conflict"), (["insert", "nope", {"id": 1}], "unknown_table"),
            (["update", "{t}", 1, {"n": "x"}], "type_mismatch"), (["delete_where", "{t}", {}], "empty_filter"),
            (["select", "{t}", {"columns": ["x"]}], "unknown_column"), (["delete_all", "{t}", {"max_rows": 1}], "too_many_rows")]


@pytest.mark.parametrize("call,name", [pytest.param(*f, id=f[1]) for f in FAILURES])
def test_an_error_aborts_until_rollback(db, other, t, call, name):
    call = [t if p == "{t}" else p for p in call]
    db.gives(True, "begin")
    db.call("insert", t, {"id": 3})
    db.refuses(name, *call)
    for again in (["count", t], ["insert", t, {"id": 4}], ["savepoint", "s"], ["select", t], ["get", t, 1]):
        db.refuses("tx_aborted", *again)
    db.gives(True, "ping")
    db.gives(True, "rollback")
    assert rows_of(db, t) == rows_of(other, t) == [[1, 10], [2, 20]]
    db.refuses("tx_none", "rollback")


def test_commit_of_an_aborted_transaction_rolls_back(db, other, t):
    db.gives(True, "begin")
    db.call("insert", t, {"id": 3})
    db.refuses("conflict", "insert", t, {"id": 3})
    db.refuses("tx_aborted", "commit")
    db.refuses("tx_none", "commit")
    assert rows_of(db, t) == rows_of(other, t) == [[1, 10], [2, 20]]


def test_rollback_to_a_savepoint_heals(db, t):
    db.gives(True, "begin")
    db.call("insert", t, {"id": 3})
    db.gives(True, "savepoint", "s")
    db.call("insert", t, {"id": 4})
    db.refuses("conflict", "insert", t, {"id": 4})
    db.refuses("tx_aborted", "count", t)
    db.gives(True, "rollback_to", "s")
    db.gives(3, "count", t)
    db.call("insert", t, {"id": 5})
    db.gives(True, "commit")
    assert [r[0] for r in rows_of(db, t)] == [1, 2, 3, 5]


def test_schema_operations_are_not_part_of_transactions(db, t):
    for call in (["create_table", "intx", {"columns": [{"name": "id", "type": "int"}], "primary_key": ["id"]}],
                 ["drop_table", t], ["create_index", t, ["n"]], ["drop_index", t, ["n"]], ["add_column", t, {"name": "z", "type": "int"}]):
        db.gives(True, "begin")
        db.refuses("tx_open", *call)
        db.gives(True, "rollback")
    assert "intx" not in db.call("tables") and t in db.call("tables")
    assert [c["name"] for c in db.call("describe", t)["columns"]] == ["id", "n"]


def test_a_read_only_transaction_only_reads(db, t):
    db.gives(True, "begin", {"read_only": True})
    assert rows_of(db, t) == [[1, 10], [2, 20]]
    db.gives({"id": 1, "n": 10}, "get", t, 1)
    db.gives(2, "count", t)
    db.refuses("read_only", "insert", t, {"id": 3})
    db.gives(True, "rollback")
    for call in (["update", t, 1, {"n": 0}], ["delete", t, 1], ["delete_all", t], ["upsert", t, {"id": 1}],
                 ["delete_where", t, {"id": 1}], ["update_where", t, {"id": 1}, {"n": 0}], ["update_all", t, {"n": 0}]):
        db.gives(True, "begin", {"read_only": True})
        db.refuses("read_only", *call)
        db.gives(True, "rollback")
    db.gives(True, "begin", {"read_only": True})
    db.gives(True, "commit")
    assert rows_of(db, t) == [[1, 10], [2, 20]]


def test_a_read_only_transaction_sees_one_state(db, other, t):
    db.gives(True, "begin", {"read_only": True})
    assert rows_of(db, t) == [[1, 10], [2, 20]]
    waiting = other.send("insert", t, {"id": 3})
    assert rows_of(db, t) == [[1, 10], [2, 20]]
    db.gives(2, "count", t)
    db.gives(True, "commit")
    assert other.result(waiting) == {"inserted": 1}
    db.gives(3, "count", t)


def test_uncommitted_work_is_seen_by_no_one_else(db, other, t):
    db.gives(True, "begin")
    db.call("insert", t, {"id": 3})
    got = other.send("count", t)
    db.gives(True, "rollback")
    assert other.result(got) == 2


def test_a_connection_that_goes_away_rolls_back(rowd, db, t):
    with rowd.client() as c:
        c.gives(True, "begin")
        c.call("delete_all", t)
    wire.until(lambda: db.call("count", t) == 2, "the rows to be back")
    db.gives({"inserted": 1}, "insert", t, {"id": 3})


def test_writers_wait_for_each_other(db, other, t):
    db.gives(True, "begin")
    db.gives({"updated": 1}, "update", t, 1, {"n": ["+", ["col", "n"], 1]})
    waiting = other.send("update", t, 1, {"n": ["+", ["col", "n"], 1]})
    db.gives({"updated": 1}, "update", t, 1, {"n": ["+", ["col", "n"], 1]})
    db.gives(True, "commit")
    assert other.result(waiting) == {"updated": 1}
    db.gives({"id": 1, "n": 13}, "get", t, 1)


def test_counters_lose_nothing(rowd, db, t):
    wrong = []

    def count_up(c):
        try:
            for _ in range(10):
                while not add_one(c, t):
                    pass
        except Exception as e:
            wrong.append(e)

    clients = [rowd.client() for _ in range(4)]
    threads = [threading.Thread(target=count_up, args=(c,)) for c in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for c in clients:
        c.close()
    assert not wrong
    db.gives({"id": 1, "n": 50}, "get", t, 1)


def add_one(c, t):
    """Read, add, write, commit; false when told to try again."""
    try:
        c.call("begin")
        n = c.call("get", t, 1)["n"]
        c.call("update", t, 1, {"n": n + 1})
        return c.call("commit")
    except wire.Failure as e:
        assert e.name == "busy" and e.retry and e.outcome == "not_applied", e
        if c.reply(c.send("rollback")).error is not None:
            c.refuses("tx_none", "rollback")
        return False


def test_timeout_ms_ends_a_transaction(db, other, t):
    db.gives(True, "begin", {"timeout_ms": 300})
    db.call("delete_all", t)
    wire.until(lambda: not is_open(db, t), "the transaction's end", 20)
    assert rows_of(other, t) == [[1, 10], [2, 20]]
    for bad in (0, -1, "1", 1.5, True):
        db.refuses("bad_request", "begin", {"timeout_ms": bad})


def is_open(db, t):
    """Asks inside the transaction; false once it was timed out, and then it is rolled back."""
    m = db.send("count", t)
    r = db.reply(m)
    if r.error is None:
        return True
    assert r.error[2]["name"] in ("tx_timeout", "tx_aborted"), r.error
    assert db.call("rollback") is True
    return False


def test_select_for_update_holds_the_rows(db, other, t):
    db.gives(True, "begin")
    db.gives({"columns": ["n"], "rows": [[10]], "more": False}, "select", t, {"where": {"id": 1}, "columns": ["n"], "for_update": True})
    waiting = other.send("update", t, 1, {"n": 0})
    db.gives({"updated": 1}, "update", t, 1, {"n": ["+", ["col", "n"], 5]})
    db.gives(True, "commit")
    assert other.result(waiting) == {"updated": 1}
    db.gives({"id": 1, "n": 0}, "get", t, 1)


def test_a_stream_inside_a_transaction_sees_its_work(db, t):
    db.gives(True, "begin")
    db.call("insert", t, [{"id": i, "n": i} for i in range(3, 100)])
    result, batches = db.stream("select", t, {"stream": True, "batch": 10, "columns": ["id"]})
    assert result["count"] == 99 and [r[0] for b in batches for r in b] == list(range(1, 100))
    db.gives(True, "rollback")
    db.gives(2, "count", t)


def test_everything_of_a_transaction_may_be_sent_at_once(db, t):
    sent = db.send_many([("begin",), ("insert", t, {"id": 3, "n": 1}), ("savepoint", "s"), ("delete_all", t), ("rollback_to", "s"),
                         ("count", t), ("commit",), ("count", t)])
    assert db.results(sent) == [True, {"inserted": 1}, True, {"deleted": 3}, True, 3, True, 3]


def test_use_does_not_leave_a_transaction_behind(db, t):
    db.gives(True, "begin")
    db.call("insert", t, {"id": 3})
    db.refuses("tx_open", "use", "other")
    db.gives(True, "rollback")
    db.gives(2, "count", t)


@pytest.mark.parametrize("call", [["begin", 5], ["begin", {"nope": 1}], ["begin", {"read_only": 1}], ["begin", {"read_only": None}], ["commit", 1],
                                  ["rollback", {}, {}], ["savepoint"], ["savepoint", 5], ["savepoint", ""], ["rollback_to", None], ["release", "x" * 65]])
def test_transaction_calls_of_the_wrong_shape(db, call):
    if call[0] in ("begin", "commit", "rollback"):
        db.refuses("bad_request", *call)
        db.refuses("tx_none", "rollback")
    else:
        db.call("begin")
        db.refuses(("bad_request", "limit"), *call)
        db.gives(True, "rollback")


def test_atomic_carries_out_all_in_order(db, t):
    db.gives([{"inserted": 1}, 3, {"updated": 1}, {"id": 3, "n": 31}, {"deleted": 1}, {"columns": ["id"], "rows": [[2], [3]], "more": False},
              True, {"inserted": 0, "updated": 1}, {"columns": ["s"], "rows": [[51]], "more": False}], "atomic", [
        ["insert", t, {"id": 3, "n": 30}], ["count", t], ["update", t, 3, {"n": ["+", ["col", "n"], 1]}], ["get", t, 3], ["delete", t, 1],
        ["select", t, {"columns": ["id"]}], ["exists", t, {"id": 2}], ["upsert", t, {"id": 2, "n": 20}],
        ["aggregate", t, {"compute": {"s": ["sum", "n"]}}]])
    assert rows_of(db, t) == [[2, 20], [3, 31]]


@pytest.mark.parametrize("bad,name", [
    (["insert", "{t}", {"id": 1}], "conflict"), (["insert", "nope", {"id": 1}], "unknown_table"), (["nope"], "unknown_method"),
    (["delete_where", "{t}", {}], "empty_filter"), (["update", "{t}", 1, {"n": 2**63}], "out_of_range"), (["insert", "{t}"], "bad_request"),
    (["drop_table", "{t}"], "tx_open"), (["create_index", "{t}", ["n"]], "tx_open"), (["delete_all", "{t}", {"max_rows": 0}], "too_many_rows"),
    (["begin"], ("bad_request", "tx_open", "unsupported")), (["commit"], ("bad_request", "tx_open", "unsupported", "tx_none")),
    (["ping"], ("bad_request", "unsupported")), (["atomic", []], ("bad_request", "unsupported")), (5, "bad_request"), ([], "bad_request"),
    ([5, "{t}"], "bad_request"), ({"count": "{t}"}, "bad_request")])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_atomic_is_all_or_nothing_and_names_the_op(db, other, t, bad, name, place):
    bad = [t if p == "{t}" else p for p in bad] if isinstance(bad, list) else bad
    ops = [["insert", t, {"id": 7}], ["update", t, 1, {"n": 0}]]
    ops.insert(place, bad)
    db.refuses(name, "atomic", ops, index=place)
    assert rows_of(db, t) == rows_of(other, t) == [[1, 10], [2, 20]]


def test_atomic_of_the_wrong_shape(db, t):
    for bad in (5, None, "x", {"count": t}):
        db.refuses("bad_request", "atomic", bad)
    db.refuses("bad_request", "atomic")
    db.refuses("bad_request", "atomic", [["count", t]], {"nope": 1})
    db.refuses("bad_request", "atomic", [["select", t, {"stream": True}]])


def test_atomic_in_one_request_is_seen_whole(db, other, table):
    t = table({"id": "int", "n": "int"}, rows=[(1, 100), (2, 0)])
    moves = [db.send("atomic", [["update", t, 1, {"n": ["-", ["col", "n"], 1]}], ["update", t, 2, {"n": ["+", ["col", "n"], 1]}]])
             for _ in range(60)]
    for _ in range(60):
        other.gives({"columns": ["s"], "rows": [[100]], "more": False}, "aggregate", t, {"compute": {"s": ["sum", "n"]}})
    assert db.results(moves) == [[{"updated": 1}, {"updated": 1}]] * 60
    assert rows_of(db, t) == [[1, 40], [2, 60]]
