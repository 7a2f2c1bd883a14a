"""Purges: deletes of any number of rows in the background, chunk by chunk, and all that can be asked of them."""
import os
import subprocess
import threading
import uuid

import pytest

from lib import wire
from lib.schema import foreign_key
from lib.wire import Note, same, until

STATES = ("running", "paused", "done", "cancelled", "failed")
SLOW = {"rows": 1, "target_ms": 0, "pause_ms": 50}


@pytest.fixture
def t(table):
    """A thousand rows, of which those with an even n are to go."""
    return table({"id": "int", "n": "int", "s": "text(20)"}, rows=[(i, i % 2, "row%d" % i) for i in range(1000)])


EVEN = {"n": 0}


def check_record(job):
    assert list(job) == ["job", "table", "state", "deleted", "elapsed_ms", "rate", "eta_ms", "options", "error"]
    assert list(job["options"]) == ["rows", "target_ms", "pause_ms", "max_rows", "max_seconds", "archive"]
    assert job["state"] in STATES and type(job["deleted"]) is int and type(job["elapsed_ms"]) is int
    for key in ("rate", "eta_ms"):
        assert job[key] is None or (type(job[key]) is int and job[key] >= 0)
    assert (job["error"] is None) == (job["state"] != "failed")
    return job


def state(db, job):
    return check_record(db.call("job", job))["state"]


def finished(db, job):
    until(lambda: state(db, job) in ("done", "cancelled", "failed"), "job %d to be over" % job)
    return db.call("job", job)


def start(db, t, filter, options=None):
    got = db.call("purge", t, filter, options or {})
    assert list(got) == ["job"] and type(got["job"]) is int
    return got["job"]


@pytest.fixture
def slow(db, t):
    """A purge that takes its time; at the end it is cancelled."""
    job = start(db, t, EVEN, SLOW)
    yield job
    db.reply(db.send("job_cancel", job))


# ---- what is deleted ----

def test_what_matches_is_deleted_and_nothing_else(db, t):
    job = finished(db, start(db, t, EVEN))
    assert job["state"] == "done" and job["deleted"] == 500 and job["table"] == t and job["eta_ms"] == 0
    db.gives(500, "count", t)
    db.gives(500, "count", t, {"n": 1})
    assert job["options"]["archive"] is None and job["options"]["max_rows"] is None


@pytest.mark.parametrize("rows", [1, 7, 499, 500, 501, 5000])
def test_chunks_of_every_size_delete_the_same(db, table, rows):
    t = table({"id": "int", "n": "int"}, rows=[(i * 3 - 600, i % 2) for i in range(1000 if rows > 1 else 60)])
    n = db.call("count", t, EVEN)
    assert finished(db, start(db, t, EVEN, {"rows": rows, "target_ms": 0}))["deleted"] == n
    db.gives(n, "count", t)
    db.gives(0, "count", t, EVEN)


def test_a_purge_of_nothing_is_done(db, t):
    job = finished(db, start(db, t, {"id": -1}))
    assert (job["state"], job["deleted"]) == ("done", 0)
    db.gives(1000, "count", t)


def test_a_purge_of_everything(db, t):
    assert finished(db, start(db, t, [">=", "id", 0]))["deleted"] == 1000
    db.gives(0, "count", t)


def test_filters_are_the_filters_of_every_delete(db, table, t):
    keep = table({"id": "int"}, rows=[(i,) for i in range(0, 1000, 10)])
    filter = ["and", ["not_in", "id", {"select": "id", "from": keep}], ["or", ["like", "s", "row1%"], ["in", "id", list(range(500, 600))]]]
    due = db.call("count", t, filter)
    assert 0 < due < 1000
    assert finished(db, start(db, t, filter, {"rows": 10, "target_ms": 0}))["deleted"] == due
    db.gives(0, "count", t, filter)
    db.gives(1000 - due, "count", t)


KEYS = {
    "text": ({"id": "text(20)", "n": "int"}, ("id",), [("k%03d" % (i * 7 % 300), i % 2) for i in range(300)]),
    "two columns": ({"a": "int", "b": "text(5)", "n": "int"}, ("a", "b"), [(i // 10, "x%d" % (i % 10), i % 2) for i in range(300)]),
    "three columns": ({"a": "bool", "b": "int", "c": "bytes(4)", "n": "int"}, ("c", "b", "a"),
                      [(bool(i & 1), i // 50, bytes([i % 25]), i // 2 % 2) for i in range(300)]),
    "decimal": ({"id": "decimal(9,2)", "n": "int"}, ("id",), [("%d.%02d" % (i - 150, i % 100), i % 2) for i in range(300)]),
    "time": ({"id": "time", "n": "int"}, ("id",), [(wire.time_of(2020, 1, 1, micro=i), i % 2) for i in range(300)]),
}


@pytest.mark.parametrize("kind", KEYS)
def test_keys_of_every_kind_are_walked(db, table, kind):
    columns, key, rows = KEYS[kind]
    t = table(columns, key=key, rows=rows)
    n = db.call("count", t, EVEN)
    assert n == 150
    assert finished(db, start(db, t, EVEN, {"rows": 13, "target_ms": 0}))["deleted"] == n
    db.gives(0, "count", t, EVEN)
    db.gives(150, "count", t)


def test_only_what_matches_when_its_turn_comes_is_deleted(db, other, table):
    t = table({"id": "int", "n": "int"}, rows=[(i, 0) for i in range(200)])
    job = start(db, t, EVEN, {"rows": 5, "target_ms": 0, "pause_ms": 20})
    other.call("update_where", t, [">", "id", 150], {"n": 1})
    kept = other.call("count", t, {"n": 1})
    assert finished(db, job)["deleted"] == 200 - kept
    db.gives(kept, "count", t)


def test_children_go_along_or_stand_in_the_way(db, table):
    p = table({"id": "int", "n": "int"}, rows=[(i, i % 2) for i in range(100)])
    c = table({"id": "int", "p": "int!"}, rows=[(i, i // 2) for i in range(200)], foreign_keys=[foreign_key(["p"], p, on_delete="cascade")])
    assert finished(db, start(db, p, EVEN, {"rows": 7, "target_ms": 0}))["deleted"] == 50
    db.gives(100, "count", c)
    r = table({"id": "int", "p": "int!"}, rows=[(1, 51)], foreign_keys=[foreign_key(["p"], p)])
    job = finished(db, start(db, p, [">=", "id", 0], {"rows": 10, "target_ms": 0}))
    assert job["state"] == "failed" and "foreign" in job["error"]
    assert db.call("count", p) == 50 - job["deleted"] and job["deleted"] < 50
    db.gives({"deleted": 1}, "delete", r, 1)
    db.gives(True, "job_resume", job["job"])
    assert finished(db, job["job"])["state"] == "done"
    db.gives(0, "count", p)
    db.gives(0, "count", c)


# ---- limits ----

@pytest.mark.parametrize("most", [1, 10, 99, 500, 501])
def test_max_rows_ends_the_job_at_that_many(db, t, most):
    job = finished(db, start(db, t, EVEN, {"rows": 7, "max_rows": most}))
    due = min(most, 500)
    assert (job["state"], job["deleted"], job["options"]["max_rows"]) == ("done", due, most)
    left = [i for i in range(0, 1000, 2)][due:]
    assert [r[0] for r in db.call("select", t, {"where": EVEN, "columns": ["id"]})["rows"]] == left


def test_max_seconds_ends_the_job(db, t):
    job = finished(db, start(db, t, EVEN, dict(SLOW, max_seconds=1, pause_ms=200)))
    assert job["state"] == "done" and 0 < job["deleted"] < 20 and 900 <= job["elapsed_ms"] < 5000
    db.gives(1000 - job["deleted"], "count", t)


# ---- steering ----

def test_a_paused_job_rests_and_a_resumed_one_goes_on(db, t, slow):
    db.gives(True, "job_pause", slow)
    db.gives(True, "job_pause", slow)
    assert state(db, slow) == "paused"
    at_rest = db.call("count", t)
    assert db.call("job", slow)["deleted"] == 1000 - at_rest
    with pytest.raises(AssertionError):
        until(lambda: db.call("count", t) != at_rest, "more than the one chunk", 0.4)
    db.gives(True, "job_resume", slow)
    until(lambda: db.call("count", t) < at_rest, "it to go on")
    db.gives(True, "job_resume", slow)
    assert state(db, slow) == "running"


def test_a_cancelled_job_is_over(db, t, slow):
    until(lambda: db.call("count", t) < 1000, "the first chunk")
    db.gives(True, "job_cancel", slow)
    job = db.call("job", slow)
    left = db.call("count", t)
    assert job["state"] == "cancelled" and job["deleted"] == 1000 - left and 0 < job["deleted"] < 500
    db.gives(True, "job_cancel", slow)
    for method in ("job_pause", "job_resume", "job_tune"):
        db.refuses("bad_request", method, slow)
    db.gives(left, "count", t)


def test_a_paused_job_can_be_cancelled(db, t, slow):
    db.gives(True, "job_pause", slow)
    db.gives(True, "job_cancel", slow)
    assert state(db, slow) == "cancelled"


def test_a_tuned_job_goes_on_at_the_new_pace(db, t, slow):
    db.gives(True, "job_tune", slow, {"rows": 250, "pause_ms": 0})
    job = finished(db, slow)
    assert (job["state"], job["deleted"]) == ("done", 500)
    assert (job["options"]["rows"], job["options"]["pause_ms"], job["options"]["target_ms"]) == (250, 0, 0)


def test_a_tuned_job_keeps_what_is_not_named(db, t, slow):
    db.gives(True, "job_tune", slow, {"max_rows": 400})
    assert db.call("job", slow)["options"] == {"rows": 1, "target_ms": 0, "pause_ms": 50, "max_rows": 400, "max_seconds": None, "archive": None}
    db.gives(True, "job_tune", slow)
    assert db.call("job", slow)["options"]["max_rows"] == 400


def test_a_done_job_is_over(db, t):
    job = finished(db, start(db, t, EVEN))["job"]
    for method in ("job_pause", "job_resume", "job_cancel", "job_tune"):
        db.refuses("bad_request", method, job)
    assert state(db, job) == "done"


@pytest.mark.parametrize("method", ["job", "job_pause", "job_resume", "job_cancel", "job_tune"])
def test_there_are_only_the_jobs_there_are(db, t, method):
    job = finished(db, start(db, t, {"id": -1}))["job"]
    for nobody in (0, job + 1000, 2**63 - 1):
        db.refuses("bad_request", method, nobody)


def test_jobs_lists_them_all(db, t):
    before = db.call("jobs")
    made = [finished(db, start(db, t, {"id": i}))["job"] for i in range(3)]
    after = db.call("jobs")
    for j in after:
        check_record(j)
    assert [j["job"] for j in after] == [j["job"] for j in before] + made
    assert made == sorted(made) and len(set(made)) == 3
    assert same(after[-1], db.call("job", made[-1]))


# ---- following ----

def follow(c, msgid):
    """-> (progress so far, final reply)"""
    notes = []
    while True:
        m = c.read()
        if not isinstance(m, Note):
            assert m.msgid == msgid
            return notes, m
        assert m.method == "progress" and m.params[0] == msgid and len(m.params) == 2
        assert list(m.params[1]) == ["deleted", "elapsed_ms", "rate", "eta_ms"]
        notes.append(m.params[1])


def test_who_follows_hears_of_the_progress_and_the_end(db, table):
    t = table({"id": "int", "n": "int"}, rows=[(i, 0) for i in range(40)])
    notes, last = follow(db, db.send("purge", t, EVEN, {"rows": 1, "target_ms": 0, "pause_ms": 25, "follow": True}))
    assert last.error is None
    job = check_record(last.result)
    assert (job["state"], job["deleted"]) == ("done", 40)
    assert notes and [n["deleted"] for n in notes] == sorted(n["deleted"] for n in notes) and notes[-1]["deleted"] <= 40
    db.gives(0, "count", t)
    assert same(db.call("job", job["job"]), job)


def test_who_follows_hears_that_it_failed(db, table):
    p = table({"id": "int"}, rows=[(1,)])
    table({"id": "int", "p": "int!"}, rows=[(1, 1)], foreign_keys=[foreign_key(["p"], p)])
    _, last = follow(db, db.send("purge", p, {"id": 1}, {"follow": True}))
    assert last.error is None and check_record(last.result)["state"] == "failed"


def test_who_follows_hears_that_it_was_cancelled(db, other, t):
    sent = db.send("purge", t, EVEN, dict(SLOW, follow=True))
    job = until(lambda: [j["job"] for j in other.call("jobs") if j["table"] == t])[0]
    other.gives(True, "job_cancel", job)
    _, last = follow(db, sent)
    assert last.error is None and last.result["state"] == "cancelled" and last.result["job"] == job


def test_following_can_be_ended_and_the_job_goes_on(db, other, t):
    sent = db.send("purge", t, EVEN, dict(SLOW, follow=True))
    job = until(lambda: [j["job"] for j in other.call("jobs") if j["table"] == t])[0]
    until(lambda: other.call("count", t) < 1000, "the first chunk")
    db.send("cancel", sent, msgid=77)
    seen = []
    while len(seen) < 2:
        m = db.read()
        if not isinstance(m, Note):
            seen.append(m)
    by = {m.msgid: m for m in seen}
    assert by[77].result is True and by[sent].error[2]["name"] == "cancelled"
    assert state(other, job) == "running"
    other.gives(True, "job_tune", job, {"rows": 1000, "pause_ms": 0})
    assert finished(other, job)["deleted"] == 500


def test_a_follower_that_leaves_does_not_end_the_job(rowd, db, t):
    c = rowd.client()
    c.send("purge", t, EVEN, dict(SLOW, follow=True))
    job = until(lambda: [j["job"] for j in db.call("jobs") if j["table"] == t])[0]
    c.close()
    db.gives(True, "job_tune", job, {"rows": 1000, "pause_ms": 0})
    assert finished(db, job)["deleted"] == 500


# ---- refusals ----

@pytest.mark.parametrize("options", [{"rows": 0}, {"rows": 2**40}, {"target_ms": 2**40}, {"pause_ms": 2**40}, {"max_rows": 0}, {"max_seconds": 0},
                                     {"max_seconds": 2**40}])
def test_options_out_of_bounds_are_refused(db, t, slow, options):
    db.refuses("bad_request", "purge", t, EVEN, options)
    db.refuses("bad_request", "job_tune", slow, options)


def test_what_no_delete_would_take_no_purge_takes(db, t):
    for empty in ({}, [], ["and"], ["or"], None):
        db.refuses("empty_filter", "purge", t, empty)
    db.refuses("unknown_table", "purge", "nowhere", {"id": 1})
    db.refuses("unknown_column", "purge", t, {"nope": 1}, column="nope")
    db.refuses("type_mismatch", "purge", t, {"id": "1"}, column="id")
    db.gives(1000, "count", t)


def test_purges_are_no_part_of_transactions(db, t):
    for method, params in (("purge", [t, EVEN]), ("job_pause", [1]), ("job_cancel", [1])):
        db.call("begin")
        db.refuses("tx_open", method, *params)
        db.gives(True, "rollback")
        db.refuses(("tx_open", "bad_request"), "atomic", [[method] + params])
    db.gives(1000, "count", t)


def test_a_table_that_goes_ends_its_purge(db, t):
    job = start(db, t, EVEN, SLOW)
    db.gives(True, "drop_table", t)
    job = finished(db, job)
    assert job["state"] == "failed" and job["error"]


def test_a_purge_with_an_id_is_begun_once(db, other, t):
    request = ("purge", t, EVEN, {"request_id": str(uuid.uuid4())})
    first = db.call(*request)
    finished(db, first["job"])
    db.call("insert", t, {"id": 2000, "n": 0})
    other.gives(first, *request)
    db.gives(1, "count", t, EVEN)
    db.gives({"state": "applied", "result": first}, "outcome", request[-1]["request_id"])
    db.gives(1, "count", t, EVEN)


def test_a_purge_followed_twice_with_one_id_is_one_purge(db, other, t):
    request = ("purge", t, EVEN, {"follow": True, "request_id": str(uuid.uuid4())})
    _, first = follow(db, db.send(*request))
    _, again = follow(other, other.send(*request))
    assert first.result["state"] == "done" and same(again.result, first.result)
    db.gives(500, "count", t)


# ---- archives ----

def read_archive(rowd, name):
    """The rows of an archive, in order; every chunk says how many came before it."""
    with open(os.path.join(rowd.directory, "archive", name), "rb") as f:
        data = f.read()
    rows = []
    for chunk in wire.messages(data):
        job, before, part, checksum = chunk
        assert before == len(rows) and part and isinstance(checksum, bytes) and checksum
        rows += part
    return rows


@pytest.mark.parametrize("options", [{}, {"rows": 7, "target_ms": 0}, {"max_rows": 33}])
def test_an_archive_holds_exactly_the_rows_that_went(rowd, db, table, options):
    columns = {"id": "int", "n": "int", "b": "bool", "f": "float", "d": "decimal(9,2)", "s": "text(20)", "x": "bytes", "w": "time"}
    t = table(columns)
    made = [{"id": i, "n": i % 2, "b": i % 3 == 0, "f": i / 7, "d": "%d.%02d" % (i, i % 100), "s": "ä%d\n" % i if i % 5 else None, "x": bytes([i % 256]) * 3,
             "w": wire.time_of(2024, 1, 1, micro=i)} for i in range(300)]
    db.call("insert", t, made)
    name = "%s.rows" % t
    job = finished(db, start(db, t, EVEN, dict(options, archive=name)))
    assert job["state"] == "done" and job["options"]["archive"] == name
    due = [r for r in made if r["n"] == 0][:options.get("max_rows", 1000)]
    kept = read_archive(rowd, name)
    assert same(kept, due) and job["deleted"] == len(due)
    db.gives({"inserted": len(kept)}, "insert", t, kept)
    assert same(db.call("select", t, {"where": EVEN})["rows"], [list(r.values()) for r in made if r["n"] == 0])


@pytest.mark.parametrize("bytes_each", [20_000, 5_000_000])
def test_an_archive_keeps_rows_of_any_size(rowd, db, table, bytes_each):
    """A chunk of them may be more than anybody would hold in memory."""
    t = table({"id": "int", "x": "bytes"})
    n = 15_000_000 // bytes_each
    for i in range(n):
        db.call("insert", t, {"id": i, "x": bytes([i % 256]) * bytes_each})
    job = finished(db, start(db, t, [">=", "id", 0], {"archive": "large-%d" % bytes_each}))
    assert job["state"] == "done" and job["deleted"] == n
    kept = read_archive(rowd, "large-%d" % bytes_each)
    assert [r["id"] for r in kept] == list(range(n))
    assert all(r["x"] == bytes([r["id"] % 256]) * bytes_each for r in kept)


def test_an_archive_is_nobody_elses_to_read(rowd, db, t):
    finished(db, start(db, t, EVEN, {"archive": "mode"}))
    path = os.path.join(rowd.directory, "archive", "mode")
    assert os.stat(path).st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "/tmp/x", "a/b", ".hidden", "x" * 300, "./x", "nul\0"])
def test_an_archive_is_a_name_in_its_directory(rowd, db, t, name):
    db.refuses(("bad_request", "invalid_text"), "purge", t, EVEN, {"archive": name})
    db.gives(1000, "count", t)


def test_an_archive_is_never_written_over(rowd, db, t):
    path = os.path.join(rowd.directory, "archive", "precious")
    with open(path, "w") as f:
        f.write("precious")
    db.refuses("bad_request", "purge", t, EVEN, {"archive": "precious"})
    with open(path) as f:
        assert f.read() == "precious"
    os.symlink("/etc/passwd", os.path.join(rowd.directory, "archive", "link"))
    assert db.reply(db.send("purge", t, EVEN, {"archive": "link"})).error is not None
    finished(db, start(db, t, {"id": 0}, {"archive": "twice"}))
    db.refuses("bad_request", "purge", t, EVEN, {"archive": "twice"})
    db.gives(999, "count", t)


def test_a_cancelled_jobs_archive_holds_what_went(rowd, db, t):
    job = start(db, t, EVEN, dict(SLOW, archive="cancelled"))
    until(lambda: db.call("count", t) < 995, "some chunks")
    db.gives(True, "job_cancel", job)
    kept = read_archive(rowd, "cancelled")
    assert 5 < len(kept) == db.call("job", job)["deleted"] == 1000 - db.call("count", t)


# ---- what a server says of itself ----

def is_held(backend, table):
    """Asked of the row itself: InnoDB's list of transactions stays as it was to whoever asks for it often."""
    try:
        backend.sql("SET SESSION innodb_lock_wait_timeout = 1; SELECT * FROM %s FOR UPDATE" % table)
    except AssertionError as e:
        assert "1205" in str(e), e
        return True
    return False


def test_a_purge_gives_way_while_others_wait_for_locks(backend, rowd, db, table, t):
    if backend.name == "sqlite":
        pytest.skip("nobody waits for the locks of rows")
    held = table({"id": "int", "n": "int"}, rows=[(1, 0)])
    change = "UPDATE %s SET n = n + 1 WHERE id = 1" % held
    holder = subprocess.Popen(["mysql", "--no-defaults", "-uroot", "-S", backend.server.socket, backend.schema],
                              stdin=subprocess.PIPE, text=True)
    holder.stdin.write("BEGIN;\n%s;\n" % change)
    holder.stdin.flush()
    until(lambda: is_held(backend, held), "a lock")
    waiter = threading.Thread(target=backend.sql, args=(change,))
    waiter.start()
    until(lambda: backend.sql("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'")[0][1] != "0", "somebody to wait for it")
    job = start(db, t, EVEN, {"rows": 5, "target_ms": 0})
    until(lambda: "job=%d state=easing" % job in rowd.log(), "it to ease off")
    until(lambda: db.call("job", job)["deleted"] > 0, "it to go on nevertheless")
    holder.communicate("COMMIT;\n")
    waiter.join()
    assert finished(db, job)["deleted"] == 500


def test_free_space_is_given_back_as_the_database_can(backend, db, t):
    db.call("delete_all", t)
    way, other_way = ({}, {"optimize": t}) if backend.name == "sqlite" else ({"optimize": t}, {})
    got = db.call("reclaim", "main", way)
    assert list(got) == ["reclaimed_bytes", "used_bytes", "free_bytes"] and got["used_bytes"] > 0
    db.refuses("unsupported", "reclaim", "main", other_way)
    for missing in ("nope", "_rowd_jobs", "a`b", "x" * 1000):
        db.refuses(("unknown_table", "unsupported"), "reclaim", "main", {"optimize": missing})
    db.refuses("bad_request", "reclaim", "main", {"optimize": t, "max_ms": 5})
    db.gives(0, "count", t)
