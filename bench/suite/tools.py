"""Running the programs of bench, reading what they print, taking both sides in turn."""
import contextlib
import os
import statistics
import subprocess

RUN_SECONDS_MAX = 180


class Failed(Exception):
    """A program of bench failed; the text is what it said."""


class Tools:
    """The programs, and how long and how often each thing is measured."""

    def __init__(self, programs, quick):
        self.programs = programs
        self.quick = quick
        self.seconds = 0.3 if quick else 0.6
        self.rounds = 3 if quick else 5

    def has(self, name):
        return os.access(os.path.join(self.programs, name), os.X_OK)

    def command(self, name, options, wrap=()):
        line = [*wrap, os.path.join(self.programs, name)]
        for word, value in options.items():
            line += ["--" + word.replace("_", "-"), str(value)]
        return line

    def run(self, name, wrap=(), **options):
        """Run a program of bench; its figures as a dict."""
        line = self.command(name, options, wrap)
        done = subprocess.run(line, capture_output=True, text=True, timeout=RUN_SECONDS_MAX,
                              stdin=subprocess.DEVNULL)
        if done.returncode:
            raise Failed("%s: %s" % (" ".join(line), (done.stderr or done.stdout).strip()[-400:]))
        return figures(done.stdout)

    def load(self, server, op, **options):
        """Load on a server; its figures, and what a request cost the server's processor."""
        if "seconds" not in options and "requests" not in options:
            options["seconds"] = self.seconds
        before = server.cpu_ns()
        got = self.run("load", server=server.protocol, socket=server.socket, op=op, **options)
        got["cpu_us"] = (server.cpu_ns() - before) / 1e3 / max(got["requests"], 1)
        return got

    @contextlib.contextmanager
    def holding(self, server, op, clients):
        """So many clients that have asked once and stay connected."""
        line = self.command("load", {"server": server.protocol, "socket": server.socket, "op": op,
                                     "clients": clients, "requests": clients})
        holder = subprocess.Popen(line + ["--hold"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  text=True)
        try:
            got = figures(holder.stdout.readline())
            if got.get("requests") != clients or got["errors"]:
                raise Failed("%d clients asked once: %r" % (clients, got))
            yield int(got["requests"])
        finally:
            holder.stdin.close()
            holder.wait()

    def in_turn(self, sides, rounds=None):
        """Measure each of {name: function -> figures} in turn, some rounds, each second one backwards.

        {name: [figures, ...]}; what the machine does meanwhile then hits all of them alike."""
        got = {name: [] for name in sides}
        for i in range(rounds or self.rounds):
            for name in (list(sides) if i % 2 == 0 else reversed(sides)):
                got[name].append(sides[name]())
        return got


def figures(text):
    """"server=redis throughput=1.5" as a dict, numbers as numbers."""
    got = {}
    for word in text.split():
        key, _, value = word.partition("=")
        try:
            got[key] = float(value)
        except ValueError:
            got[key] = value
    return got


def median(runs, key):
    return statistics.median(r[key] for r in runs)


def worst(runs, key):
    return max(r[key] for r in runs)
