"""Fixtures that every suite uses: see tests/README.md."""
import itertools
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from lib import daemon, schema  # noqa: E402
from lib.backends import Remote, SQLite, close_servers, server  # noqa: E402

names = itertools.count(1)


def pytest_sessionfinish(session):
    close_servers()


BACKENDS = os.environ.get("ROWD_BACKENDS", "sqlite mariadb mysql").split()


@pytest.fixture(scope="module", params=BACKENDS)
def backend(request):
    return SQLite() if request.param == "sqlite" else Remote(server(request.param))


@pytest.fixture(scope="module")
def rowd(backend, tmp_path_factory):
    """A daemon for the module, on a fresh database of the backend, called main, and a second SQLite
    database called other. Its purges archive into the folder archive of its directory."""
    directory = str(tmp_path_factory.mktemp("rowd"))
    archive = os.path.join(directory, "archive")
    os.mkdir(archive)
    d = daemon.Daemon([("main", backend.database(directory)),
                       ("other", "sqlite://" + os.path.join(directory, "other.db"))],
                      directory=directory, args=["--archive-dir", archive])
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
