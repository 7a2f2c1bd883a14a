"""Tables that rowd did not make: used as they are, with portable false and the reasons."""
import threading
import time
import uuid

import pytest


@pytest.fixture
def made(backend, db):
    """Run DDL behind rowd's back; the tables go away afterwards."""
    names = []

    def make(name, ddl, *more):
        backend.sql("DROP TABLE IF EXISTS %s" % name)
        backend.sql(ddl)
        for statement in more:
            backend.sql(statement)
        names.append(name)
        return name
    yield make
    for name in reversed(names):
        backend.sql("DROP TABLE IF EXISTS %s" % name)


ENGINE = {"sqlite": "", "mariadb": " ENGINE=InnoDB", "mysql": " ENGINE=InnoDB"}


def test_a_plain_table_is_found_and_used(backend, db, made):
    made("plain", "CREATE TABLE plain (id INTEGER PRIMARY KEY, name VARCHAR(20), n BIGINT)" + ENGINE[backend.name],
         "INSERT INTO plain VALUES (1, 'ann', 5), (2, NULL, NULL)")
    assert "plain" in db.call("tables")
    got = db.call("describe", "plain")
    assert got["portable"] is False and got["reasons"] and all(isinstance(r, str) and r for r in got["reasons"])
    assert [c["name"] for c in got["columns"]] == ["id", "name", "n"] and got["primary_key"] == ["id"]
    db.gives({"columns": ["id", "name", "n"], "rows": [[1, "ann", 5], [2, None, None]], "more": False}, "select", "plain")
    assert db.call("insert", "plain", {"id": 3, "name": "bob", "n": 7})["inserted"] == 1
    db.gives({"id": 3, "name": "bob", "n": 7}, "get", "plain", 3)
    db.gives({"updated": 1}, "update", "plain", 3, {"n": ["+", ["col", "n"], 1]})
    db.gives({"updated": 1}, "update_where", "plain", {"name": "bob"}, {"name": "Bob"})
    db.gives(2, "count", "plain", ["not_null", "name"])
    db.refuses("conflict", "insert", "plain", {"id": 1})
    db.refuses("unknown_column", "count", "plain", {"nope": 1}, column="nope")
    db.refuses("type_mismatch", "count", "plain", {"n": "5"}, column="n")
    db.gives({"deleted": 1, "columns": ["id", "name", "n"], "rows": [[3, "Bob", 8]]}, "delete_where", "plain", [">", "n", 5], {"returning": "rows"})
    assert len(backend.sql("SELECT id FROM plain")) == 2


INT = {"sqlite": "INTEGER", "mariadb": "BIGINT", "mysql": "BIGINT"}
SOON = {"sqlite": 0, "mariadb": 10, "mysql": 10}  # seconds: a server is asked for its schema now and then


def test_a_schema_change_by_others_is_noticed(backend, db, table):
    t = table({"id": "int", "a": "int"}, rows=[(1, 2)])
    db.gives({"id": 1, "a": 2}, "get", t, 1)
    assert db.call("describe", t)["portable"] is True
    backend.sql("ALTER TABLE %s ADD COLUMN extra %s" % (t, INT[backend.name]))
    until = time.monotonic() + SOON[backend.name]
    while "extra" not in db.call("get", t, 1) and time.monotonic() < until:
        pass
    db.gives({"id": 1, "a": 2, "extra": None}, "get", t, 1)
    db.gives({"updated": 1}, "update", t, 1, {"extra": 9})
    db.gives(1, "count", t, {"extra": 9})
    assert db.call("describe", t)["portable"] is False
    backend.sql("DROP TABLE %s" % t)
    db.refuses("unknown_table", "get", t, 1, table=t)
    assert t not in db.call("tables")


@pytest.fixture
def asked(rowd, table):
    """Somebody reads all the time: what rowd knows of the schema is never older than it may be, nor newer."""
    t = table({"id": "int"}, rows=[(1,)])
    client = rowd.client()
    over = threading.Event()

    def read():
        while not over.is_set():
            client.call("get", t, 1)
            time.sleep(0.0002)
    thread = threading.Thread(target=read)
    thread.start()
    yield
    over.set()
    thread.join()
    client.close()


def test_what_others_made_is_never_said_to_be_unknown(backend, db, asked):
    """Each kind of request is, in its turn, the first after the change."""
    first = [lambda t: t in db.call("tables"),
             lambda t: db.call("describe", t)["name"] == t,
             lambda t: db.call("insert", t, {"id": 1})["inserted"] == 1,
             lambda t: db.call("get", t, 1) is None,
             lambda t: db.call("select", t, {"where": {"id": 1}})["rows"] == [],
             lambda t: db.call("delete_all", t)["deleted"] == 0,
             lambda t: db.call("atomic", [["insert", t, {"id": 1}], ["count", t]])[1] == 1,
             lambda t: db.call("insert", t, {"id": 1}, {"request_id": str(uuid.uuid4())})["inserted"] == 1]
    for i, request in enumerate(first * 3):
        t = "seen%d" % i
        backend.sql("CREATE TABLE %s (id %s PRIMARY KEY)%s" % (t, INT[backend.name], ENGINE[backend.name]))
        try:
            assert request(t)
        finally:
            backend.sql("DROP TABLE %s" % t)
        assert t not in db.call("tables")


def test_a_column_of_others_is_never_said_to_be_unknown(backend, db, table, asked):
    t = table({"id": "int"}, rows=[(1,)])
    first = [lambda c: db.call("update", t, 1, {c: 5})["updated"] == 1,
             lambda c: db.call("count", t, {c: None}) == 1,
             lambda c: db.call("delete_where", t, ["not_null", c])["deleted"] == 0]
    for i, request in enumerate(first * 5):
        c = "c%d" % i
        backend.sql("ALTER TABLE %s ADD COLUMN %s %s" % (t, c, INT[backend.name]))
        assert request(c)


def test_many_writes_beside_each_other_find_what_others_made(backend, rowd, asked):
    """Those that are carried out together too."""
    clients = [rowd.client() for _ in range(8)]
    for i in range(5):
        t = "together%d" % i
        backend.sql("CREATE TABLE %s (id %s PRIMARY KEY)%s" % (t, INT[backend.name], ENGINE[backend.name]))
        try:
            sent = [c.send("insert", t, {"id": n}) for n, c in enumerate(clients)]
            assert [c.result(msgid)["inserted"] for c, msgid in zip(clients, sent)] == [1] * len(clients)
        finally:
            backend.sql("DROP TABLE %s" % t)
    for c in clients:
        c.close()


def test_rows_written_by_others_are_seen_at_once(backend, db, table):
    t = table({"id": "int", "s": "text(10)"}, rows=[(1, "x")])
    for i in range(2, 12):
        backend.sql("INSERT INTO %s (id, s) VALUES (%d, 'row%d')" % (t, i, i))
        db.gives({"id": i, "s": "row%d" % i}, "get", t, i)
        db.gives(i, "count", t)
    backend.sql("DELETE FROM %s" % t)
    db.gives(0, "count", t)


def test_names_of_others_can_be_used(backend, db, made):
    quoted = '"%s"' if backend.name == "sqlite" else "`%s`"
    name = quoted % "Odd Name"
    backend.sql("DROP TABLE IF EXISTS %s" % name)
    backend.sql("CREATE TABLE %s (%s INTEGER PRIMARY KEY, %s VARCHAR(9))%s" % (name, quoted % "Key Col", quoted % "order", ENGINE[backend.name]))
    try:
        assert db.call("insert", "Odd Name", {"Key Col": 1, "order": "x"})["inserted"] == 1
        db.gives({"Key Col": 1, "order": "x"}, "get", "Odd Name", 1)
        db.gives({"deleted": 1}, "delete_where", "Odd Name", {"order": "x"})
    finally:
        backend.sql("DROP TABLE %s" % name)


def test_a_table_without_a_primary_key(backend, db, made):
    made("keyless", "CREATE TABLE keyless (a INTEGER, b VARCHAR(5))" + ENGINE[backend.name], "INSERT INTO keyless VALUES (1, 'x'), (1, 'x'), (2, 'y')")
    assert db.call("describe", "keyless")["primary_key"] == []
    db.gives(3, "count", "keyless")
    db.gives(2, "count", "keyless", {"a": 1})
    db.refuses(("unsupported", "bad_request", "not_portable"), "get", "keyless", 1)
    db.gives({"deleted": 2}, "delete_where", "keyless", {"a": 1})
    db.gives({"columns": ["a", "b"], "rows": [[2, "y"]], "more": False}, "select", "keyless")


def test_a_table_altered_by_others_says_why_it_is_no_longer_portable(backend, db, table):
    t = table({"id": "int", "a": "int"})
    backend.sql("CREATE INDEX foreign_made ON %s (a)" % t)
    got = db.call("describe", t)
    assert got["indexes"] == [["a"]]
    backend.sql("ALTER TABLE %s ADD COLUMN b %s DEFAULT 'x'" % (t, "TEXT" if backend.name == "sqlite" else "VARCHAR(5)"))
    got = db.call("describe", t)
    assert got["portable"] is False and any("b" in r for r in got["reasons"])
