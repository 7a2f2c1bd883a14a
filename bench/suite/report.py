"""What was measured, as rows of a table with what issue the figures must meet, and as Markdown."""
import os
import re
import time

from suite import servers
from suite.tools import median


def rate(per_second):
    return "%.1f k/s" % (per_second / 1e3) if per_second >= 1e3 else "%.1f/s" % per_second


def duration(us):
    if us >= 1e6:
        return "%.2f s" % (us / 1e6)
    return "%.2f ms" % (us / 1e3) if us >= 1e3 else "%.1f us" % us


def size(byte_count):
    for unit, scale in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if byte_count >= scale:
            return "%.2f %s" % (byte_count / scale, unit)
    return "%d bytes" % byte_count


def clients_text(clients, depth=1):
    return "%d client%s, %d in flight%s" % (clients, "s"[:clients > 1], depth, " each"[:5 * (clients > 1)])


class Report:
    def __init__(self):
        self.sections = []   # [title, rows, paragraphs]
        self.missing = []
        self.missed = 0

    def section(self, title):
        self.sections.append((title, [], []))
        print("\n%s" % title, flush=True)

    def row(self, what, ours, name, theirs, ratio=None, least=None, most=None, target=None):
        """One comparison. ratio is held against least or most; target says it in words."""
        met = None
        if least is not None:
            met = ratio >= least
            target = target or "at least %g" % least
        elif most is not None:
            met = ratio <= most
            target = target or "at most %g" % most
        verdict = {None: "", True: "yes", False: "**no**"}[met]
        self.missed += met is False
        ratio = "" if ratio is None else "%.2f" % ratio
        self.sections[-1][1].append((what, ours, name, theirs, ratio, target or "", verdict))
        print("  %-44s %12s  %-34s %12s  %6s  %-14s %s" % (
            what, ours, name, theirs, ratio, target or "", verdict.strip("*")), flush=True)

    def rates(self, what, runs, least=None, name=None, ours="rowd"):
        """Throughput of ours beside each other side; least is for the side of that name."""
        mine = median(runs[ours], "throughput")
        for other in runs:
            if other != ours:
                theirs = median(runs[other], "throughput")
                self.row(what, rate(mine), other, rate(theirs), mine / theirs,
                         least=least if other == name else None)

    def say(self, text):
        self.sections[-1][2].append(text)
        print("  " + re.sub(r"!?\[([^]]*)\]\([^)]*\)", r"\1", text), flush=True)

    def lacks(self, what, why):
        self.missing.append("%s: %s" % (what, why))
        print("  NOT MEASURED: %s: %s" % (what, why), flush=True)

    def markdown(self, about):
        lines = ["# What rowd does, beside what one would do instead", ""]
        lines += ["Written by `make bench`. Each figure is the median of several short runs; the sides of a "
                  "comparison take turns. Where a side lacks a target it is there to compare.", ""]
        lines += ["- %s" % a for a in about] + [""]
        for missing in self.missing:
            lines.append("- **Not measured:** %s" % missing)
        for title, rows, paragraphs in self.sections:
            lines += ["", "## %s" % title, ""]
            if rows:
                lines += ["| | rowd | other side | | ratio | target | met |",
                          "|---|---:|---|---:|---:|---|---|"]
                lines += ["| %s |" % " | ".join(r) for r in rows]
            for p in paragraphs:
                lines += ["", p]
        return "\n".join(lines) + "\n"


def processor():
    with open("/proc/cpuinfo") as f:
        found = re.search(r"model name\s*:\s*(.*)", f.read())
    return "%d x %s" % (os.cpu_count(), found.group(1) if found else "processor")


def memory():
    with open("/proc/meminfo") as f:
        return size(int(re.search(r"MemTotal:\s+(\d+)", f.read()).group(1)) * 1024)


def about(rowd, bench_dir, filesystem, tools):
    """The machine, the date, the versions."""
    system = os.uname()
    versions = [servers.version_of(rowd, "--version"), "SQLite " + sqlite_version()]
    versions += [servers.version_of(name, "--version")
                 for name in ("redis-server", "tarantool", "mariadbd")]
    return ["%s; %s, %s, %s of memory, load %.1f when it began" % (
                time.strftime("%Y-%m-%d"), processor(), "%s %s" % (system.sysname, system.release),
                memory(), os.getloadavg()[0]),
            "data in %s on %s" % (bench_dir, filesystem),
            "; ".join(versions),
            "%s: %d runs of %g s for each figure" % ("quick" if tools.quick else "full", tools.rounds, tools.seconds)]


def sqlite_version():
    import sqlite3
    return sqlite3.sqlite_version
