"""kill -9 of the daemon while it purges: the counts stay exact, the archive holds what went, and nothing else went."""
import os
import random
import sqlite3

import pytest

from lib import wire
from lib.faults import Injector
from lib.schema import schema

ROWS = 12000
OPTIONS = {"rows": 40, "target_ms": 0, "pause_ms": 1}


def archived(d):
    """The rows of the archive, in order."""
    rows = []
    path = os.path.join(d.directory, "archive", "kept")
    with open(path, "rb") as f:
        data = f.read()
    for _, before, part, _ in wire.messages(data):
        assert before == len(rows)
        rows += part
    return rows


def begin(lone, options):
    d = lone(start=False)
    archive = os.path.join(d.directory, "archive")
    os.mkdir(archive)
    d.args += ["--archive-dir", archive]
    d.start()
    with d.client() as c:
        c.call("create_table", "t", schema({"id": "int", "n": "int", "s": "text(40)"}, indexes=[["n"]]))
        for at in range(0, ROWS, 3000):
            c.call("insert", "t", [{"id": i, "n": i % 3, "s": "row %d" % i} for i in range(at, at + 3000)])
        job = c.call("purge", "t", ["!=", "n", 0], dict(OPTIONS, archive="kept", **options))["job"]
    return d, job


def check(d, job):
    """Whenever it is looked at, with nobody purging: deleted, counted and archived are the same rows."""
    con = sqlite3.connect(d.db_path)
    deleted, position = con.execute("SELECT deleted, archive_bytes FROM _rowd_jobs WHERE job = ?", (job,)).fetchone()
    left = con.execute("SELECT count(*) FROM t").fetchone()[0]
    gone = {i for i in range(ROWS)} - {i for (i,) in con.execute("SELECT id FROM t")}
    assert con.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    con.close()
    assert left == ROWS - deleted, "the count is not that of the rows"
    with open(os.path.join(d.directory, "archive", "kept"), "rb") as f:
        data = f.read(position)
    assert len(data) == position, "the archive is shorter than what was deleted"
    kept = [r for chunk in wire.messages(data) for r in chunk[2]]
    assert {r["id"] for r in kept} == gone and len(kept) == deleted
    return deleted


def finish(d, job):
    with d.client() as c:
        wire.until(lambda: c.call("job", job)["state"] == "done", "the purge to be done")
        told = c.call("job", job)
        due = [i for i in range(ROWS) if i % 3]
        assert told["deleted"] == len(due)
        c.gives(ROWS - len(due), "count", "t")
        c.gives(0, "count", "t", ["!=", "n", 0])
    kept = archived(d)
    assert kept == [{"id": i, "n": i % 3, "s": "row %d" % i} for i in due]


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_random_moments_it_goes_on_and_stays_exact(lone, seed):
    r = random.Random(seed)
    d, job = begin(lone, {})
    seen = []
    for _ in range(8):
        with d.client() as c:
            goal = c.call("job", job)["deleted"] + r.randint(0, 900)
            wire.until(lambda: c.call("job", job)["deleted"] >= goal or c.call("job", job)["state"] == "done")
        d.kill()
        seen.append(check(d, job))
        d.start()
    assert seen == sorted(seen) and seen[0] < seen[-1]
    finish(d, job)


@pytest.mark.parametrize("call,nth", [("ftruncate", 2), ("pwrite64", 5), ("pwrite64", 9), ("pwrite64", 14), ("fdatasync", 3), ("fdatasync", 4), ("fdatasync", 6)])
def test_killed_between_two_writes_it_goes_on_and_stays_exact(lone, call, nth):
    d, job = begin(lone, {"pause_ms": 30})
    i = Injector(d, ["-e", "trace=" + call, "-e", "inject=%s:signal=KILL:when=%d" % (call, nth)])
    with d.client() as c:
        c.send("job_tune", job, {"pause_ms": 1})
        wire.until(lambda: not d.alive(), "the death", 20)
    i.stop()
    d.kill()
    check(d, job)
    d.start()
    finish(d, job)


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
@pytest.mark.parametrize("call", ["pwrite64", "fdatasync"])
def test_a_disk_that_fails_for_a_while_stops_no_purge_or_fails_it_truly(lone, call, error):
    d, job = begin(lone, {"pause_ms": 30})
    i = Injector(d, ["-e", "trace=" + call, "-e", "inject=%s:error=%s:when=3..5" % (call, error)])
    with d.client() as c:
        c.gives(True, "ping")
        c.reply(c.send("job_tune", job, {"pause_ms": 1}))
        wire.until(lambda: c.reply(c.send("job", job)).error is not None or c.call("job", job)["deleted"] > 2000
                   or c.call("job", job)["state"] == "failed")
        i.stop()
        if wire.until(lambda: c.call("job", job)["state"]) == "failed":
            assert c.call("job", job)["error"]
            c.gives(True, "job_resume", job)
        c.gives(True, "job_tune", job, {"pause_ms": 0, "rows": 500})
    finish(d, job)


def test_a_cancelled_job_leaves_no_row_too_many_in_its_archive(lone):
    """The row that a lost chunk has left there is cut off, though no other chunk comes."""
    d, job = begin(lone, {"pause_ms": 200})
    i = Injector(d, ["-e", "trace=pwrite64,fdatasync", "-e", "inject=fdatasync:signal=KILL:when=2"])
    wire.until(lambda: not d.alive(), "the death", 20)
    i.stop()
    d.kill()
    deleted = check(d, job)
    with open(os.path.join(d.directory, "archive", "kept"), "ab") as f:
        f.write(wire.pack([job, deleted, [{"id": 1, "n": 1, "s": "row 1"}], b"\0" * 16]))
    d.start()
    with d.client() as c:
        c.gives(True, "job_cancel", job)
        wire.until(lambda: len(archived(d)) == c.call("job", job)["deleted"], "the archive to be trimmed")
    d.stop()
    check(d, job)


def test_sigterm_ends_the_chunk_and_the_next_start_goes_on(lone):
    d, job = begin(lone, {})
    for _ in range(3):
        with d.client() as c:
            goal = c.call("job", job)["deleted"] + 400
            wire.until(lambda: c.call("job", job)["deleted"] >= goal)
        d.stop(20)
        check(d, job)
        assert len(archived(d)) == check(d, job)
        d.start()
    finish(d, job)


def test_sigterm_waits_for_no_transaction_that_holds_up_a_chunk(lone):
    d, job = begin(lone, {})
    clients = [d.client() for _ in range(4)]
    clients[0].call("begin")
    clients[0].call("insert", "t", {"id": -1})
    for c in clients[1:]:
        c.gives(True, "ping")
    follower = d.client()
    follower.send("purge", "t", {"id": -5}, {"follow": True})
    d.stop(20)
    for c in clients + [follower]:
        c.close()
    check(d, job)
    d.start()
    finish(d, job)
