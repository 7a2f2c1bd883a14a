"""Small and short requests: point reads, durable deletes, what an idle daemon takes."""
import contextlib
import statistics
import time

from lib import wire
from suite import servers
from suite.bench import CLIENTS_MAX
from suite.report import clients_text, duration, size
from suite.tools import Failed, median, worst


# Those who wait for the file's lock wait for seconds: a shorter run would be that wait alone.
PROCESSES_SECONDS = 2


class Cursor:
    """Keys of a table that are deleted one after the other, over several runs."""

    def __init__(self, last):
        self.next, self.last = 1, last

    def take(self, run):
        """run(keys) -> figures, which say how far it got."""
        if self.next > self.last:
            raise Failed("all %d rows are deleted already; the table was too small" % self.last)
        got = run("%d:%d" % (self.next, self.last))
        self.next = int(got["next_key"])
        if got["hits"] < got["requests"]:
            raise Failed("rows to delete were not there: %r" % got)
        return got


def deletes(b):
    b.report.section("Durable deletes by key, SQLite (each answered after its sync)")
    for clients, depth in ((16, 1), (64, 1), (1, 64)):
        with contextlib.ExitStack() as stack:
            delete_with(b, stack, clients, depth)
    for clients in (16, 64):
        with contextlib.ExitStack() as stack:
            delete_scattered(b, stack, clients)


def delete_scattered(b, stack, clients):
    """Each key on a page of its own: a commit writes as many pages as it deletes rows."""
    t = b.tools
    theirs, ours, bare = stack.enter_context(b.copies(b.filled, 3))
    direct, scatter = Cursor(b.rows), {"scatter": b.rows}
    name = "%d processes opening the file" % clients
    runs = t.in_turn({
        "rowd": deleter(t, stack.enter_context(b.rowd(ours)), clients, 1, b.rows, **scatter),
        name: lambda: direct.take(lambda keys: b.sqlite(theirs, "delete", processes=clients, keys=keys,
                                                        seconds=PROCESSES_SECONDS, **scatter)),
        "a bare loop with the statement": deleter(t, b.server(stack, servers.Bare, t.programs, bare), clients, 1,
                                                  b.rows, **scatter)})
    what = clients_text(clients, 1) + ", keys all over the table"
    b.report.rates(what, runs, least=10 if clients == 16 else None, name=name)
    waits(b, what, runs)


def delete_with(b, stack, clients, depth):
    t = b.tools
    theirs, ours, bare = stack.enter_context(b.copies(b.filled, 3))
    rowd = stack.enter_context(b.rowd(ours))
    redis = b.server(stack, servers.Redis, durable=True)
    rows = b.rows
    fewer = 300000 if b.quick else rows
    tarantool = b.server(stack, servers.Tarantool, 1, fewer)
    sides = {"rowd": deleter(t, rowd, clients, depth, rows)}
    if depth == 1 and (clients == 16 or (clients > 1 and not b.quick)):
        direct = Cursor(rows)
        sides["%d processes opening the file" % clients] = lambda: direct.take(
            lambda keys: b.sqlite(theirs, "delete", processes=clients, keys=keys, seconds=PROCESSES_SECONDS))
    if depth == 1:
        floor = b.server(stack, servers.Bare, t.programs, bare)
        sides["a bare loop with the statement"] = deleter(t, floor, clients, depth, rows)
    if tarantool:
        sides["Tarantool, wal_mode fsync"] = deleter(
            t, tarantool, clients, depth, fewer, servers.TARANTOOL_FIRST_SPACE)
    if redis:
        t.load(redis, "insert", clients=16, in_flight=64, keys="1:%d" % fewer, requests=fewer)
        sides["Redis DEL, appendfsync always"] = deleter(t, redis, clients, depth, fewer)
    runs = t.in_turn(sides)
    what = clients_text(clients, depth)
    name, least = ("16 processes opening the file", 10) if clients == 16 else ("Tarantool, wal_mode fsync", 1)
    b.report.rates(what, runs, least=least, name=name)
    waits(b, what, runs)


def deleter(t, server, clients, depth, rows, table="account", **options):
    cursor = Cursor(rows)
    return lambda: cursor.take(lambda keys: t.load(server, "delete", clients=clients, in_flight=depth,
                                                   keys=keys, table=table, **options))


def waits(b, what, runs):
    ours = runs["rowd"]
    limit = 100e3
    longest = worst(ours, "max_us")
    b.report.row(what + ": longest wait of all", duration(longest), "limit", duration(limit),
                 longest / limit, most=1)
    for name, other in runs.items():
        if "processes" in name:
            b.report.row(what + ": longest wait of all", duration(longest), name,
                         duration(worst(other, "max_us")), longest / worst(other, "max_us"))
    if ours[0]["clients"] > 1:
        share = statistics.median(r["least_of_a_client"] / max(r["most_of_a_client"], 1) for r in ours)
        b.report.row(what + ": the unluckiest client's share of the luckiest's", "%.2f" % share, "", "")


# ---- reads ----

def reads(b):
    b.report.section("Point reads, one generator for all")
    t = b.tools
    with contextlib.ExitStack() as stack:
        ours, theirs = stack.enter_context(b.copies(b.filled, 2))
        rowd = stack.enter_context(b.rowd(ours))
        echo = b.server(stack, servers.Echo, t.programs)
        redis = b.server(stack, servers.Redis)
        if redis:
            t.load(redis, "insert", clients=16, in_flight=64, keys="1:%d" % b.rows, requests=b.rows)
        keys = "1:%d" % b.rows
        for clients, depth, least in ((1, 1, None), (16, 1, 0.8), (64, 1, 0.8), (16, 16, 0.7)):
            def load(server, op):
                return lambda: t.load(server, op, clients=clients, in_flight=depth, keys=keys, warmup=0.05)
            sides = {"rowd": load(rowd, "get")}
            if redis:
                sides["Redis GET"] = load(redis, "get")
            sides["bare echo"] = load(echo, "ping")
            if depth == 1 and (clients == 16 or not b.quick):
                sides["rowd, select by key"] = load(rowd, "select")
                sides["rowd, ping"] = load(rowd, "ping")
            runs = t.in_turn(sides)
            what = "get, " + clients_text(clients, depth)
            b.report.rates(what, runs, least=least, name="Redis GET")
            b.report.say("%s: rowd's processor time a request is %s, p99 %s; Redis' %s, p99 %s." % (
                what, duration(median(runs["rowd"], "cpu_us")), duration(median(runs["rowd"], "p99_us")),
                *((duration(median(runs["Redis GET"], k)) for k in ("cpu_us", "p99_us"))
                  if redis else ("unknown", "unknown"))))
            if (clients, depth) == (16, 1):
                runs["SQLite in process, one reader"] = t.in_turn(
                    {"direct": lambda: b.sqlite(theirs, "get", keys=keys, seconds=t.seconds)})["direct"]
                b.report.rates(what, {k: runs[k] for k in ("rowd", "SQLite in process, one reader")})
    one_client(b)


def one_client(b):
    """Everything on one core: whether two programs share a core decides more than what they do."""
    t = b.tools
    pin = ("taskset", "-c", "0")
    with contextlib.ExitStack() as stack:
        ours, theirs = stack.enter_context(b.copies(b.filled, 2))
        rowd = stack.enter_context(b.rowd(ours, wrap=pin))
        echo = b.server(stack, servers.Echo, t.programs, wrap=pin)
        keys = "1:%d" % b.rows
        runs = t.in_turn({
            "rowd": lambda: t.load(rowd, "get", keys=keys, wrap=pin),
            "ping": lambda: t.load(rowd, "ping", wrap=pin),
            "echo": lambda: t.load(echo, "ping", wrap=pin),
            "query": lambda: b.sqlite(theirs, "get", keys=keys, seconds=t.seconds, wrap=pin)})
        trip = median(runs["echo"], "p50_us")
        query = median(runs["query"], "p50_us")
        got = median(runs["rowd"], "p50_us")
        what = "get, 1 client, 1 in flight, all on one core: p50"
        b.report.row(what, duration(got), "bare echo", duration(trip))
        b.report.row(what, duration(got), "1.3 echoes + the query in process", duration(1.3 * trip + query),
                     got / (1.3 * trip + query), most=1)
        b.report.row("ping, 1 client, all on one core: p50", duration(median(runs["ping"], "p50_us")),
                     "bare echo", duration(trip), median(runs["ping"], "p50_us") / trip)


# ---- small ----

def small(b):
    b.report.section("Small")
    with contextlib.ExitStack() as stack:
        path, = stack.enter_context(b.copies(b.filled, 1))
        first_answer(b, path)
        rowd = stack.enter_context(b.rowd(path))
        redis = b.server(stack, servers.Redis)
        with rowd.client() as c:
            c.call("get", "account", 1)
        servers.wait(0.5)
        b.report.row("idle daemon, resident", size(rowd.rss()), "limit", size(8e6), rowd.rss() / 8e6, most=1)
        wakeups(b, "idle daemon", rowd)
        idle_clients(b, rowd, redis)


def first_answer(b, path):
    """From exec to the answer of a get, over and over on the same file."""
    times = []
    for _ in range(5 if b.quick else 20):
        before = time.monotonic()
        with b.rowd_bare(path) as socket:
            with wire.Client(socket, canonical=False) as c:
                c.call("get", "account", 1)
                times.append((time.monotonic() - before) * 1e6)
    took = statistics.median(times)
    b.report.row("start to the first answer of a get", duration(took), "limit", duration(20e3), took / 20e3,
                 most=1)


def wakeups(b, what, rowd):
    seconds = 2 if b.quick else 10
    before = rowd.wakeups()
    servers.wait(seconds)
    woke = rowd.wakeups() - before
    b.report.row("%s, wake-ups in %d s" % (what, seconds), "%d" % woke, "limit", "0", float(woke), most=0,
                 target="none")


def idle_clients(b, rowd, redis):
    """Each client asks once, then rests."""
    for server, op in ((rowd, "get"), (redis, "get")):
        if not server:
            continue
        before = server.rss()
        with b.tools.holding(server, op, CLIENTS_MAX) as answered:
            servers.wait(1)
            each = (server.rss() - before) / CLIENTS_MAX
            if server is rowd:
                b.report.row("resident memory of each of %d idle clients" % answered, size(each), "limit",
                             size(2048), each / 2048, most=1)
                wakeups(b, "%d idle clients" % answered, rowd)
            else:
                b.report.row("resident memory of each of %d idle clients" % answered, "", "Redis", size(each))
