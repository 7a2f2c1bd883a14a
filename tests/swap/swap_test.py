#!/usr/bin/python3
"""The proof of the swap guarantee: the same requests, sent to each backend through one rowd, are
answered with the same bytes, and leave the same tables behind.

    swap_test.py --ops 100000 --seed 7                  on SQLite, MariaDB and MySQL
    swap_test.py --backends sqlite,sqlite               the test of the test
    swap_test.py --seeds 10 --ops 10000 --hostile       servers with hostile defaults

On a divergence the requests that led to it are cut down to the few that matter and printed.
"""
import argparse
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from lib import servers, wire  # noqa: E402
from lib.daemon import Daemon  # noqa: E402
from swap.generate import Generator  # noqa: E402

DUMP_EVERY = 300
SHRINK_SECONDS = 120

HOSTILE = ["--sql-mode=", "--character-set-server=latin1", "--collation-server=latin1_swedish_ci", "--max-sort-length=64",
           "--default-storage-engine=MyISAM", "--lower-case-table-names=1", "--init-connect=SET sql_safe_updates=1"]


class Divergence(Exception):
    def __init__(self, request, answers):
        super().__init__("the backends disagree")
        self.request, self.answers = request, answers


class Rig:
    """One rowd with a database on each backend, and a connection to each."""

    def __init__(self, kinds, settings=()):
        self.kinds = kinds
        self.servers = {k: servers.KINDS[k](settings) for k in dict.fromkeys(kinds) if k != "sqlite"}
        self.daemon = None
        self.fresh()

    def fresh(self):
        """New and empty databases."""
        self.stop()
        import tempfile
        directory = tempfile.mkdtemp(prefix="rowd-swap-")
        urls = []
        for i, kind in enumerate(self.kinds):
            url = "sqlite://%s/%d.db" % (directory, i) if kind == "sqlite" else self.servers[kind].url(self.servers[kind].new_database())
            urls.append(("%s%d" % (kind, i), url))
        self.daemon = Daemon(urls, directory=directory)
        self.daemon.own_directory = True
        self.daemon.start()
        self.clients = []
        for name, _ in urls:
            c = self.daemon.client()
            c.call("use", name)
            self.clients.append(c)
        self.msgid = 1

    def ask(self, request):
        """Send a request to each; the replies, and everything that came before them, as bytes."""
        self.msgid += 1
        for c in self.clients:
            c.send(request[0], *request[1:], msgid=self.msgid)
        answers = []
        for c in self.clients:
            raw = b""
            while True:
                m = c.read()
                raw += m.raw
                if isinstance(m, wire.Reply):
                    break
            answers.append((raw, m))
        if len({raw for raw, _ in answers}) > 1:
            raise Divergence(request, answers)
        return answers[0][1]

    def dump(self, in_tx):
        """Compare every table, row by row."""
        if in_tx:
            return
        for name in self.ask(["tables"]).result:
            self.ask(["describe", name])
            self.ask(["select", name, {"stream": True}])

    def stop(self):
        if self.daemon:
            for c in self.clients:
                c.close()
            self.daemon.stop()
            self.daemon.remove()
            self.daemon = None

    def close(self):
        if self.daemon:
            self.daemon.kill()
            self.daemon.remove()
        for s in self.servers.values():
            s.close()


class Counts:
    """How often each operation was answered, and how."""

    def __init__(self):
        self.by = {}

    def add(self, method, error):
        key = (method, error or "ok")
        self.by[key] = self.by.get(key, 0) + 1

    def text(self):
        methods = sorted({m for m, _ in self.by})
        return "\n".join("  %-14s %s" % (m, ", ".join("%s %d" % (e, n) for (mm, e), n in sorted(self.by.items()) if mm == m)) for m in methods)


def run(rig, seed, ops, counts):
    """A sequence from a seed; the requests on a divergence are raised with it."""
    g = Generator(seed)
    sent = []
    aborted = False
    try:
        for n in range(ops):
            request = ["rollback"] if aborted and g.chance(0.3) else g.next()
            sent.append(request)
            reply = rig.ask(request)
            error = reply.error and reply.error[2]["name"]
            counts.add(request[0], error)
            if error == "internal" or error == "commit_unknown":
                raise Divergence(request, [(reply.raw, reply)])
            g.went(request, error, reply.result)
            aborted = g.in_tx and (error is not None or aborted) and request[0] != "rollback_to"
            if n % DUMP_EVERY == DUMP_EVERY - 1:
                rig.dump(g.in_tx)
        if g.in_tx:
            rig.ask(["rollback"])
        rig.dump(False)
    except Divergence as d:
        d.sent = sent
        raise


def diverges(rig, requests, like):
    """Do these requests still end in a divergence on a request of the same method?"""
    rig.fresh()
    try:
        for r in requests:
            rig.ask(r)
        rig.dump(False)
    except Divergence as d:
        return d.request[0] == like.request[0] and wire.pack(d.request) != b"" and d
    except (AssertionError, wire.Closed, OSError):
        return None
    return None


def smaller(value):
    """Values with one thing less: a row, an option, a branch of a filter."""
    if isinstance(value, list):
        for i in range(len(value)):
            yield value[:i] + value[i + 1:]
        if value and value[0] in ("and", "or", "not"):
            yield from value[1:]
        for i, v in enumerate(value):
            for s in smaller(v):
                yield value[:i] + [s] + value[i + 1:]
    elif isinstance(value, dict):
        for k in value:
            yield {x: v for x, v in value.items() if x != k}
        for k, v in value.items():
            for s in smaller(v):
                yield {**value, k: s}


def shrink(rig, found, seconds):
    """Fewer and smaller requests that still end the same way."""
    best, end = list(found.sent), time.monotonic() + seconds
    if not diverges(rig, best, found):
        return ["not again: it hangs on chance"] + best[-30:], found
    step = max(1, len(best) // 2)
    while time.monotonic() < end:
        i, less = 0, False
        while i < len(best) and time.monotonic() < end:
            trial = best[:i] + best[i + step:]
            d = trial and diverges(rig, trial, found)
            if d:
                best, found, less = trial, d, True
            else:
                i += step
        if step == 1 and not less:
            break
        step = max(1, step // 2) if not less or step > 1 else 1
    for i in range(len(best) - 1, -1, -1):
        again = True
        while again and time.monotonic() < end:
            again = False
            for s in smaller(best[i][1:]):
                if time.monotonic() > end:
                    break
                trial = best[:i] + [[best[i][0]] + s] + best[i + 1:]
                d = diverges(rig, trial, found)
                if d:
                    best, found, again = trial, d, True
                    break
    return best, found


def report(kinds, seed, requests, found):
    out = ["divergence with seed %s; %d requests lead to it:" % (seed, len(requests))]
    out += ["  %r," % (r,) for r in requests]
    out.append("then %r is answered by" % (found.request,))
    for kind, (raw, m) in zip(kinds, found.answers):
        shown = repr(m.error if m.error is not None else m.result)
        out.append("  %-8s %s%s" % (kind, shown[:600], "" if len(raw) < 500 else " (%d bytes)" % len(raw)))
    return "\n".join(out)


def prove(rig, seed, ops, counts, shrink_seconds=SHRINK_SECONDS):
    """None, or the report of a divergence."""
    rig.fresh()
    try:
        run(rig, seed, ops, counts)
    except Divergence as d:
        d.sent = getattr(d, "sent", [])
        log = rig.daemon.log()[-2000:]
        requests, found = shrink(rig, d, shrink_seconds)
        return report(rig.kinds, seed, requests, found) + "\nrowd's log:\n" + log
    return None


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--ops", type=int, default=int(os.environ.get("OPS") or 10000))
    p.add_argument("--seed", type=int, default=int(os.environ.get("SEED") or 1))
    p.add_argument("--seeds", type=int, default=1, help="how many seeds, beginning with --seed")
    p.add_argument("--backends", default="sqlite,mariadb,mysql")
    p.add_argument("--hostile", action="store_true")
    a = p.parse_args()
    counts = Counts()
    rig = Rig(a.backends.split(","), HOSTILE if a.hostile else ())
    try:
        for seed in range(a.seed, a.seed + a.seeds):
            began = time.monotonic()
            found = prove(rig, seed, a.ops, counts)
            if found:
                print(found)
                return 1
            print("seed %d: %d operations, no divergence, %.1f s" % (seed, a.ops, time.monotonic() - began), flush=True)
        print(counts.text())
        rig.stop()
        return 0
    finally:
        rig.close()


if __name__ == "__main__":
    sys.exit(main())
