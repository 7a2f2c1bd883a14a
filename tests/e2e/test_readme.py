"""The examples of README.md and SWAP.md do what they say, as they stand there."""
import os
import re
import shutil
import subprocess
import sys

import pytest

from lib.daemon import TREE, is_sanitized, rowctl_binary, rowd_binary
from lib.schema import schema

BLOCKS = {}
for page in ("README.md", "docs/SWAP.md"):
    with open(os.path.join(TREE, page), encoding="utf-8") as f:
        BLOCKS.update(re.findall(r"<!-- run: (\w+) -->\n```\w*\n(.*?)```", f.read(), flags=re.S))

PEOPLE = [{"name": "Ada", "age": 36}, {"name": "Alan", "age": 41}, {"name": "Grace", "age": 85}]


def run(command, d, **env):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
                          env=dict(os.environ, ROWD_SOCKET=d.socket, **env))


@pytest.fixture
def users(lone):
    d = lone()
    with d.client() as c:
        c.call("create_table", "users", schema({"id": "int+", "name": "text(40)!", "age": "int"}))
        c.call("insert", "users", PEOPLE)
    return d


@pytest.fixture
def path(tmp_path):
    """A PATH on which rowd and rowctl are found."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, program in (("rowd", rowd_binary()), ("rowctl", rowctl_binary())):
        (programs / name).write_text("#!/bin/sh\nexec %s \"$@\"\n" % program)
        (programs / name).chmod(0o755)
    return "%s:%s" % (programs, os.environ["PATH"])


def test_the_first_five_minutes(tmp_path, path):
    script = BLOCKS["shell"].replace("/tmp/", str(tmp_path) + "/")
    script = re.sub(r"^(rowd .*&)$", r"\1\nuntil rowctl -s %s/first.sock -q ping; do sleep 0.05; done" % tmp_path, script,
                    flags=re.M)
    done = subprocess.run(["bash", "-m", "-e", "-c", script + "wait %1\n"], capture_output=True, text=True, timeout=60,
                          env=dict(os.environ, PATH=path))
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert re.search(r'"matched":2|2 rows would', done.stdout) and "empty_filter" in done.stderr, said
    assert "refused: " in done.stdout and '"deleted":2' in done.stdout.replace(" ", ""), said


def test_the_program_in_c(users, tmp_path):
    library = os.environ.get("LIBROWD")
    if not library or not os.path.exists(library):
        pytest.skip("LIBROWD does not name the library of a build")
    source = tmp_path / "users.c"
    source.write_text(BLOCKS["c"])
    build = os.environ.get("ROWD_BUILDDIR", ".")
    sanitized = ["-fsanitize=address,undefined"] if is_sanitized(library) else []
    made = run([shutil.which("gcc") or "cc", "-std=c11", "-Wall", "-Wextra", "-Werror", *sanitized, "-I" + TREE + "/include",
                "-I" + build + "/include", str(source), "-o", str(tmp_path / "users"), library,
                "-Wl,-rpath," + os.path.dirname(library)], users)
    assert made.returncode == 0, made.stderr
    done = run([str(tmp_path / "users")], users)
    assert (done.returncode, done.stdout) == (0, "2 deleted\n"), done.stderr


def test_the_ten_lines_of_python(users):
    lines = [line for line in BLOCKS["python"].splitlines() if line.strip()]
    assert len(lines) <= 12
    done = run([sys.executable, "-c", BLOCKS["python"]], users)
    assert done.returncode == 0, done.stderr
    assert "'deleted': 3" in done.stdout and "'Grace'" in done.stdout


def test_a_table_moves_to_another_database(lone, tmp_path, path):
    d = lone([(name, "sqlite://%s/%s.db" % (tmp_path, name)) for name in ("old", "new")])
    with d.client() as c:
        c.call("create_table", "users", schema({"id": "int+", "name": "text(40)!", "b": "bytes", "t": "time", "d": "decimal(9,2)"},
                                               unique=[["name"]], defaults={"d": "1.50"}))
        c.call("insert", "users", [{"name": "Ada", "b": b"\0\xff", "t": "2026-01-31T12:00:00.5Z"}, {"name": "Alan", "d": "-0.01"}])
        done = run(["sh", "-e", "-c", BLOCKS["moving"]], d, PATH=path)
        assert done.returncode == 0, done.stderr
        assert c.call("describe", "new.users") == c.call("describe", "old.users")
        assert c.call("select", "new.users") == c.call("select", "old.users")
