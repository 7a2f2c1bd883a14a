"""The disk fails, the disk is full, the process dies between two writes: the answers stay true."""
import os
import sqlite3
import subprocess

import pytest

from lib import wire
from lib.faults import Injector
from lib.schema import schema


@pytest.fixture
def injecting(lone):
    """Makes daemons whose system calls fail as strace's words say: injecting(words...) -> daemon. Its table t holds
    one row already, so that only requests meet the fault."""
    injectors = []

    def make(*words):
        d = lone()
        with d.client() as c:
            c.call("create_table", "t", schema({"id": "int", "s": "text(40)"}))
            c.call("insert", "t", {"id": -1, "s": "first"})
        injectors.append(Injector(d, words))
        return d
    yield make
    for i in injectors:
        i.stop()


def write_each(d, table, requests):
    """Inserts of (id, rows), one after the other, until it ends -> {id: "applied" | "not_applied" | "unknown"}."""
    fate = {}
    try:
        with d.client(timeout=60) as c:
            for i, rows in requests:
                fate[i] = "unknown"
                r = c.reply(c.send("insert", table, rows))
                if r.error is not None:
                    wire.check_error(r.error)
                fate[i] = "applied" if r.error is None else r.error[2]["outcome"]
    except (wire.Closed, OSError):
        pass
    return fate


def write_until_it_ends(d, count):
    return write_each(d, "t", ((i, [{"id": i * 10 + k, "s": "x" * 30} for k in range(5)]) for i in range(count)))


def check_fates(d, fate):
    """Restarted without faults, the file holds what was said."""
    d.kill()
    d.start()
    with d.client() as c:
        c.gives(1, "count", "t", {"id": -1})
        for i, said in fate.items():
            there = c.call("count", "t", ["between", "id", i * 10, i * 10 + 9])
            assert there in (0, 5), "half of request %d" % i
            if said == "applied":
                assert there == 5, "request %d was acknowledged and is gone" % i
            elif said == "not_applied":
                assert there == 0, "request %d was refused and is there" % i
        c.gives({"inserted": 1}, "insert", "t", {"id": 1000000})
    d.stop()
    con = sqlite3.connect(d.db_path)
    assert con.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    con.close()


@pytest.mark.parametrize("nth", range(1, 9))
def test_a_failed_sync_is_never_taken_for_success_nor_for_failure(injecting, nth):
    d = injecting("-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:error=EIO:when=%d" % nth)
    fate = write_until_it_ends(d, 12)
    assert len(fate) == 12 and 9 <= list(fate.values()).count("applied") < 12, fate
    check_fates(d, fate)


def test_a_disk_that_never_syncs_again(injecting):
    d = injecting("-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:error=EIO:when=3+")
    fate = write_until_it_ends(d, 8)
    assert len(fate) == 8 and list(fate.values()).count("applied") <= 3
    assert d.alive()
    with d.client() as c:
        c.gives(True, "ping")
    check_fates(d, fate)


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
@pytest.mark.parametrize("nth", [1, 2, 3, 5, 8, 11])
def test_a_failed_write_leaves_nothing_by_half(injecting, error, nth):
    d = injecting("-e", "trace=pwrite64", "-e", "inject=pwrite64:error=%s:when=%d" % (error, nth))
    fate = write_until_it_ends(d, 12)
    assert len(fate) == 12 and 6 <= list(fate.values()).count("applied") < 12, fate
    check_fates(d, fate)


def test_a_full_disk_is_storage_full_and_not_applied(injecting):
    d = injecting("-e", "trace=pwrite64", "-e", "inject=pwrite64:error=ENOSPC:when=4+")
    with d.client() as c:
        names = set()
        for i in range(10):
            r = c.reply(c.send("insert", "t", {"id": i, "s": "x"}))
            if r.error is not None:
                wire.check_error(r.error)
                names.add((r.error[2]["name"], r.error[2]["outcome"]))
        assert names and {n for n, _ in names} <= {"storage_full", "commit_unknown"}, names
        c.gives({"id": -1, "s": "first"}, "get", "t", -1)
        c.gives(True, "ping")


@pytest.mark.parametrize("call", ["pwrite64", "fdatasync"])
@pytest.mark.parametrize("nth", [1, 2, 3, 4, 5, 7, 9, 12, 16, 21])
def test_death_between_two_writes_loses_nothing_acknowledged(injecting, call, nth):
    d = injecting("-e", "trace=" + call, "-e", "inject=%s:signal=KILL:when=%d" % (call, nth))
    fate = write_until_it_ends(d, 40)
    wire.until(lambda: not d.alive(), "the death", 20)
    assert "not_applied" not in fate.values()
    check_fates(d, fate)


# ---- a log that is long enough to be copied beside the writer ----

BIG = 1 << 18    # bytes of a row: with four rows to a request, 250 pages; after 16 requests the log is long


def big_rows(i):
    return [{"id": i + k, "b": bytes([i + k]) * BIG} for k in range(4)]


def write_much(d, count):
    return write_each(d, "big", ((i, big_rows(i)) for i in range(0, 4 * count, 4)))


def check_much(d, fate):
    """Restarted without faults, the file holds what was said, each byte of it."""
    d.kill()
    d.start()
    with d.client(timeout=60) as c:
        for i, said in fate.items():
            rows = [c.call("get", "big", i + k) for k in range(4)]
            if said == "applied" or (said == "unknown" and rows[0]):
                assert rows == big_rows(i), "request %d" % i
            else:
                assert rows == [None] * 4, "request %d was refused and is there" % i
    d.stop()
    con = sqlite3.connect(d.db_path)
    assert con.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    con.close()


@pytest.fixture
def much(injecting):
    """As injecting; its table big takes rows of BIG bytes."""
    def make(*words):
        d = injecting(*words)
        with d.client() as c:
            c.call("create_table", "big", schema({"id": "int", "b": "bytes"}))
        return d
    return make


@pytest.mark.parametrize("call,nth", [("pwrite64", 600), ("pwrite64", 2000), ("pwrite64", 4100), ("pwrite64", 6000),
                                      ("fdatasync", 18), ("fdatasync", 19), ("fdatasync", 20), ("fdatasync", 22)])
def test_death_while_the_log_is_copied_loses_nothing_acknowledged(much, call, nth):
    d = much("-e", "trace=" + call, "-e", "inject=%s:signal=KILL:when=%d" % (call, nth))
    fate = write_much(d, 60)
    wire.until(lambda: not d.alive(), "the death", 20)
    assert "applied" in fate.values() and "not_applied" not in fate.values()
    check_much(d, fate)


@pytest.mark.parametrize("call,when", [("pwrite64", "600..3000"), ("pread64", "500..900"), ("fdatasync", "18..21")])
def test_a_disk_that_fails_while_the_log_is_copied(much, call, when):
    d = much("-e", "trace=" + call, "-e", "inject=%s:error=EIO:when=%s" % (call, when))
    fate = write_much(d, 40)
    assert len(fate) == 40 and "applied" in fate.values()
    check_much(d, fate)


def test_a_disk_that_is_really_full(lone, tmp_path):
    where = str(tmp_path / "small")
    os.mkdir(where)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", where], capture_output=True).returncode:
        pytest.skip("mounting a small file system needs rights that are not here")
    try:
        d = lone([("main", "sqlite://%s/main.db" % where)])
        with d.client() as c:
            c.call("create_table", "t", schema({"id": "int", "s": "text(1000)"}))
            acked = []
            for i in range(5000):
                r = c.reply(c.send("insert", "t", {"id": i, "s": "x" * 1000}))
                if r.error is not None:
                    wire.check_error(r.error)
                    assert r.error[2]["name"] == "storage_full" and r.error[2]["outcome"] == "not_applied", r.error
                    break
                acked.append(i)
            assert 100 < len(acked) < 5000
            c.gives(len(acked), "count", "t")
            c.gives({"id": 0, "s": "x" * 1000}, "get", "t", 0)
        d.kill()
        d.start()
        with d.client() as c:
            c.gives(len(acked), "count", "t")
        d.kill()
    finally:
        subprocess.run(["umount", "-l", where])
