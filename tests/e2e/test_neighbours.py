"""Other programs that use the same SQLite file at the same time."""
import signal
import sqlite3
import subprocess
import sys
import threading

import pytest

from lib import wire
from lib.schema import schema


def neighbour(d):
    return sqlite3.connect(d.db_path, isolation_level=None, timeout=20)


@pytest.fixture
def d(lone):
    d = lone()
    with d.client() as c:
        c.call("create_table", "t", schema({"id": "int", "who": "text(10)"}))
    return d


def test_both_can_write_and_every_row_is_accounted_for(d):
    n = 400
    program = ("import sqlite3,sys\n"
               "for i in range(%d):\n"
               "    con = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=20)\n"
               "    con.execute('INSERT INTO t VALUES (?, ?)', (1000000 + i, 'other'))\n"
               "    con.close()\n" % n)
    other = subprocess.Popen([sys.executable, "-c", program, d.db_path])
    with d.client() as c:
        i = 0
        while other.poll() is None or i < n:
            c.gives({"inserted": 1}, "insert", "t", {"id": i, "who": "rowd"})
            i += 1
        assert other.returncode == 0
        c.gives(n, "count", "t", {"who": "other"})
        c.gives(i, "count", "t", {"who": "rowd"})
    con = neighbour(d)
    assert con.execute("SELECT count(*) FROM t").fetchone() == (n + i,)
    assert con.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    con.close()


DOINGS = [["stats"], ["tables"], ["databases"], ["describe", "t"], ["count", "t"], ["whoami"], ["add_column", "t", {"name": "a", "type": "int"}],
          ["create_index", "t", ["who"]], ["drop_index", "t", ["who"]], ["delete_where", "t", {"id": -1}]]


def test_nothing_that_rowd_does_drops_its_locks(d):
    """A descriptor of the file closed beside SQLite's own would let the next visitor delete the log
    under rowd, and acknowledged rows with it."""
    with d.client() as c:
        for i, doing in enumerate(DOINGS + ["reload", "stream"]):
            if doing == "reload":
                d.signal(signal.SIGHUP)
            elif doing == "stream":
                c.stream("select", "t", {"stream": True})
            else:
                c.call(*doing)
            con = neighbour(d)
            con.execute("INSERT INTO t (id, who) VALUES (?, 'other')", (1000 + i,))
            con.close()
            c.gives({"inserted": 1}, "insert", "t", {"id": i, "who": "rowd"})
            con = neighbour(d)
            assert con.execute("SELECT count(*) FROM t").fetchone() == (2 * (i + 1),), doing
            con.close()
            c.gives(2 * (i + 1), "count", "t")


def test_what_another_program_commits_is_read_at_once_by_loops_that_never_rest(d):
    con = neighbour(d)
    con.execute("INSERT INTO t VALUES (1, 'nobody')")
    stop = threading.Event()

    def read():
        with d.client() as c:
            while not stop.is_set():
                for m in c.send_many([("get", "t", 1)] * 200):
                    c.result(m)
    busy = [threading.Thread(target=read) for _ in range(4)]
    clients = [d.client() for _ in range(4)]
    for t in busy:
        t.start()
    try:
        for n in range(200):
            con.execute("UPDATE t SET who = ? WHERE id = 1", ("n%d" % n,))
            for c in clients:
                c.gives({"id": 1, "who": "n%d" % n}, "get", "t", 1)
    finally:
        stop.set()
        for t in busy:
            t.join()
        con.close()
    for c in clients:
        c.close()


def test_a_lock_held_by_another_is_waited_for(d):
    con = neighbour(d)
    con.execute("BEGIN IMMEDIATE")
    con.execute("INSERT INTO t VALUES (1, 'other')")
    with d.client() as c, d.client() as o:
        waiting = c.send("insert", "t", {"id": 2, "who": "rowd"})
        o.gives(0, "count", "t")
        o.gives(True, "ping")
        con.execute("COMMIT")
        con.close()
        assert c.result(waiting) == {"inserted": 1}
        c.gives(2, "count", "t")


def test_a_lock_held_too_long_is_busy(lone):
    d = lone(args=["--busy_timeout_ms", "200"])
    with d.client() as c, d.client() as o:
        c.call("create_table", "t", schema({"id": "int", "who": "text(10)"}))
        con = neighbour(d)
        con.execute("BEGIN IMMEDIATE")
        f = c.refuses("busy", "insert", "t", {"id": 1})
        assert f.retry is True and f.outcome == "not_applied"
        waiting = c.send("delete_all", "t")
        for _ in range(20):
            o.gives(0, "count", "t")
        c.refused("busy", waiting)
        con.execute("ROLLBACK")
        con.close()
        c.gives({"inserted": 1}, "insert", "t", {"id": 1})


def test_a_schema_changed_under_load_is_noticed(d):
    stop = threading.Event()
    failures = []

    def read():
        with d.client() as c:
            while not stop.is_set():
                r = c.reply(c.send("select", "t"))
                if r.error is not None or r.result["columns"][:2] != ["id", "who"]:
                    failures.append(r)
                    return
    readers = [threading.Thread(target=read) for _ in range(3)]
    for t in readers:
        t.start()
    con = neighbour(d)
    with d.client() as c:
        for i in range(15):
            con.execute("ALTER TABLE t ADD COLUMN c%d INTEGER" % i)
            c.gives({"inserted": 1}, "insert", "t", {"id": i, "who": "x", "c%d" % i: i})
            assert c.call("get", "t", i)["c%d" % i] == i
            con.execute("CREATE TABLE u%d (id INTEGER PRIMARY KEY)" % i)
            assert "u%d" % i in c.call("tables")
            con.execute("DROP TABLE u%d" % i)
            c.refuses("unknown_table", "count", "u%d" % i)
    stop.set()
    for t in readers:
        t.join()
    con.close()
    assert not failures, failures


def test_a_table_made_again_with_another_shape_is_read_as_it_is(d):
    con = neighbour(d)
    with d.client() as c:
        c.gives({"inserted": 1}, "insert", "t", {"id": 1, "who": "x"})
        con.executescript("DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO t VALUES (1, 5)")
        c.gives({"id": 1, "n": 5}, "get", "t", 1)
        c.refuses("unknown_column", "count", "t", {"who": "x"}, column="who")
    con.close()


@pytest.mark.parametrize("ddl", [
    "CREATE TRIGGER boom BEFORE DELETE ON t BEGIN INSERT INTO t VALUES (99, 'trigger'); END",
    "CREATE VIEW v AS SELECT id FROM t",
    "CREATE TABLE g (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER GENERATED ALWAYS AS (a * 2) VIRTUAL)",
    "CREATE TABLE nostrict (id INTEGER PRIMARY KEY, a)",
    "CREATE INDEX expr ON t (lower(who))",
    "CREATE UNIQUE INDEX part ON t (who) WHERE id > 5",
    "CREATE TABLE worid (id INTEGER PRIMARY KEY, a TEXT) WITHOUT ROWID",
    "CREATE VIRTUAL TABLE ft USING fts5(x)",
    "CREATE TABLE nocase (id TEXT PRIMARY KEY COLLATE NOCASE, a TEXT COLLATE RTRIM)",
    "CREATE TABLE weird (\"a\"\"b\" INTEGER PRIMARY KEY, \"x y\" TEXT, \"\" TEXT)",
    "CREATE TABLE chk (id INTEGER PRIMARY KEY, a INTEGER CHECK (a > 5))",
    "CREATE TABLE dflt (id INTEGER PRIMARY KEY, a TEXT DEFAULT CURRENT_TIMESTAMP, b INTEGER DEFAULT (1 + 2))"])
def test_any_schema_that_others_made_is_lived_with(d, ddl):
    con = neighbour(d)
    try:
        con.execute(ddl)
    except sqlite3.OperationalError as e:
        pytest.skip("this SQLite cannot: %s" % e)
    with d.client() as c:
        for name in c.call("tables"):
            got = c.call("describe", name)
            assert got["name"] == name
            if name != "t":
                assert got["portable"] is False and got["reasons"], name
            c.call("count", name)
            c.call("select", name, {"limit": 1})
        c.gives({"inserted": 1}, "insert", "t", {"id": 10, "who": "x"})
        c.gives({"id": 10, "who": "x"}, "get", "t", 10)
    con.close()


def test_values_that_rowd_would_never_store_do_not_fool_it(d):
    con = neighbour(d)
    con.execute("CREATE TABLE loose (id INTEGER PRIMARY KEY, v)")
    for i, v in enumerate([1, "1", 1.0, b"1", None, "", b"", 2**62, -0.5, "é", "😀"]):
        con.execute("INSERT INTO loose VALUES (?, ?)", (i, v))
    con.execute("INSERT INTO loose VALUES (50, CAST(x'ff' AS TEXT))")
    con.execute("INSERT INTO loose VALUES (51, 9e999)")
    con.execute("INSERT INTO loose VALUES (52, 'a' || char(0) || 'b')")
    con.close()
    with d.client(canonical=False) as c:
        c.gives(14, "count", "loose")
        for i in range(11):
            r = c.reply(c.send("get", "loose", i))
            assert r.error is None or r.error[2]["name"] in ("type_mismatch", "unsupported"), r
        for i in (50, 51, 52):
            r = c.reply(c.send("get", "loose", i))
            assert r.error is None or r.error[2]["name"] in ("invalid_text", "type_mismatch", "out_of_range", "corrupt", "unsupported"), r
        c.gives({"deleted": 14}, "delete_all", "loose")


def test_a_file_that_is_no_database_is_told(lone):
    d = lone(start=False)
    with open(d.db_path, "wb") as f:
        f.write(b"this is no database at all, and a page of it\n" * 200)
    d.spawn()

    def settled():
        if d.process.poll() is not None:
            return "ended"
        try:
            wire.connect(d.socket).close()
            return "serves"
        except OSError:
            return False
    if wire.until(settled) == "ended":
        assert d.process.returncode != 0 and "main" in d.log()
    else:
        with d.client() as c:
            c.gives(True, "ping")
            c.refuses(("corrupt", "unavailable"), "tables")
    d.check_log()
    d.kill()
    with open(d.db_path, "rb") as f:
        assert f.read(20) == b"this is no database "


def test_a_database_of_a_newer_rowd_or_another_program_keeps_its_other_tables(d):
    con = neighbour(d)
    con.execute("CREATE TABLE _rowd_future (id INTEGER PRIMARY KEY, x TEXT)")
    con.execute("INSERT INTO _rowd_future VALUES (1, 'keep')")
    con.close()
    d.restart()
    with d.client() as c:
        c.gives(["t"], "tables")
    con = neighbour(d)
    assert con.execute("SELECT x FROM _rowd_future").fetchone() == ("keep",)
    con.close()


def test_two_daemons_may_share_a_file(lone, d):
    second = lone([("main", "sqlite://" + d.db_path)])
    with d.client() as a, second.client() as b:
        for i in range(100):
            a.gives({"inserted": 1}, "insert", "t", {"id": 2 * i, "who": "a"})
            b.gives({"id": 2 * i, "who": "a"}, "get", "t", 2 * i)
            b.gives({"inserted": 1}, "insert", "t", {"id": 2 * i + 1, "who": "b"})
            a.gives(2 * i + 2, "count", "t")
        b.gives(True, "create_table", "made", schema({"id": "int"}))
        a.gives({"inserted": 1}, "insert", "made", {"id": 1})
