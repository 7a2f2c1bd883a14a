"""What all claims share: where they run, their tables, their servers."""
import contextlib
import os
import shutil
import subprocess

from lib import wire
from lib.daemon import Daemon
from suite import servers

TABLE = {"columns": [{"name": "id", "type": "int", "null": False},
                     {"name": "name", "type": "text(40)", "null": False},
                     {"name": "balance", "type": "int"}],
         "primary_key": ["id"]}

CLIENTS_MAX = 10000

# Room for the clients above and for a control connection; no statement is to be stopped.
ARGS = ["--clients", str(2 * CLIENTS_MAX), "--statement-ms", "600000"]


def can_connect(path):
    try:
        wire.connect(path).close()
        return True
    except OSError:
        return False


class Bench:
    def __init__(self, directory, out, tools, report):
        self.directory = directory
        self.out = out
        self.tools = tools
        self.quick = tools.quick
        self.report = report
        self.rows = 1000000
        self.made = 0
        self.empty = self.make_empty()
        self.filled = self.copy(self.empty)
        self.sqlite(self.filled, "insert", keys="1:%d" % self.rows)

    # ---- files of SQLite ----

    def place(self, suffix=""):
        """A new path in the run's directory."""
        self.made += 1
        return os.path.join(self.directory, "%d%s" % (self.made, suffix))

    def make_empty(self):
        """rowd makes the table, so that both sides have the very same one."""
        path = self.place(".db")
        with self.rowd(path) as rowd, rowd.client() as c:
            c.call("create_table", "account", TABLE)
        return path

    def copy(self, path):
        """A new file like that one, its pages written back already."""
        new = self.place(".db")
        shutil.copyfile(path, new)
        os.sync()
        return new

    def remove(self, path):
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path + suffix)

    def sqlite(self, path, verb, **options):
        """SQLite opened directly."""
        return self.tools.run("direct_sqlite", file=path, verb=verb, **options)

    # ---- servers ----

    @contextlib.contextmanager
    def rowd(self, path=None, url=None, args=(), wrap=()):
        """rowd on a file of SQLite or on a URL."""
        where = self.place()
        os.makedirs(where)
        rowd = servers.Rowd(where, [("main", url or "sqlite://" + path)], [*ARGS, *args], wrap=wrap)
        try:
            yield rowd
        finally:
            rowd.stop()

    @contextlib.contextmanager
    def rowd_bare(self, path):
        """rowd from its exec on: not waited for, asked as soon as its socket is there."""
        where = self.place()
        os.makedirs(where)
        d = Daemon([("main", "sqlite://" + path)], where)
        line = d.command()
        process = subprocess.Popen(line, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        try:
            wire.until(lambda: can_connect(d.socket), "the socket of rowd", 20)
            yield d.socket
        finally:
            process.kill()
            process.wait()

    @contextlib.contextmanager
    def copies(self, source, count):
        """Files like source, gone again afterwards."""
        paths = [self.copy(source) for _ in range(count)]
        try:
            yield paths
        finally:
            for path in paths:
                self.remove(path)

    def server(self, stack, make, *args, **kw):
        """A server for as long as stack lasts, or None, and the report says why."""
        where = self.place()
        os.makedirs(where)
        try:
            server = make(where, *args, **kw)
        except servers.Missing as e:
            self.report.lacks(make.__name__, str(e))
            return None
        stack.callback(server.stop)
        return server
