"""The process dies at every so-many-th system call of a day's work: what is found is what was acknowledged, or that and
the one request that was on its way. Never a half, never less."""
import sqlite3

import pytest

from lib import wire
from lib.faults import Injector
from lib.schema import foreign_key, schema

ID = "00000000-0000-4000-8000-0000000000%02d"

# Each a request that is acknowledged as one, or a transaction.
WORK = [
    [("create_table", "p", schema({"id": "int", "s": "text(40)"}))],
    [("insert", "p", [{"id": i, "s": "x" * 40} for i in range(40)])],
    [("create_table", "c", schema({"id": "int+", "p": "int!", "n": "int"}, foreign_keys=[foreign_key(["p"], "p", on_delete="cascade")]))],
    [("insert", "c", [{"p": i % 40, "n": i} for i in range(200)])],
    [("create_index", "c", ["n"])],
    [("update_where", "c", ["<", "n", 50], {"n": ["+", ["col", "n"], 1000]})],
    [("delete_where", "p", ["<", "id", 10])],
    [("begin",), ("insert", "p", {"id": 100}), ("delete", "p", 20), ("update_all", "p", {"s": "y"}), ("commit",)],
    [("add_column", "p", {"name": "extra", "type": "decimal(9,2)", "default": "1.50"})],
    [("insert", "p", {"id": 200}, {"request_id": ID % 1})],
    [("begin",), ("insert", "p", {"id": 300}), ("commit", {"request_id": ID % 2})],
    [("upsert", "p", [{"id": 300, "s": "z"}, {"id": 301, "s": "z"}])],
    [("atomic", [["delete_where", "c", [">", "n", 1020]], ["insert", "c", {"p": 30, "n": 1}], ["delete", "p", 30]], {"request_id": ID % 3})],
    [("outcome", ID % 4)],
    [("drop_index", "c", ["n"])],
    [("drop_table", "c")],
    [("delete_all", "p")],
]


def dump(d):
    """All there is, as a client sees it, and what was promised of the ids."""
    with d.client() as c:
        out = [[t, c.call("describe", t), c.call("select", t)] for t in c.call("tables")]
    con = sqlite3.connect("file:%s?mode=ro" % d.db_path, uri=True)
    known = con.execute("SELECT count(*) FROM sqlite_master WHERE name = '_rowd_requests'").fetchone()[0]
    ids = con.execute("SELECT id, result FROM _rowd_requests ORDER BY id").fetchall() if known else []
    con.close()
    return wire.pack([out, ids])


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    """What is there after each piece of the work."""
    from lib.daemon import Daemon
    with Daemon(directory=str(tmp_path_factory.mktemp("steps"))) as d:
        out = [dump(d)]
        for piece in WORK:
            with d.client() as c:
                for request in piece:
                    c.call(*request)
            out.append(dump(d))
    return out


def work(d):
    """Until the daemon dies -> pieces acknowledged."""
    done = 0
    try:
        with d.client(timeout=30) as c:
            for piece in WORK:
                for request in piece:
                    c.call(*request)
                done += 1
    except (wire.Closed, OSError):
        pass
    return done


POINTS = [("pwrite64", n) for n in range(1, 26)] + [("fdatasync", n) for n in range(1, 20)] + [("pread64", 3), ("fcntl", 20), ("fcntl", 60)]


@pytest.mark.parametrize("call,nth", POINTS)
def test_after_death_at_any_call_it_is_as_acknowledged(lone, steps, call, nth):
    d = lone()
    i = Injector(d, ["-e", "trace=" + call, "-e", "inject=%s:signal=KILL:when=%d" % (call, nth)])
    done = work(d)
    if done == len(WORK):
        i.stop()            # there were not so many calls
    else:
        wire.until(lambda: not d.alive(), "the death", 20)
    d.kill()
    d.start()
    found = dump(d)
    allowed = steps[done:done + 2]
    assert found in allowed, "after %d pieces it is as after %s" % (done, [n for n, s in enumerate(steps) if s == found])
    # what was promised of the ids still holds, and the work can go on
    with d.client() as c:
        for piece in WORK[done + (found != steps[done]):]:
            for request in piece:
                c.call(*request)
    assert dump(d) == steps[-1]
    d.kill()
    con = sqlite3.connect(d.db_path)
    assert con.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    con.close()
