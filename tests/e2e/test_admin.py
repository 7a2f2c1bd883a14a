"""Operating the daemon over its own protocol."""
import os
import sqlite3

import pytest

from lib import wire
from lib.schema import schema


@pytest.fixture
def c(lone, tmp_path):
    d = lone(args=["--backup-dir", str(tmp_path)])
    client = d.client()
    client.daemon = d
    client.call("create_table", "t", schema({"id": "int", "s": "text(20)"}))
    client.call("insert", "t", [{"id": i, "s": "row %d" % i} for i in range(5000)])
    return client


def test_sessions_tell_who_is_there_and_kill_ends_one(c):
    other = c.daemon.client()
    number = other.call("hello", {"client": "the other"})["session"]
    other.call("begin")
    there = {s["session"]: s for s in c.call("sessions")}
    assert there[number]["client"] == "the other" and there[number]["transaction"] is True
    assert there[number]["uid"] == os.getuid() and there[number]["pid"] == os.getpid()
    c.gives(True, "kill", number)
    assert other.at_end()
    c.gives(False, "kill", number)
    assert [s["session"] for s in c.call("sessions")] != [] and number not in [s["session"] for s in c.call("sessions")]
    c.gives({"deleted": 1}, "delete", "t", 1)


def test_a_paused_database_takes_nothing_new(c):
    other = c.daemon.client()
    other.call("begin")
    other.call("delete", "t", 7)
    c.gives(True, "pause", "main")
    for method, params in (("count", ["t"]), ("delete", ["t", 1]), ("begin", [])):
        c.refuses("unavailable", method, *params)
    assert c.call("databases")[0]["state"] == "paused"
    other.gives(True, "commit")
    c.gives(True, "resume", "main")
    c.gives(4999, "count", "t")
    c.refuses("unknown_database", "pause", "nope")


def test_a_backup_is_a_whole_database(c, tmp_path):
    c.gives(True, "backup", "main", "copy.db")
    copy = sqlite3.connect(str(tmp_path / "copy.db"))
    assert copy.execute("SELECT count(*), max(s) FROM t").fetchone() == (5000, "row 999")
    assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    for bad in ("copy.db", "", "../x", ".x", "a/b", "x" * 300):
        c.refuses("bad_request", "backup", "main", bad)


def test_check_finds_a_sound_database_sound(c):
    c.gives({"ok": True, "problems": []}, "check", "main")


def test_free_space_is_shown_and_given_back(c):
    c.gives({"deleted": 5000}, "delete_all", "t")
    before = c.call("stats")["databases"]["main"]
    assert before["free_bytes"] > 50000
    got = c.call("reclaim", "main")
    assert got["reclaimed_bytes"] == before["free_bytes"] and got["free_bytes"] == 0
    assert c.call("stats")["databases"]["main"]["free_bytes"] == 0
    c.refuses("bad_request", "reclaim", "main", {"max_ms": 0})


def test_reload_says_what_came_of_it(lone):
    d = lone(config="slow_ms = 5000\n")
    c = d.client()
    c.gives(True, "reload")
    with open(os.path.join(d.directory, "rowd.conf"), "a") as f:
        f.write("nonsense = 1\n")
    c.refuses("bad_request", "reload")
    c.gives(True, "ping")


def test_shutdown_ends_it_as_sigterm_does(c):
    c.gives(True, "shutdown")
    assert c.at_end()
    assert c.daemon.wait() == 0
