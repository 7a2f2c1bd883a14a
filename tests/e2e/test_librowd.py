"""librowd against a real daemon, and what is promised of it from outside."""
import os
import re
import subprocess

import pytest

from lib.daemon import TREE, Daemon, rest

SECONDS = 120


def program(name):
    built = os.environ.get("ROWD_BUILDDIR", TREE)
    path = os.path.join(built, name)
    if not os.access(path, os.X_OK):
        pytest.skip("%s is not built: make check builds it" % name)
    return path


def run(*line):
    done = subprocess.run(line, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, "%s\n%s%s" % (line, done.stdout, done.stderr)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("tour", ["calls", "pipelines", "streams", "transactions", "cancels", "once"])
def test_every_call_does_what_it_says(rowd, db, tour):
    assert run(program("tests/lib/librowd_tour"), rowd.socket, tour) == ""


def test_a_connection_is_made_again_when_nothing_is_in_doubt(tmp_path):
    tour = program("tests/lib/librowd_tour")
    databases = [(name, "sqlite://%s/%s.db" % (tmp_path, name)) for name in ("main", "other")]
    with Daemon(databases, directory=str(tmp_path)) as d:
        process = subprocess.Popen([tour, d.socket, "reconnects"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        try:
            assert process.stdout.readline() == "ready\n"
            d.kill()
            d.start()
            _, said = process.communicate("go on\n", timeout=SECONDS)
            assert process.returncode == 0, said
        finally:
            process.kill()


def test_a_write_is_never_lost_nor_done_twice_however_the_daemon_dies(tmp_path):
    """Kill it in the middle of rowd_call_once again and again: what was applied is there once, what was not is not."""
    once = program("tests/lib/librowd_tour")
    with Daemon(directory=str(tmp_path)) as d:
        process = subprocess.Popen([once, d.socket, "survives"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        try:
            assert process.stdout.readline() == "ready\n"
            for _ in range(8):
                rest(0.15)
                d.kill()
                d.start()
            out, said = process.communicate("enough\n", timeout=SECONDS)
            assert process.returncode == 0, said
            applied, not_applied = map(int, out.split())
            assert applied > 8
            with d.client() as c:
                assert c.call("count", "tour") == applied
        finally:
            process.kill()


def test_the_first_example_works_twice(rowd, db):
    for _ in range(2):
        said = run(program("examples/first"), rowd.socket)
        assert said.splitlines() == ["  Grace   85     0.50", "  Alan    41        -", "  Ada     36   100.00",
                                     "a delete would take 1 row(s)", "it took 1",
                                     "  Grace   85     0.50", "  Ada     36   100.00"]


def test_the_pipeline_example_reads_back_what_it_wrote(rowd, db):
    said = run(program("examples/pipeline"), rowd.socket, "20000")
    total = sum(float(i % 977) / 10 for i in range(20000) if i % 2)
    assert said == ("20000 rows written, 10000 of them read back, the sum of their values is %.1f\n" % total)


def test_an_example_says_why_it_cannot(tmp_path):
    done = subprocess.run([program("examples/first"), str(tmp_path / "none")], capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 1
    assert done.stderr.startswith("connect: unavailable: ")


def test_the_manual_names_every_function():
    with open(os.path.join(TREE, "include", "rowd.h"), encoding="utf-8") as f:
        header = f.read()
    with open(os.path.join(TREE, "docs", "man", "librowd.3"), encoding="utf-8") as f:
        manual = f.read()
    functions = set(re.findall(r"^ROWD_API [^(;]*?\b(rowd_[a-z0-9_]+)\(", header, flags=re.M))
    functions |= set(re.findall(r"^#define (rowd_[a-z0-9_]+)\(", header, flags=re.M))
    assert len(functions) > 100
    for name in functions:
        if not name.endswith("_"):
            assert re.search(r"\bFn %s\b" % name, manual), name


def test_pkg_config_knows_the_library():
    path = os.path.join(os.environ.get("ROWD_BUILDDIR", TREE), "client", "rowd.pc")
    if not os.path.exists(path):
        pytest.skip("rowd.pc is not made: configure makes it")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    assert not re.search(r"@\w+@", text)
    assert re.search(r"^Libs: -L\$\{libdir\} -lrowd$", text, flags=re.M)
    assert re.search(r"^Version: \d+\.\d+\.\d+$", text, flags=re.M)
