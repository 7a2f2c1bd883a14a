"""The shape of every request: missing, surplus and unknown parts are errors, never ignored."""
import pytest

from lib.methods import METHODS, wrong_values
from lib.schema import schema
from lib.wire import pack


@pytest.fixture(scope="module")
def people(rowd):
    with rowd.client() as c:
        c.call("create_table", "people", schema({"id": "int", "age": "int"}))
        c.call("insert", "people", {"id": 7, "age": 7})
    return "people"


def unchanged(db):
    db.gives({"columns": ["id", "age"], "rows": [[7, 7]], "more": False}, "select", "people")
    assert "made" not in db.call("tables")


def refused(db, names, method, *params):
    """In and out of a transaction alike the shape is looked at first."""
    return db.refuses(names, method, *params)


@pytest.mark.parametrize("method", METHODS)
def test_missing_parameters_are_refused(db, people, method):
    params, _ = METHODS[method]
    required = 1 if method == "count" else len(params)
    for n in range(required):
        refused(db, "bad_request", method, *params[:n])
    unchanged(db)


@pytest.mark.parametrize("method", METHODS)
def test_surplus_parameters_are_refused(db, people, method):
    params, _ = METHODS[method]
    refused(db, "bad_request", method, *params, 5)
    refused(db, "bad_request", method, *params, {}, {})
    refused(db, "bad_request", method, *params, [])
    refused(db, "bad_request", method, *params, None)
    unchanged(db)


@pytest.mark.parametrize("method", METHODS)
def test_unknown_options_are_refused(db, people, method):
    params, _ = METHODS[method]
    refused(db, "bad_request", method, *params, {"nope": 1})
    refused(db, "bad_request", method, *params, {"": 1})
    refused(db, "bad_request", method, *params, {"Limit": 1})
    refused(db, "bad_request", method, *params, {5: 1})
    unchanged(db)


@pytest.mark.parametrize("method", METHODS)
def test_options_belong_to_their_methods(db, people, method):
    params, options = METHODS[method]
    every = {o: v for _, others in METHODS.values() for o, v in others.items()}
    for option, value in every.items():
        if option not in options:
            refused(db, "bad_request", method, *params, {option: value})
    unchanged(db)


@pytest.mark.parametrize("method", [m for m in METHODS if METHODS[m][1]])
def test_options_of_the_wrong_kind_are_refused(db, people, method):
    params, options = METHODS[method]
    for option in options:
        for wrong in wrong_values(option) + [None]:
            if option == "where" and wrong is not None:
                wrong = 5
            refused(db, "bad_request", method, *params, {option: wrong})
    unchanged(db)


@pytest.mark.parametrize("method", METHODS)
def test_an_option_given_twice_is_refused(db, people, method):
    params, options = METHODS[method]
    for option, value in options.items():
        db.send_raw(b"\x94\x00" + pack(9000) + pack(method) + pack(params + [0])[:-1] + b"\x82" + (pack(option) + pack(value)) * 2)
        db.refused("bad_request", 9000, method)
    unchanged(db)


@pytest.mark.parametrize("method", METHODS)
def test_parameters_of_the_wrong_kind_are_refused(db, people, method):
    params, _ = METHODS[method]
    for i, good in enumerate(params):
        wrong = {str: [5, None, True, ["people"], b"people", 1.5], dict: [5, "x", True], list: [5, "x", True, None],
                 int: ["x", None, [], 1.5, -1]}[type(good)]
        if method in ("get", "update", "delete") and i == 1:
            wrong = [1.5, "x", True]
        for w in wrong:
            changed = params[:i] + [w] + params[i + 1:]
            names = ("bad_request", "type_mismatch") if (i == 1 and method in ("get", "update", "delete")) else "bad_request"
            refused(db, names, method, *changed)
    unchanged(db)


@pytest.mark.parametrize("name", ["", "nope", "Select", "SELECT", "select ", " select", "sel", "selects", "select\0", "drop table people", "é", "x" * 100,
                                  "_rowd", "__init__", "nvim_set_client_info"])
def test_an_unknown_method_is_told_so(db, people, name):
    db.refuses("unknown_method", name)
    db.refuses("unknown_method", name, "people", {"a": 1})
    db.gives(True, "ping")


def test_a_method_may_be_sent_as_bin(db, people):
    db.send_raw(b"\x94\x00\x05" + pack(b"count") + pack(["people"]))
    assert db.result(5) == 1
    db.send_raw(b"\x94\x00\x06" + pack(b"\xff\xfe") + pack([]))
    db.refused("unknown_method", 6)


def test_a_map_as_last_parameter_is_read_as_its_place_says(db, people):
    db.gives(1, "count", people, {"id": 7})
    db.gives(1, "count", people, {"id": 7}, {})
    db.refuses("empty_filter", "count", people, {})
    db.refuses("empty_filter", "count", people, {}, {})
    db.refuses("unknown_column", "count", people, {"limit": 1}, column="limit")
    db.gives({"deleted": 0}, "delete_where", people, {"id": 99}, {})
    db.refuses("unknown_column", "delete_where", people, {"max_rows": 1}, column="max_rows")
    unchanged(db)


def test_every_example_of_an_option_is_taken(db, people):
    """So that the refusals above are refusals of what they say."""
    taken = 0
    for method, (params, options) in METHODS.items():
        for option, value in options.items():
            if method in ("insert", "upsert", "update", "update_where", "update_all", "delete", "delete_where", "delete_all", "begin", "commit",
                          "hello", "cancel", "purge", "job_tune", "reclaim", "shutdown"):
                continue
            extra = {option: value}
            if method == "aggregate" and option != "compute":
                extra["compute"] = {"n": ["count"]}
            if option == "order" and method == "aggregate":
                extra["group_by"] = ["age"]
            if option == "after":
                extra = {"after": [0]}
            if option == "batch":
                extra["stream"] = True
                db.stream(method, *params, extra)
            elif method == "create_table":
                db.gives(True, method, *params, extra)
                db.gives(True, "drop_table", "made")
            elif method == "drop_table":
                db.gives(True, method, *params, extra)
            elif method == "create_index":
                db.gives(True, method, *params, extra)
                db.gives(True, "drop_index", *params)
            else:
                db.call(method, *params, extra)
            taken += 1
    assert taken >= 15
    unchanged(db)
