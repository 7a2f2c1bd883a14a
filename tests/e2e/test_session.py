"""hello, whoami, databases, stats, use: what the daemon says of itself."""
import os

import pytest

from lib import daemon, wire

LIMITS = {"frame_bytes": 16777216, "nesting": 16, "filter_operators": 1000, "request_values": 2000000, "value_bytes": 8388608,
          "in_flight": 64, "reply_rows": 10000, "reply_bytes": 16777216, "statement_ms": 30000, "transaction_ms": 60000,
          "transaction_idle_ms": 30000, "clients": 10000}


def test_hello_tells_what_is_served(db):
    got = db.call("hello", {"client": "tests", "protocol": 1, "errors": "array"})
    assert list(got) == ["server", "version", "protocol", "databases", "default", "limits", "session", "user"]
    assert got["server"] == "rowd" and got["protocol"] == 1 and got["default"] == "main"
    assert isinstance(got["version"], str) and got["version"] in daemon.run_rowd("--version").stdout
    assert got["databases"] == ["main", "other"]
    assert isinstance(got["session"], int) and got["session"] > 0
    assert list(got["user"]) == ["uid", "gid", "roles"]
    assert got["user"]["uid"] == os.getuid() and got["user"]["gid"] == os.getgid()
    for name, value in LIMITS.items():
        assert got["limits"][name] == value, name


def test_hello_and_its_map_are_optional(rowd):
    for params in ([], [{}], [{"client": "x"}], [{"protocol": 1}], [{"errors": "array"}]):
        with rowd.client() as c:
            assert c.call("hello", *params)["protocol"] == 1
    with rowd.client() as c:
        c.gives(True, "ping")
        assert c.call("whoami")["uid"] == os.getuid()


def test_sessions_have_numbers_of_their_own(rowd):
    clients = [rowd.client() for _ in range(5)]
    numbers = [c.call("hello")["session"] for c in clients]
    assert len(set(numbers)) == 5
    assert clients[0].call("hello")["session"] == numbers[0]
    for c in clients:
        c.close()


@pytest.mark.parametrize("protocol", [0, 2, 99])
def test_another_protocol_is_unsupported(rowd, protocol):
    with rowd.client() as c:
        c.refuses("unsupported", "hello", {"protocol": protocol})
        c.gives(True, "ping")


def test_whoami_is_what_the_kernel_says(db):
    got = db.call("whoami")
    assert list(got) == ["uid", "gid", "pid", "roles", "grants"]
    assert (got["uid"], got["gid"], got["pid"]) == (os.getuid(), os.getgid(), os.getpid())
    assert isinstance(got["roles"], list) and isinstance(got["grants"], list)


def test_databases_tells_of_each(db):
    got = db.call("databases")
    assert [d["name"] for d in got] == ["main", "other"]
    for d in got:
        assert list(d) == ["name", "driver", "server", "state", "default", "durability"]
        assert d["driver"] == "sqlite" and isinstance(d["server"], str) and d["durability"] == "full"
    assert [d["default"] for d in got] == [True, False]


def test_use_chooses_the_connections_database(rowd, db, other):
    db.gives(True, "use", "other")
    db.call("create_table", "here", {"columns": [{"name": "id", "type": "int"}], "primary_key": ["id"]})
    db.gives(["here"], "tables")
    other.refuses("unknown_table", "count", "here")
    db.refuses("unknown_database", "use", "nope")
    db.refuses("unknown_database", "use", "../other")
    db.gives(0, "count", "here")
    db.gives(True, "use", "main")
    db.refuses("unknown_table", "count", "here")
    db.gives(True, "drop_table", "other.here")


def test_stats_count(db, other):
    before = db.call("stats")
    assert isinstance(before, dict) and before
    for _ in range(10):
        other.call("ping")
    after = db.call("stats")
    assert list(after) == list(before)
    assert after != before


def test_ping_is_true(db):
    db.gives(True, "ping")
    r = db.reply(db.send("ping", msgid=1000))
    assert r.raw == b"\x94\x01\xcd\x03\xe8\xc0\xc3"


def test_every_connection_starts_in_the_default_database(rowd):
    with rowd.client() as a, rowd.client() as b:
        a.call("use", "other")
        assert b.call("hello")["default"] == "main"
        b.call("create_table", "only_main", {"columns": [{"name": "id", "type": "int"}], "primary_key": ["id"]})
        a.refuses("unknown_table", "count", "only_main")
        assert wire.same(b.call("databases"), a.call("databases"))
