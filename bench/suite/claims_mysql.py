"""MariaDB through rowd, beside programs that connect to it themselves."""
import contextlib

from lib import wire
from suite import servers
from suite.bench import TABLE
from suite.claims_small import Cursor
from suite.claims_large import row_rates
from suite.report import clients_text, duration
from suite.tools import median

ROWS_QUICK, ROWS_FULL = 150000, 600000


def mysql(b):
    b.report.section("MariaDB")
    if not b.tools.has("direct_mysql"):
        b.report.lacks("MariaDB", "bench/direct_mysql was not built; configure found no libmariadb")
        return
    with contextlib.ExitStack() as stack:
        try:
            server = servers.MariaDB()
        except servers.Missing as e:
            b.report.lacks("MariaDB", str(e))
            return
        stack.callback(server.close)
        ours, theirs = server.new_database(), server.new_database()
        try:
            rowd = stack.enter_context(b.rowd(url=server.url(ours)))
            with rowd.client() as c:
                c.call("create_table", "account", TABLE)
        except (AssertionError, wire.Failure) as e:
            b.report.lacks("MariaDB through rowd", " ".join(str(e).split())[-160:])
            return
        server.sql("CREATE TABLE %s.account LIKE %s.account" % (theirs, ours))
        Sides(b, server, rowd, ours, theirs).measure()


class Sides:
    """The same table twice in one server: rowd's and that of the direct connections."""

    def __init__(self, b, server, rowd, ours, theirs):
        self.b, self.server, self.rowd = b, server, rowd
        self.theirs = theirs
        self.rows = ROWS_QUICK if b.quick else ROWS_FULL
        for database in (ours, theirs):
            self.direct("insert", database, keys="1:%d" % self.rows)
        self.our_keys, self.their_keys = Cursor(self.rows), Cursor(self.rows)

    def direct(self, verb, database=None, **options):
        return self.b.tools.run("direct_mysql", socket=self.server.socket, database=database or self.theirs,
                                verb=verb, **options)

    def measure(self):
        b = self.b
        floor = self.echo_trip()
        for clients in (64, 1) if b.quick else (64, 16, 1):
            for what, measure in (("get", self.reads), ("durable delete", self.deletes)):
                runs = measure(clients)
                label = "%s, %s" % (what, clients_text(clients))
                b.report.rates(label, runs, least=1 if clients == 64 else None, name="direct connections")
                if clients == 1:
                    self.latency(label, runs, floor)
        self.inserts()

    def echo_trip(self):
        with contextlib.ExitStack() as stack:
            echo = self.b.server(stack, servers.Echo, self.b.tools.programs)
            runs = self.b.tools.in_turn({"echo": lambda: self.b.tools.load(echo, "ping")})
        return median(runs["echo"], "p50_us")

    def latency(self, label, runs, floor):
        ours, theirs = (median(runs[k], "p50_us") for k in ("rowd", "direct connections"))
        limit = 1.3 * theirs + floor
        self.b.report.row(label + ": p50", duration(ours), "1.3 times direct + an echo", duration(limit),
                          ours / limit, most=1)

    def reads(self, clients):
        t, keys = self.b.tools, "1:%d" % self.rows
        return t.in_turn({
            "rowd": lambda: t.load(self.rowd, "get", clients=clients, keys=keys),
            "direct connections": lambda: self.direct("get", connections=clients, keys=keys,
                                                      seconds=t.seconds)})

    def deletes(self, clients):
        t = self.b.tools
        return t.in_turn({
            "rowd": lambda: self.our_keys.take(
                lambda keys: t.load(self.rowd, "delete", clients=clients, keys=keys)),
            "direct connections": lambda: self.their_keys.take(
                lambda keys: self.direct("delete", connections=clients, keys=keys, seconds=t.seconds))})

    def inserts(self):
        """Further rows behind those that are there, for both alike."""
        t = self.b.tools
        count = 50000 if self.b.quick else 100000
        first = {"rowd": 10 * ROWS_FULL, "direct": 10 * ROWS_FULL}

        def keys(side):
            first[side] += count
            return "%d:%d" % (first[side], first[side] + count - 1)

        runs = t.in_turn({
            "rowd": lambda: t.load(self.rowd, "insert", rows=1000, keys=keys("rowd"),
                                   requests=count // 1000),
            "multi-row INSERT by hand": lambda: self.direct("insert", rows=1000, keys=keys("direct"))})
        row_rates(self.b, "insert of 1,000 rows a request", runs, 0.7)
