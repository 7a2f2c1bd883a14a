"""The documents and the tables in the source say the same."""
import os
import re

import pytest

from lib.daemon import TREE
from lib.methods import METHODS
from lib.wire import CODES, RETRY, UNKNOWN


def text(*path):
    with open(os.path.join(TREE, *path), encoding="utf-8") as f:
        return f.read()


def rows(name, *path):
    """The arguments of each NAME(...) row of a table in the source."""
    source = re.sub(r"/\*.*?\*/", "", text(*path), flags=re.S)
    out = []
    for line in re.findall(r"^\s*%s\((.*)\)\s*\\?$" % name, source, flags=re.M):
        out.append([p.strip().strip('"') for p in re.split(r',\s*(?=(?:[^"]*"[^"]*")*[^"]*$)', line)])
    assert out, "%s has no rows" % (path,)
    return out


OPS = {r[0].lower(): r for r in rows("OP", "proto", "ops.def")}
OPTIONS = {r[1]: r for r in rows("OPTION", "proto", "options.def")}
ALL_CODES = {r[1]: r for r in rows("CODE", "proto", "codes.def")}
LIMITS = {r[0]: r for r in rows("LIMIT", "proto", "limits.h")}
SETTINGS = {r[0]: r for r in rows("OPTION", "daemon", "options.def")}


@pytest.fixture(scope="module")
def protocol():
    return text("docs", "PROTOCOL.md")


def spelled(row):
    """The default of a setting, as a configuration file has it."""
    return {"0": "false", "1": "true"}[row[2]] if row[1] == "BOOL" else row[2]


def number_forms(value):
    """A number as people write it: 16777216, 16,777,216, 16 MiB, 30 s."""
    n = int(value)
    forms = {str(n), "{:,}".format(n)}
    for unit, size in (("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)):
        if n and n % size == 0:
            forms.add("%d %s" % (n // size, unit))
    if n % 1000 == 0:
        forms.add("%d s" % (n // 1000))
    return forms


@pytest.mark.parametrize("name", OPS)
def test_every_method_is_in_the_protocol(protocol, name):
    assert re.search(r"`%s(\(|`)" % name, protocol) or re.search(r"\b%s\(" % name, protocol), name


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_is_in_the_protocol(protocol, name):
    assert re.search(r"\b%s\b" % name, protocol), name


@pytest.mark.parametrize("name", ALL_CODES)
def test_every_code_is_in_the_protocol_with_its_number(protocol, name):
    line = [li for li in protocol.splitlines() if "`%s`" % name in li]
    assert line, name
    assert any(re.search(r"\b%s\b" % ALL_CODES[name][2], li) for li in line), "%s without its number" % name


@pytest.mark.parametrize("name", LIMITS)
def test_every_limit_is_in_the_protocol_and_the_manual_with_its_default(protocol, name):
    for where, words in (("PROTOCOL.md", protocol), ("rowd.conf.5", text("docs", "man", "rowd.conf.5"))):
        assert re.search(r"\b%s\b" % name, words), "%s is not in %s" % (name, where)
    near = section(text("docs", "man", "rowd.conf.5"), name)
    assert any(f in near for f in number_forms(LIMITS[name][1])), "%s: default %s" % (name, LIMITS[name][1])


def section(manual, name):
    """What a manual says of an item: from its .It line to the next."""
    found = re.search(r"^\.It [^\n]*\b%s\b.*?(?=^\.It |^\.El|\Z)" % re.escape(name), manual, flags=re.M | re.S)
    assert found, "%s has no item" % name
    return found.group(0)


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_in_the_manual_with_its_default(name):
    row = SETTINGS[name]
    near = section(text("docs", "man", "rowd.conf.5"), name)
    if row[1] == "INT":
        assert any(f in near for f in number_forms(row[2])), "%s: default %s" % (name, row[2])
    elif row[2]:
        default = spelled(row)
        assert default in near, "%s: default %s" % (name, default)


@pytest.mark.parametrize("word", ["--socket", "--database", "--config", "--check", "--print-defaults", "--version", "--help"])
def test_the_command_line_is_in_the_manual(word):
    manual = text("docs", "man", "rowd.8")
    assert re.search(r"(\.Fl|Fl) (Fl |\\-|-)?-?%s\b" % re.escape(word.lstrip("-")), manual) or word in manual.replace("\\-", "-"), word


def test_the_printed_defaults_are_the_defaults():
    from lib.daemon import run_rowd
    printed = run_rowd("--print-defaults").stdout
    words = {"BOOL": ("false", "true")}
    for name, row in list(SETTINGS.items()) + [(n, [n, "INT", r[1]]) for n, r in LIMITS.items()]:
        found = re.search(r"^\s*#?\s*%s\s*=\s*(.*?)\s*(#.*)?$" % name, printed, flags=re.M)
        assert found, name
        due = words["BOOL"][int(row[2])] if row[1] == "BOOL" else row[2]
        assert found.group(1).strip('"') == due, name


def test_the_numbers_of_errors_never_change():
    assert {n: int(r[2]) for n, r in ALL_CODES.items()} == CODES
    assert {n for n, r in ALL_CODES.items() if r[4] == "1"} == RETRY
    assert {n for n, r in ALL_CODES.items() if r[3] == "UNKNOWN"} == UNKNOWN


def test_the_suite_knows_every_method_and_option():
    assert set(METHODS) == set(OPS)
    for name, row in OPS.items():
        assert set(row[2].split()) == set(METHODS[name][1]), name


@pytest.mark.parametrize("page", ["rowd.8", "rowd.conf.5", "rowctl.1", "librowd.3"])
def test_manuals_are_well_formed(page):
    import shutil
    import subprocess
    if not shutil.which("mandoc"):
        pytest.skip("no mandoc here")
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", os.path.join(TREE, "docs", "man", page)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
