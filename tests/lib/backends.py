"""The backends that the contract is tested on."""
import os
import sqlite3

import pytest

from lib import servers


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


def close_servers():
    for s in running.values():
        if isinstance(s, servers.Server):
            s.close()
