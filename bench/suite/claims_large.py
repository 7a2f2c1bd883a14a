"""Large requests: bulk inserts, whole tables, long scans beside short reads, growth."""
import contextlib
import subprocess
import threading
import time

from lib import wire
from suite import plots, servers
from suite.bench import CLIENTS_MAX
from suite.report import duration, rate
from suite.tools import median


def bulk(b):
    b.report.section("Bulk, SQLite")
    insert(b)
    stream(b)
    for verb, params in (("delete_all", ["account"]),
                         ("delete_where", ["account", [">=", "balance", 0]])):
        delete(b, verb, params)


def row_rates(b, what, runs, least):
    """Rows a second of rowd, beside the one other side."""
    per_second = {name: median([{"v": r["hits"] / r["seconds"]} for r in got], "v")
                  for name, got in runs.items()}
    ours = per_second.pop("rowd")
    for name, theirs in per_second.items():
        b.report.row(what, rate(ours).replace("/s", " rows/s"), name,
                     rate(theirs).replace("/s", " rows/s"), ours / theirs, least=least)


def insert(b):
    """Into an empty file each time, so that both trees grow alike."""
    rows = 200000 if b.quick else 1000000
    keys = "1:%d" % rows

    def ours():
        with b.copies(b.empty, 1) as (path,), b.rowd(path) as rowd:
            return b.tools.load(rowd, "insert", rows=1000, keys=keys, requests=rows // 1000)

    def theirs():
        with b.copies(b.empty, 1) as (path,):
            return b.sqlite(path, "insert", rows=1000, keys=keys)

    runs = b.tools.in_turn({"rowd": ours, "a prepared statement, 1,000 rows a transaction": theirs})
    row_rates(b, "insert of 1,000 rows a request", runs, 0.7)


def stream(b):
    with b.copies(b.filled, 2) as (ours, theirs), b.rowd(ours) as rowd:
        runs = b.tools.in_turn({
            "rowd": lambda: b.tools.load(rowd, "stream", rows=1000, requests=1),
            "walking the rows in process": lambda: b.sqlite(theirs, "walk")})
        row_rates(b, "select streaming 1,000,000 rows", runs, 0.6)


def timed(client, *request):
    before = time.monotonic()
    client.call(*request)
    return (time.monotonic() - before) * 1e6


def delete(b, verb, params):
    """A fresh file for each: what is deleted must be there."""
    def ours():
        with b.copies(b.filled, 1) as (path,), b.rowd(path) as rowd, rowd.client() as c:
            c.call("get", "account", 1)
            return {"us": timed(c, verb, *params)}

    def theirs():
        with b.copies(b.filled, 1) as (path,):
            return {"us": b.sqlite(path, verb)["max_us"]}

    runs = b.tools.in_turn({"rowd": ours, "direct": theirs})
    took, bare = median(runs["rowd"], "us"), median(runs["direct"], "us")
    b.report.row("%s of 1,000,000 rows" % verb, duration(took), "the bare statement in process",
                 duration(bare), took / bare, most=1.05)


# ---- no stalls ----

class Scanner:
    """Another client that scans the whole table, again and again, from when it is entered."""

    def __init__(self, rowd):
        self.client = rowd.client()
        self.done = False
        self.scans = 0
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.done:
            self.client.call("count", "account", ["=", "name", "nobody"])
            self.scans += 1

    def __enter__(self):
        self.thread.start()
        servers.wait(0.1)
        return self

    def __exit__(self, *exc):
        self.done = True
        self.thread.join()
        self.client.close()


def stalls(b):
    rows = b.rows if b.quick else 10000000
    b.report.section("No stalls: point reads while another client scans %d rows" % rows)
    with b.copies(b.filled, 1) as (path,):
        if rows > b.rows:
            b.sqlite(path, "insert", keys="%d:%d" % (b.rows + 1, rows), rows=10000)
        with b.rowd(path) as rowd:
            def read():
                return b.tools.load(rowd, "get", clients=4, rate=2000, keys="1:%d" % b.rows,
                                    seconds=3 * b.tools.seconds)

            def read_beside():
                with Scanner(rowd) as scanner:
                    got = read()
                    scanned.append(scanner.scans)
                return got

            scanned = []
            read()
            runs = b.tools.in_turn({"rowd": read, "scan": read_beside})
    idle, busy = (median(runs[k], "p99_us") for k in ("rowd", "scan"))
    b.report.row("4 clients, 2,000 gets a second: p99 beside a scan", duration(busy), "p99 without",
                 duration(idle), busy / idle, most=2)
    b.report.row("longest of them", duration(max(r["max_us"] for r in runs["scan"])), "without",
                 duration(max(r["max_us"] for r in runs["rowd"])))
    b.report.say("Scans finished during each run: %s." % ", ".join(map(str, scanned)))


# ---- growth ----

def growth(b):
    b.report.section("Growth")
    clients(b)
    with b.copies(b.filled, 1) as (path,), b.rowd(path) as rowd, rowd.client() as c:
        sizes(b, c, "rows", "rows of one select", [1, 10, 100, 1000, 10000],
              lambda n: ["select", "account", {"limit": n}])
        sizes(b, c, "inserts", "rows of one insert", [1, 10, 100, 1000, 10000, 100000], fresh_rows(b))
        sizes(b, c, "lists", "values in one `in`", [1, 10, 100, 1000, 10000, 100000, 1000000],
              lambda n: ["count", "account", ["in", "id", list(range(1, n + 1))]])
        sizes(b, c, "filters", "operators of one filter", [1, 10, 100, 990],
              lambda n: ["count", "account", ["and", ["<=", "id", 100],
                                              ["or"] + [["=", "balance", i] for i in range(n)]]])


def fresh_rows(b):
    """Rows that no insert before had."""
    last = [2 * b.rows]

    def request(n):
        first = last[0] + 1
        last[0] += n
        return ["insert", "account", [{"id": i, "name": "account number %d" % i, "balance": i % 1000}
                                      for i in range(first, first + n)]]
    return request


def clients(b):
    """All of them ask, one in flight each; and 16 that ask among many that rest."""
    counts = [1, 10, 100, 1000, CLIENTS_MAX]
    t = b.tools
    with contextlib.ExitStack() as stack:
        path, = stack.enter_context(b.copies(b.filled, 1))
        rowd = stack.enter_context(b.rowd(path))
        echo = b.server(stack, servers.Echo, t.programs)
        redis = b.server(stack, servers.Redis)
        if redis:
            t.load(redis, "insert", clients=16, in_flight=64, keys="1:100000", requests=100000)

        def load(server, op, **options):
            return lambda: t.load(server, op, warmup=0.1, **options)
        wall, cpu = {}, {}
        for n in counts:
            sides = {"rowd get": load(rowd, "get", clients=n),
                     "rowd get, 16 of them ask": load(rowd, "get", clients=min(n, 16), idle=n - min(n, 16)),
                     "bare echo": load(echo, "ping", clients=n)}
            if redis:
                sides["Redis GET"] = load(redis, "get", clients=n)
            for name, runs in t.in_turn(sides, 1 if b.quick else 3).items():
                wall.setdefault(name, []).append((n, 1e6 / median(runs, "throughput")))
                cpu.setdefault(name, []).append((n, median(runs, "cpu_us")))
    for name in wall:
        at = dict(cpu[name])
        b.report.row("server's processor time a request, 100 to %d clients" % CLIENTS_MAX,
                     name, "%s to" % duration(at[100]), duration(at[CLIENTS_MAX]), at[CLIENTS_MAX] / at[100])
    picture(b, "clients", "Cost of a request over connected clients", "clients", "us a request (wall clock)",
            wall, log="x")
    picture(b, "clients-cpu", "The server's processor time a request", "clients", "us a request", cpu, log="x")


def sizes(b, client, name, what, counts, request):
    """The least time of one request over its size: linear when a unit costs the same at the end."""
    points = []
    for n in counts:
        times = []
        for _ in range(3 if b.quick else 7):
            msgid, body = 7, request(n)
            data = wire.pack([0, msgid, body[0], body[1:]])
            before = time.monotonic()
            client.send_raw(data)
            error = client.reply(msgid).error
            if error is not None:
                raise wire.Failure(error)
            times.append((time.monotonic() - before) * 1e6)
        points.append((n, min(times)))
    (n1, t1), (n2, t2) = points[-2:]
    b.report.row("%s: %d to %d" % (what, n1, n2), duration(t2), "each, at %d" % n1,
                 duration(t1 / n1), (t2 / n2) / (t1 / n1), most=1.5, target="linear: at most 1.5")
    picture(b, name, "Time of one request over the %s" % what.replace("`", ""), what.replace("`", ""), "us",
            {"rowd": points, "linear, from the last point": [(n, t2 * n / n2) for n in counts]})


def picture(b, name, title, x, y, series, log="xy"):
    try:
        svg = plots.draw(b.out, name, title, x, y, series, log)
    except subprocess.CalledProcessError as e:
        b.report.lacks("plot " + name, e.stderr[-300:])
        return
    if svg:
        b.report.say("![%s](%s)" % (title, svg))
