"""Every method of docs/PROTOCOL.md, written down from it: what each takes, and an example of each option."""

FILTER = {"id": 1}
UUID = "7b0d61f4-86d7-4b9c-9c3e-2a4c2c1d9e01"

# method: (parameters that fit the table `people` of the request tests, options with a good value)
METHODS = {
    "hello": ([], {"client": "test", "protocol": 1, "errors": "array"}),
    "ping": ([], {}),
    "use": (["main"], {}),
    "whoami": ([], {}),
    "cancel": ([999999], {"session": 1}),
    "databases": ([], {}),
    "stats": ([], {}),
    "sessions": ([], {}),
    "kill": ([999999], {}),
    "pause": (["main"], {}),
    "resume": (["main"], {}),
    "reload": ([], {}),
    "shutdown": ([], {"wait": True}),
    "check": (["main"], {}),
    "backup": (["main", "copy"], {}),
    "reclaim": (["main"], {"max_ms": 10, "optimize": "t"}),
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
    "insert": (["people", {"id": 1}], {"returning": "keys", "request_id": UUID}),
    "upsert": (["people", {"id": 1}], {"returning": "keys", "request_id": UUID}),
    "update": (["people", 1, {"age": 1}], {"request_id": UUID}),
    "update_where": (["people", FILTER, {"age": 1}], {"limit": 5, "order": ["id"], "max_rows": 100, "returning": "keys", "dry_run": False,
                                                      "request_id": UUID}),
    "update_all": (["people", {"age": 1}], {"max_rows": 100, "dry_run": False, "request_id": UUID}),
    "delete": (["people", 1], {"returning": "keys", "cascaded": False, "request_id": UUID}),
    "delete_where": (["people", FILTER], {"limit": 5, "order": ["id"], "max_rows": 100, "returning": "keys", "cascaded": False, "dry_run": False,
                                          "token": "x", "request_id": UUID}),
    "preview_delete": (["people", FILTER], {}),
    "delete_all": (["people"], {"max_rows": 100, "cascaded": False, "dry_run": False, "request_id": UUID}),
    "purge": (["people", FILTER], {"rows": 10, "target_ms": 10, "pause_ms": 1, "max_rows": 5, "max_seconds": 5, "archive": "a", "follow": False,
                                   "request_id": UUID}),
    "jobs": ([], {}),
    "job": ([999999], {}),
    "job_pause": ([999999], {}),
    "job_resume": ([999999], {}),
    "job_cancel": ([999999], {}),
    "job_tune": ([999999], {"rows": 10, "target_ms": 10, "pause_ms": 1, "max_rows": 5, "max_seconds": 5}),
    "begin": ([], {"read_only": False, "timeout_ms": 1000}),
    "commit": ([], {"request_id": UUID}),
    "rollback": ([], {}),
    "savepoint": (["s"], {}),
    "rollback_to": (["s"], {}),
    "release": (["s"], {}),
    "outcome": ([UUID], {}),
    "atomic": ([[["count", "people"]]], {"request_id": UUID}),
}

BOOLS = {"if_not_exists", "if_exists", "unique", "distinct", "for_update", "stream", "cascaded", "dry_run", "read_only", "follow", "wait"}
UINTS = {"protocol", "session", "limit", "offset", "batch", "max_rows", "timeout_ms", "rows", "target_ms", "pause_ms", "max_seconds", "max_ms"}
STRINGS = {"client", "errors", "token", "optimize", "archive", "request_id"}
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
