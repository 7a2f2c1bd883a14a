"""Every method of docs/PROTOCOL.md, written down from it: what each takes, and an example of each option."""

FILTER = {"id": 1}

# method: (parameters that fit the table `people` of the request tests, options with a good value)
METHODS = {
    "hello": ([], {"client": "test", "protocol": 1, "errors": "array"}),
    "ping": ([], {}),
    "use": (["main"], {}),
    "whoami": ([], {}),
    "cancel": ([999999], {"session": 1}),
    "databases": ([], {}),
    "stats": ([], {}),
    "tables": ([], {}),
    "describe": (["people"], {}),
    "create_table": (["made", {"columns": [{"name": "id", "type": "int"}], "primary_key": ["id"]}], {"if_not_exists": True}),
    "drop_table": (["made"], {"if_exists": True}),
    "create_index": (["people", ["age"]], {"unique": False, "if_not_exists": True}),
    "drop_index": (["people", ["age"]], {}),
    "add_column": (["people", {"name": "added", "type": "int"}], {}),
    "get": (["people", 1], {}),
    "select": (["people"], {"where": FILTER, "columns": ["id"], "order": ["id"], "limit": 5, "offset": 0, "after": [0, 0], "distinct": False,
                            "for_update": False, "stream": False, "batch": 10}),
    "count": (["people", FILTER], {}),
    "exists": (["people", FILTER], {}),
    "aggregate": (["people"], {"where": FILTER, "group_by": ["age"], "compute": {"n": ["count"]}, "order": ["age"], "limit": 5}),
    "insert": (["people", {"id": 1}], {"returning": "keys"}),
    "upsert": (["people", {"id": 1}], {"returning": "keys"}),
    "update": (["people", 1, {"age": 1}], {}),
    "update_where": (["people", FILTER, {"age": 1}], {"limit": 5, "order": ["id"], "max_rows": 100, "returning": "keys", "dry_run": False}),
    "update_all": (["people", {"age": 1}], {"max_rows": 100, "dry_run": False}),
    "delete": (["people", 1], {"returning": "keys", "cascaded": False}),
    "delete_where": (["people", FILTER], {"limit": 5, "order": ["id"], "max_rows": 100, "returning": "keys", "cascaded": False, "dry_run": False}),
    "preview_delete": (["people", FILTER], {}),
    "delete_all": (["people"], {"max_rows": 100, "cascaded": False, "dry_run": False}),
    "begin": ([], {"read_only": False, "timeout_ms": 1000}),
    "commit": ([], {}),
    "rollback": ([], {}),
    "savepoint": (["s"], {}),
    "rollback_to": (["s"], {}),
    "release": (["s"], {}),
    "atomic": ([[["count", "people"]]], {}),
}

BOOLS = {"if_not_exists", "if_exists", "unique", "distinct", "for_update", "stream", "cascaded", "dry_run", "read_only"}
UINTS = {"protocol", "session", "limit", "offset", "batch", "max_rows", "timeout_ms"}
STRINGS = {"client", "errors"}
NAMES = {"columns", "order", "group_by"}


def wrong_values(option):
    """Values of another kind than the option's."""
    if option in BOOLS:
        return [0, 1, "true", [], {}, 1.0]
    if option in UINTS:
        return [-1, 1.5, "1", True, [], {}, 2**63]
    if option in STRINGS:
        return [1, True, [], {}, b"x"]
    if option in NAMES:
        return [1, "id", {}, [1], [None], True]
    if option == "after":
        return [1, "x", {}, True]
    if option == "returning":
        return [1, True, {}, [1], "everything"]
    if option == "compute":
        return [1, "n", [], True]
    return [1, "x", True]
