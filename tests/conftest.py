"""Fixtures that every suite uses: see tests/README.md."""
import itertools
import os
import sqlite3
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from lib import daemon, schema, servers, wire  # noqa: E402

names = itertools.count(1)


class SQLite:
    """The backend that needs no server: a file in the daemon's directory."""
    name = "sqlite"

    def __init__(self):
        self.daemon = None

    def database(self, directory):
        self.path = os.path.join(directory, "main.db")
        return "sqlite://" + self.path

    def sql(self, script):
        """Run SQL behind rowd's back; the rows of the last statement."""
        con = sqlite3.connect(self.path, isolation_level=None, timeout=20)
        try:
            con.execute("PRAGMA foreign_keys=ON")
            rows = []
            for statement in filter(str.strip, script.split(";")):
                rows = con.execute(statement).fetchall()
            return rows
        finally:
            con.close()


class Remote:
    """MariaDB or MySQL: one server for the run, one database for a module."""

    def __init__(self, server):
        self.server = server
        self.name = server.name

    def database(self, directory):
        self.schema = self.server.new_database()
        return self.server.url(self.schema)

    def sql(self, script):
        return self.server.sql(script, self.schema)


running = {}


def server(kind):
    """The session's server of that kind, or a loud skip."""
    if not servers.MYSQL_DRIVER_LANDED:
        pytest.skip("%s: rowd has no driver for it yet" % kind)
    if servers.built_without_mysql():
        pytest.skip("%s: this rowd was configured --without-mysql" % kind)
    if kind not in running:
        try:
            running[kind] = servers.KINDS[kind]()
        except servers.Unavailable as e:
            running[kind] = e
    if isinstance(running[kind], Exception):
        pytest.skip("%s cannot be had here: %s" % (kind, running[kind]))
    return running[kind]


def pytest_sessionfinish(session):
    for s in running.values():
        if isinstance(s, servers.Server):
            s.close()


BACKENDS = os.environ.get("ROWD_BACKENDS", "sqlite mariadb mysql").split()


@pytest.fixture(scope="module", params=BACKENDS)
def backend(request):
    return SQLite() if request.param == "sqlite" else Remote(server(request.param))


@pytest.fixture(scope="module")
def rowd(backend, tmp_path_factory):
    """A daemon for the module, on a fresh database of the backend, called main, and a second SQLite
    database called other."""
    directory = str(tmp_path_factory.mktemp("rowd"))
    d = daemon.Daemon([("main", backend.database(directory)),
                       ("other", "sqlite://" + os.path.join(directory, "other.db"))],
                      directory=directory)
    d.start()
    yield d
    try:
        d.stop()
    finally:
        d.kill()


@pytest.fixture
def db(rowd):
    """A client of the module's daemon, which must be there still when the test ends."""
    if not rowd.alive():
        rowd.kill()
        rowd.start()
    c = rowd.client()
    yield c
    c.close()
    if not rowd.alive():
        code = rowd.process.returncode
        tail = rowd.log()[-6000:]
        os.truncate(rowd.log_path, 0)
        pytest.fail("rowd died (%s):\n%s" % (code, tail))


@pytest.fixture
def table(db):
    """Makes tables with names of their own: table({"id": "int", ...}) -> name."""
    def make(columns, key=("id",), rows=None, name=None, **rest):
        name = name or "t%05d" % next(names)
        assert db.call("create_table", name, schema.schema(columns, key, **rest)) is True
        if rows:
            width = list(columns)
            db.call("insert", name, [r if isinstance(r, dict) else dict(zip(width, r)) for r in rows])
        return name
    return make


@pytest.fixture
def other(rowd):
    """A second connection."""
    with rowd.client() as c:
        yield c


@pytest.fixture
def lone(tmp_path):
    """Makes daemons of a test's own, on SQLite: lone(args...) is started and stopped with 0."""
    made = []

    def make(databases=None, start=True, **kw):
        directory = str(tmp_path / ("d%d" % len(made)))
        os.mkdir(directory)
        d = daemon.Daemon(databases, directory=directory, **kw)
        made.append(d)
        return d.start() if start else d
    yield make
    try:
        for d in made:
            if d.alive():
                d.stop()
    finally:
        for d in made:
            d.kill()


@pytest.fixture
def lone_client(lone):
    """A client of a daemon of the test's own."""
    with lone().client() as c:
        yield c
