"""A read sees every write that was acknowledged to anyone before the read was sent."""
import os
import threading

from lib.schema import schema


def test_a_write_acknowledged_on_one_connection_is_read_on_all_others(rowd, db, table):
    t = table({"id": "int", "n": "int"}, rows=[(1, 0)])
    readers = [rowd.client() for _ in range(6)]
    for n in range(1, 2001):
        db.gives({"updated": 1}, "update", t, 1, {"n": n})
        for k in range(2):
            readers[(n + k) % 6].gives({"id": 1, "n": n}, "get", t, 1)
    for r in readers:
        r.close()


def test_so_it_is_for_pipelined_writes_and_reads(rowd, db, table):
    t = table({"id": "int"})
    readers = [rowd.client() for _ in range(4)]
    done = 0
    while done < 3000:
        sent = db.send_many([("insert", t, {"id": done + i}) for i in range(30)])
        for i, m in enumerate(sent):
            assert db.result(m) == {"inserted": 1}
            r = readers[i % 4]
            a, b, c = r.send_many([("exists", t, {"id": done + i}), ("get", t, done + i), ("count", t, ["<=", "id", done + i])])
            assert r.result(a) is True and r.result(b) == {"id": done + i} and r.result(c) == done + i + 1
        done += 30
    for r in readers:
        r.close()


def test_so_it_is_while_many_write_and_read_at_once(rowd, db, table):
    t = table({"id": "int", "n": "int"}, rows=[(i, 0) for i in range(4)])
    latest, failures, stop = [0] * 4, [], threading.Event()

    def write(lane):
        with rowd.client() as c:
            for n in range(1, 1001):
                c.call("update", t, lane, {"n": n})
                latest[lane] = n
        if all(x == 1000 for x in latest):
            stop.set()

    def read():
        with rowd.client() as c:
            while not stop.is_set():
                known = list(latest)
                got = [r[1] for r in c.call("select", t)["rows"]]
                if any(g < k for g, k in zip(got, known)):
                    failures.append((known, got))
                    return
    threads = [threading.Thread(target=write, args=(i,)) for i in range(4)] + [threading.Thread(target=read) for _ in range(3)]
    for th in threads:
        th.start()
    for th in threads[:4]:
        th.join()
    stop.set()
    for th in threads[4:]:
        th.join()
    assert not failures, failures[0]
    db.gives({"columns": ["n"], "rows": [[1000]] * 4, "more": False}, "select", t, {"columns": ["n"]})


def test_readers_that_never_pause_do_not_keep_the_log_from_beginning_anew(rowd, db, table):
    t = table({"id": "int", "text": "text(500)"}, rows=[(0, "x")])
    stop, failures = threading.Event(), []

    def read():
        with rowd.client() as c:
            while not stop.is_set():
                for m in c.send_many([("get", t, 0)] * 50):
                    if c.result(m) != {"id": 0, "text": "x"}:
                        failures.append(m)
                        return
    readers = [threading.Thread(target=read) for _ in range(4)]
    for r in readers:
        r.start()
    largest = 0
    for i in range(1200):
        db.call("insert", t, [{"id": 1 + 100 * i + k, "text": "y" * 400} for k in range(100)])
        largest = max(largest, os.path.getsize(rowd.db_path + "-wal"))
    stop.set()
    for r in readers:
        r.join()
    assert not failures
    assert largest < 32 << 20       # of 50 MB of rows, and somewhat more in pages


def test_a_commit_is_seen_by_everyone_the_moment_it_is_answered(rowd, db, table):
    t = table({"id": "int"})
    readers = [rowd.client() for _ in range(4)]
    for i in range(300):
        assert db.results(db.send_many([("begin",), ("insert", t, {"id": i}), ("commit",)])) == [True, {"inserted": 1}, True]
        readers[i % 4].gives(i + 1, "count", t)
    for r in readers:
        r.close()


def test_a_new_table_is_there_for_everyone_at_once(rowd, db):
    readers = [rowd.client() for _ in range(4)]
    for i in range(30):
        db.gives(True, "create_table", "fresh", schema({"id": "int", "c%d" % i: "int"}))
        for r in readers:
            r.gives({"columns": ["id", "c%d" % i], "rows": [], "more": False}, "select", "fresh")
        db.gives(True, "drop_table", "fresh")
        for r in readers:
            r.refuses("unknown_table", "count", "fresh")
    for r in readers:
        r.close()


def test_one_writers_failure_touches_no_other(rowd, db, table):
    t = table({"id": "int", "u": "int"}, unique=[["u"]], rows=[(-1, -1)])
    clients = [rowd.client() for _ in range(8)]
    sent = []
    for i in range(400):
        c = clients[i % 8]
        bad = i % 3 == 0
        sent.append((c, c.send("insert", t, [{"id": i, "u": i}, {"id": 10000 + i, "u": -1 if bad else 10000 + i}]), bad))
    for c, m, bad in sent:
        if bad:
            c.refused("conflict", m)
        else:
            assert c.result(m) == {"inserted": 2}
    good = [i for i in range(400) if i % 3]
    db.gives(2 * len(good) + 1, "count", t)
    db.gives(len(good), "count", t, ["in", "id", good])
    for c in clients:
        c.close()


def test_writers_are_served_fairly(rowd, db, table):
    t = table({"id": "int"})
    clients = [rowd.client() for _ in range(8)]
    done, stop = [0] * 8, threading.Event()

    def write(lane):
        n = 0
        while not stop.is_set():
            clients[lane].call("insert", t, {"id": lane * 1000000 + n})
            n += 1
            done[lane] = n
            if n == 150:
                stop.set()
    threads = [threading.Thread(target=write, args=(i,)) for i in range(8)]
    for th in threads:
        th.start()
    for th in threads:
        th.join()
    assert min(done) * 5 >= max(done), done
    db.gives(sum(done), "count", t)
    for c in clients:
        c.close()


def test_lists_of_a_million_values_within_the_limit(rowd, db, table):
    t = table({"id": "int"})
    for k in range(0, 20000, 10000):
        db.call("insert", t, [{"id": i} for i in range(k, k + 10000)])
    db.gives({"deleted": 10000}, "delete_where", t, ["in", "id", list(range(0, 2000000, 2))[:1000000]])
    db.gives({"deleted": 5000}, "delete_where", t, ["not_in", "id", list(range(10000, 1000000))])
    db.gives(5000, "count", t)
    db.gives(5000, "count", t, [">=", "id", 10000])
