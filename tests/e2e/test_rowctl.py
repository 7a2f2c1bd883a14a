"""rowctl: what it prints, what it exits with, and that it asks before it deletes everything."""
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import threading
import uuid

import pytest

from lib import wire
from lib.daemon import TREE, Daemon, rowctl_binary
from lib.methods import METHODS
from lib.pretender import HangUp, Pretender, Refuse, never

OK, FAILED, USAGE, NO_CONNECTION, DENIED, UNKNOWN = 0, 1, 2, 3, 4, 6
SECONDS = 60


def run(socket, *args, stdin="", env=None, code=OK):
    """Run it to its end. What it must exit with is checked; stdin may be text or a file."""
    given = {"input": stdin} if isinstance(stdin, str) else {"stdin": stdin}
    line = [rowctl_binary()] + (["-s", socket] if socket else []) + [str(a) for a in args]
    done = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=SECONDS, encoding="utf-8",
                          env=dict(os.environ, **(env or {})), **given)
    assert done.returncode == code, "%s\nexited with %d\n%s%s" % (line, done.returncode, done.stdout, done.stderr)
    return done


class Terminal:
    """rowctl with a terminal for its stdin, stdout and stderr."""

    def __init__(self, socket, *args, env=None):
        self.master, slave = pty.openpty()
        line = [rowctl_binary(), "-s", socket] + list(args)
        self.process = subprocess.Popen(line, stdin=slave, stdout=slave, stderr=slave, close_fds=True,
                                        start_new_session=True, env=dict(os.environ, TERM="dumb", **(env or {})))
        os.close(slave)
        self.text = ""

    def read(self, seconds):
        """Some more of what it wrote; False at its end."""
        if not select.select([self.master], [], [], seconds)[0]:
            raise AssertionError("nothing more came; so far:\n%s" % self.text)
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.text += data.decode(errors="replace").replace("\r\n", "\n")
        return bool(data)

    def expect(self, pattern):
        while not re.search(pattern, self.text):
            assert self.read(SECONDS), "%r did not come:\n%s" % (pattern, self.text)

    def type(self, text):
        os.write(self.master, text.encode())

    def end(self, code=OK):
        while self.read(SECONDS):
            pass
        got = self.process.wait(SECONDS)
        os.close(self.master)
        assert got == code, "exited with %d:\n%s" % (got, self.text)
        return self.text


@pytest.fixture
def ctl(rowd, db):
    """rowctl on the module's daemon."""
    def call(*args, **kw):
        return run(rowd.socket, *args, **kw)
    return call


@pytest.fixture
def users(table):
    return table({"id": "int+", "name": "text(40)!", "age": "int"}, name=None,
                 rows=[{"name": "Ada", "age": 36}, {"name": "Alan", "age": 41}, {"name": "Grace", "age": None}])


def lines(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


# ---- what is there ----

def test_ping_says_true(ctl):
    assert ctl("ping").stdout == "true\n"


def test_every_method_has_a_verb_with_help():
    for name in METHODS:
        said = run(None, "help", name).stdout
        assert re.match(r"usage: rowctl %s\b" % name.replace("_", "[-_]"), said), name


def test_every_verb_of_the_overview_has_help():
    overview = run(None, "--help").stdout
    verbs = re.findall(r"^  ([a-z][a-z-]*)", overview, flags=re.M)
    assert {"select", "delete", "count", "call", "tables", "drop-table", "shell"} <= set(verbs)
    for verb in verbs:
        said = run(None, "help", verb).stdout
        assert said.splitlines()[0].replace("_", "-").startswith("usage: rowctl " + verb), verb
        assert run(None, verb, "--help").stdout == said, verb
    assert run(None, "help").stdout == overview


def test_the_manual_names_every_verb():
    with open(os.path.join(TREE, "docs", "man", "rowctl.1"), encoding="utf-8") as f:
        manual = f.read().replace("\\-", "-")
    for verb in re.findall(r"^  ([a-z][a-z-]*)", run(None, "--help").stdout, flags=re.M):
        if verb not in ("cancel", "atomic"):
            assert re.search(r"^(\.It|\.Cm)\b.*(?<![a-z-])%s(?![a-z-])" % verb, manual, flags=re.M), verb


def test_help_has_pages_about_filters_and_errors():
    assert "id in @ids.txt" in run(None, "help", "filter").stdout
    errors = run(None, "help", "errors").stdout
    for name, number in wire.CODES.items():
        assert re.search(r"^ *%d %s " % (number, name), errors, flags=re.M), name
    assert "no help for" in run(None, "help", "nonsense", code=USAGE).stderr


def test_the_version_is_told():
    assert re.fullmatch(r"rowctl \d+\.\d+\.\d+\n", run(None, "--version").stdout)


def test_databases_tables_and_whoami_are_told(ctl, users):
    assert [d["name"] for d in lines(ctl("databases"))] == ["main", "other"]
    assert users in lines(ctl("tables"))
    assert lines(ctl("whoami"))[0]["uid"] == os.getuid()
    assert users not in lines(ctl("-d", "other", "tables"))
    assert isinstance(lines(ctl("stats"))[0], dict)


def test_describe_tells_columns_and_keys(ctl, users, db):
    assert json.loads(ctl("describe", users).stdout) == db.call("describe", users)
    text = ctl("-o", "table", "describe", users).stdout
    assert re.search(r"^name +text\(40\)", text, flags=re.M)
    assert "primary key: id" in text


# ---- schema ----

def test_tables_are_made_in_words(ctl, table, db):
    parent = table({"id": "int"})
    name = parent + "x"
    ctl("create-table", name, "id int auto primary key", "name text(40) not null default \"none\"", "price decimal(10,2)",
        "code text(5) unique", "parent int references %s(id) on delete cascade" % parent, "--index", "name,price")
    told = db.call("describe", name)
    assert told["columns"][0] == {"name": "id", "type": "int", "null": False, "default": None, "auto": True}
    assert told["columns"][1]["default"] == "none"
    assert told["columns"][2]["type"] == "decimal(10,2)"
    assert told["primary_key"] == ["id"]
    assert told["unique"] == [["code"]]
    assert ["name", "price"] in told["indexes"]
    assert told["foreign_keys"][0]["table"] == parent
    assert told["foreign_keys"][0]["on_delete"] == "cascade"
    assert "table_exists" in ctl("create-table", name, "id int primary key", code=FAILED).stderr
    ctl("add-column", name, "seen time")
    ctl("create-index", name, "seen", "name")
    ctl("drop-index", name, "seen,name")
    assert "unknown_index" in ctl("drop-index", name, "seen,name", code=FAILED).stderr
    ctl("drop-table", name)
    ctl("drop-table", name, "--if-exists")
    assert "unknown_table" in ctl("drop-table", name, code=FAILED).stderr


def test_a_table_can_be_made_from_json(ctl, table, db):
    name = table({"id": "int"}) + "j"
    schema = {"columns": [{"name": "id", "type": "int"}, {"name": "b", "type": "bytes"}], "primary_key": ["id"]}
    ctl("create-table", name, "--file", "-", stdin=json.dumps(schema))
    ctl("create-table", name, json.dumps(schema), "--if-not-exists")
    assert [c["name"] for c in db.call("describe", name)["columns"]] == ["id", "b"]


def test_a_table_can_be_made_from_the_description_of_another(ctl, table, db):
    parent = table({"id": "int", "s": "text(5)"}, key=("id", "s"), rows=[[1, "x"]])
    child = parent + "d"
    ctl("create-table", child, "id int auto primary key", "name text(9) not null default 'n'", "at time",
        "price decimal(5,2) default 1", "code text(3) unique", "flag bool default true", "--index", "name,at")
    ctl("insert", child, '{"at": "2026-01-31T12:00:00Z"}')
    for name in (parent, child):
        told = ctl("describe", name).stdout
        ctl("-d", "other", "create-table", name, "--file", "-", stdin=told)
        assert ctl("-d", "other", "describe", name).stdout == told
        ctl("-d", "other", "insert", name, stdin=ctl("select", name).stdout)
        assert ctl("-d", "other", "select", name).stdout == ctl("select", name).stdout


# ---- insert ----

def test_rows_on_the_command_line_tell_their_ids(ctl, users, db):
    assert lines(ctl("insert", users, '{"name": "Barbara"}', '{"name": "Edsger", "age": 72}')) == [
        {"inserted": 2, "ids": [4, 5]}]
    assert ctl("-o", "table", "insert", users, '{"name": "Ken"}').stdout == "1 row inserted, id 6\n"
    assert db.call("get", users, 5) == {"id": 5, "name": "Edsger", "age": 72}


@pytest.mark.parametrize("text", ['{"name": "a"}\n\n{"name": "b", "age": 1}\n', '[{"name": "a"},\n {"name": "b", "age": 1}]'],
                         ids=["lines", "array"])
def test_json_on_stdin_is_rows(ctl, users, db, text):
    assert lines(ctl("insert", users, stdin=text)) == [{"inserted": 2}]
    assert db.call("select", users, {"where": [">", "id", 3], "columns": ["name", "age"]})["rows"] == [["a", None], ["b", 1]]


def test_csv_takes_the_types_of_its_columns(ctl, table, db):
    t = table({"id": "int", "b": "bool", "f": "float", "d": "decimal(8,2)", "s": "text(10)", "x": "bytes(9)", "t": "time"})
    ctl("insert", t, "--csv", stdin='id,b,f,d,s,x,t\n1,true,2,3.50,12,x\'6869\',2026-01-31T12:00:00Z\n2,,,,"",,\n')
    assert db.call("select", t)["rows"] == [[1, True, 2.0, "3.50", "12", b"hi", wire.time_of(2026, 1, 31, 12)],
                                            [2, None, None, None, "", None, None]]


def test_what_is_selected_as_csv_can_be_inserted(ctl, table, db):
    columns = {"id": "int", "b": "bool", "f": "float", "d": "decimal(8,2)", "s": "text(40)", "x": "bytes(9)", "t": "time"}
    row = [1, False, 0.1, "-3.50", 'a "b",\nc ', b"\x00\xff", wire.time_of(2026, 1, 31, 12, 1, 2, 345678)]
    a = table(columns, rows=[row, [2] + [None] * 6, [3, True, -0.5, "0.00", "", b"", wire.time_of(1, 1, 1)]])
    b = table(columns)
    ctl("insert", b, "--csv", stdin=ctl("select", a, "-o", "csv").stdout)
    assert wire.same(db.call("select", b), db.call("select", a))


def test_what_is_selected_as_json_lines_can_be_inserted(ctl, table, db):
    columns = {"id": "int", "d": "decimal(8,2)", "x": "bytes(9)", "t": "time", "s": "text(40)"}
    a = table(columns, rows=[[1, "-3.50", b"\x00\xff", wire.time_of(2026), 'a\n"\t\u20ac\x1b'], [2, None, None, None, None]])
    b = table(columns)
    ctl("insert", b, stdin=ctl("select", a).stdout)
    assert wire.same(db.call("select", b), db.call("select", a))


def test_many_rows_go_in_batches_and_the_bad_one_is_named(ctl, table, db):
    t = table({"id": "int", "n": "int!"})
    rows = ["%d,%d" % (i, i) for i in range(2500)]
    rows[2200] = "2200,x"
    said = ctl("insert", t, "--csv", stdin="id,n\n" + "\n".join(rows), code=FAILED).stderr
    assert "line 2202" in said
    assert "2000 rows inserted" in said
    assert db.call("count", t) == 2000
    rows[2200] = "0,1"
    said = ctl("insert", t, "--csv", "--file", "-", stdin="id,n\n" + "\n".join(rows[2000:]), code=FAILED).stderr
    assert "conflict" in said
    assert "line 202" in said
    assert db.call("count", t) == 2000


def test_atomic_is_all_rows_or_none(ctl, table, db):
    t = table({"id": "int"})
    good = "".join('{"id": %d}\n' % i for i in range(3000))
    assert "conflict" in ctl("insert", t, "--atomic", stdin=good + '{"id": 5}\n', code=FAILED).stderr
    assert db.call("count", t) == 0
    assert lines(ctl("insert", t, "--atomic", stdin=good)) == [{"inserted": 3000}]
    assert db.call("count", t) == 3000


def test_returning_shows_the_rows(ctl, users):
    assert lines(ctl("insert", users, "--returning", "keys", '{"name": "x"}')) == [{"id": 4}]
    assert lines(ctl("insert", users, "--returning", "name,id", stdin='{"name": "y"}')) == [{"name": "y", "id": 5}]


def test_upsert_adds_or_changes(ctl, users, db):
    assert lines(ctl("upsert", users, '{"id": 1, "name": "Ada L."}', '{"id": 9, "name": "Nine"}'))[0]["updated"] == 1
    assert db.call("get", users, 1) == {"id": 1, "name": "Ada L.", "age": 36}
    assert db.call("get", users, 9)["name"] == "Nine"


# ---- select ----

def test_formats_are_exact(ctl, users):
    assert ctl("select", users, "id < 4", "-c", "name,age").stdout == (
        '{"name":"Ada","age":36}\n{"name":"Alan","age":41}\n{"name":"Grace","age":null}\n')
    assert ctl("select", users, "-o", "json", "-c", "name,age", "-l", 1).stdout == '[\n{"name":"Ada","age":36}\n]\n'
    assert ctl("select", users, "-o", "csv", "-c", "name,age").stdout == "name,age\nAda,36\nAlan,41\nGrace,\n"
    assert ctl("select", users, "-o", "tsv", "-c", "name,age").stdout == "name\tage\nAda\t36\nAlan\t41\nGrace\t\\N\n"
    text = ctl("select", users, "-o", "table", "-c", "name,age").stdout
    assert [line.split() for line in text.splitlines()] == [["name", "age"], ["Ada", "36"], ["Alan", "41"], ["Grace", "null"]]


@pytest.mark.parametrize("form,empty", [("json", "[]\n"), ("jsonl", ""), ("csv", "id,name,age\n"), ("tsv", "id\tname\tage\n")])
def test_no_rows_are_no_rows_in_every_format(ctl, users, form, empty):
    assert ctl("select", users, "age > 1000", "-o", form).stdout == empty
    assert ctl("select", users, "age > 1000", "--limit", 5, "-o", form).stdout == empty


def test_select_orders_limits_and_goes_on(ctl, users):
    names = [r["name"] for r in lines(ctl("select", users, "--order", "-age"))]
    assert names == ["Alan", "Ada", "Grace"]
    names = [r["name"] for r in lines(ctl("select", users, "--order", "-age nulls first", "--limit", 2))]
    assert names == ["Grace", "Alan"]
    names = [r["name"] for r in lines(ctl("select", users, "age is not null", "--order", "-age", "--after", "41,2"))]
    assert names == ["Ada"]


def test_a_select_without_limit_gives_every_row(ctl, table, db):
    t = table({"id": "int", "s": "text(20)"})
    for first in range(0, 25000, 5000):
        db.call("insert", t, [{"id": i, "s": "row %d" % i} for i in range(first, first + 5000)])
    got = ctl("select", t).stdout.splitlines()
    assert len(got) == 25000
    assert json.loads(got[-1]) == {"id": 24999, "s": "row 24999"}
    assert len(lines(ctl("select", t, "--limit", 10000))) == 10000
    assert len(lines(ctl("select", t, "--limit", 20000))) == 20000


def test_get_finds_a_row_or_fails(ctl, users, table):
    assert lines(ctl("get", users, 2)) == [{"id": 2, "name": "Alan", "age": 41}]
    done = ctl("get", users, 77, code=FAILED)
    assert (done.stdout, "no row" in done.stderr) == ("null\n", True)
    both = table({"a": "int", "b": "text(5)"}, key=("a", "b"), rows=[[1, "2"]])
    assert lines(ctl("get", both, 1, 2)) == [{"a": 1, "b": "2"}]
    assert "2 columns" in ctl("get", both, 1, code=USAGE).stderr


def test_count_exists_and_aggregate(ctl, users):
    assert ctl("count", users).stdout == "3\n"
    assert ctl("count", users, 'name like "A%"').stdout == "2\n"
    assert ctl("exists", users, "age = 41").stdout == "true\n"
    assert ctl("exists", users, "age = 42").stdout == "false\n"
    assert lines(ctl("aggregate", users, "--compute", "n=count(), total=sum(age)")) == [{"n": 3, "total": 77}]


def test_selections_read_other_tables(ctl, users, table):
    bans = table({"user_id": "int", "why": "text(9)"}, key=("user_id",), rows=[[2, "x"]])
    assert ctl("count", users, "id in (select user_id from %s)" % bans).stdout == "1\n"
    assert ctl("count", users, "not exists (from %s where user_id = outer.id)" % bans).stdout == "2\n"


# ---- update and delete ----

def test_update_by_filter_key_and_all(ctl, users, db):
    assert lines(ctl("update", users, "age > 0", "--set", "age = age + 1")) == [{"updated": 2}]
    assert ctl("-o", "table", "update", users, "--key", 3, "--set", 'name = "Grace H.", age = 85').stdout == "1 row updated\n"
    assert lines(ctl("update", users, "--all", "--yes", "--set", "age = 1")) == [{"updated": 3}]
    assert db.call("select", users)["rows"] == [[1, "Ada", 1], [2, "Alan", 1], [3, "Grace H.", 1]]
    assert "--set" in ctl("update", users, "id = 1", code=USAGE).stderr


def test_delete_by_filter_and_key(ctl, users, db):
    assert lines(ctl("delete", users, 'age > 30 and name like "A%"', "--dry-run")) == [{"matched": 2}]
    assert db.call("count", users) == 3
    assert ctl("-o", "table", "delete", users, "age > 40").stdout == "1 row deleted\n"
    assert ctl("-o", "table", "delete", users, "--dry-run", "age > 0").stdout == "1 row would be deleted\n"
    assert lines(ctl("delete", users, "--key", 1)) == [{"deleted": 1}]
    assert lines(ctl("delete", users, "--key", 1)) == [{"deleted": 0}]
    assert db.call("select", users, {"columns": ["name"]})["rows"] == [["Grace"]]


def test_delete_returns_the_rows_it_took(ctl, users):
    assert lines(ctl("delete", users, "id <= 2", "--returning", "id,name", "-o", "jsonl"))[0] == {
        "deleted": 2, "columns": ["id", "name"], "rows": [[1, "Ada"], [2, "Alan"]]}
    assert ctl("delete", users, "id = 3", "--returning", "rows", "-o", "csv").stdout == "id,name,age\n3,Grace,\n"


def test_delete_by_a_list_in_a_file(ctl, table, db, tmp_path):
    t = table({"id": "int"}, rows=[[i] for i in range(1000)])
    (tmp_path / "ids").write_text("".join("%d\n" % i for i in range(0, 1000, 2)))
    assert lines(ctl("delete", t, "id in @%s" % (tmp_path / "ids"))) == [{"deleted": 500}]
    assert lines(ctl("delete", t, "id in @-", stdin="1\n3\n")) == [{"deleted": 2}]
    assert lines(ctl("delete", t, "id > 0", "--limit", 2, "--order", "-id")) == [{"deleted": 2}]
    assert "too_many_rows" in ctl("delete", t, "id > 0", "--max-rows", 10, code=FAILED).stderr
    assert db.call("count", t) == 496


def test_nothing_is_deleted_for_want_of_a_filter(ctl, users, db):
    assert "--all" in ctl("delete", users, code=USAGE).stderr
    assert "empty_filter" in ctl("delete", users, "", code=FAILED).stderr
    assert "empty_filter" in ctl("delete", users, "{}", code=FAILED).stderr
    assert "one of them" in ctl("delete", users, "id = 1", "--all", code=USAGE).stderr
    assert db.call("count", users) == 3


@pytest.mark.parametrize("words", [["delete", "T", "--all"], ["delete-all", "T"], ["update", "T", "--all", "--set", "age = 1"],
                                   ["update-all", "T", '{"age": 1}']], ids=" ".join)
def test_all_rows_want_yes_where_nobody_can_be_asked(ctl, users, db, words):
    before = db.call("select", users)
    words = [users if w == "T" else w for w in words]
    assert "--yes" in ctl(*words, code=USAGE).stderr
    assert db.call("select", users) == before
    ctl(*words, "--yes")
    assert db.call("select", users) != before


def test_a_dry_run_of_all_asks_nothing(ctl, users, db):
    assert lines(ctl("delete", users, "--all", "--dry-run")) == [{"matched": 3}]
    assert db.call("count", users) == 3


def test_on_a_terminal_the_tables_name_is_asked_for(rowd, users, db):
    wrong = Terminal(rowd.socket, "delete", users, "--all")
    wrong.expect(r"Delete every row of %s: 3 now" % users)
    wrong.type("yes\n")
    assert "nothing was done" in wrong.end(FAILED)
    assert db.call("count", users) == 3
    right = Terminal(rowd.socket, "delete", users, "--all")
    right.expect("to go on:")
    right.type(users + "\n")
    assert "3 rows deleted" in right.end()
    assert db.call("count", users) == 0


# ---- on a terminal ----

def test_a_terminal_gets_a_table_and_no_control_characters(rowd, table):
    t = table({"id": "int", "s": "text(40)"}, rows=[[1, "red \x1b[31m\x9b1m \u202e end"]])
    text = Terminal(rowd.socket, "select", t).end()
    assert "\\u001b[31m" in text
    assert not re.search(r"[\x1b\x9b\u202e]", text)
    assert text.rstrip().endswith("1 row")
    text = Terminal(rowd.socket, "select", t, "-o", "tsv").end()
    assert not re.search(r"[\x1b\x9b\u202e]", text)


def test_the_shell_keeps_one_connection(rowd, users, db, tmp_path):
    shell = Terminal(rowd.socket, env={"HOME": str(tmp_path)})
    shell.expect(r"main> ")
    shell.type("begin\n")
    shell.expect(r"main\*> ")
    shell.type("delete %s 'age = 36'\n" % users)
    shell.expect("1 row deleted")
    shell.type("rollback\n")
    shell.expect(r"(?s)rollback.*main> ")
    shell.type("nonsense\n")
    shell.expect("there is no verb")
    shell.type("quit\n")
    shell.end()
    assert db.call("count", users) == 3
    history = tmp_path / ".rowctl_history"
    assert "rollback" in history.read_text()
    assert history.stat().st_mode & 0o077 == 0


def test_commands_from_a_file_stop_at_the_first_that_fails(ctl, users, db):
    done = ctl("shell", stdin="# all of it\nbegin\ninsert %s '{\"name\": \"x\"}'\ncommit\ncount %s\n" % (users, users))
    assert done.stdout.splitlines()[-1] == "4"
    done = ctl("shell", stdin="begin\ndelete %s 'id = 1'\nselect nowhere\ncommit\n" % users, code=FAILED)
    assert "line 3" in done.stderr
    assert db.call("count", users) == 4


# ---- call ----

def test_call_reaches_any_method(ctl, users, db):
    assert json.loads(ctl("call", "count", users, '["=", "age", 36]').stdout) == 1
    assert json.loads(ctl("call", "delete_where", users, '["in", "id", [1, 2]]', '{"returning": "keys"}').stdout) == {
        "deleted": 2, "columns": ["id"], "rows": [[1], [2]]}
    ops = [["insert", users, {"name": "x"}], ["count", users]]
    assert json.loads(ctl("call", "atomic", json.dumps(ops)).stdout)[1] == 2
    assert json.loads(ctl("atomic", json.dumps(ops)).stdout.splitlines()[-1]) == 3
    assert "unknown_method" in ctl("call", "nonsense", code=FAILED).stderr
    streamed = ctl("call", "select", users, '{"stream": true, "columns": ["name"]}').stdout
    assert [r["name"] for r in json.loads(streamed)] == ["Grace", "x", "x"]


def test_call_wraps_bytes_and_times(ctl, table, db):
    t = table({"id": "int", "b": "bytes", "t": "time"})
    ctl("call", "insert", t, '{"id": 1, "b": {"$bin": "AP8="}, "t": {"$time": "2026-01-31T12:00:00Z"}}')
    assert db.call("get", t, 1) == {"id": 1, "b": b"\x00\xff", "t": wire.time_of(2026, 1, 31, 12)}
    assert json.loads(ctl("call", "get", t, 1).stdout) == {"id": 1, "b": {"$bin": "AP8="}, "t": "2026-01-31T12:00:00Z"}


# ---- mistakes ----

@pytest.mark.parametrize("words,said", [
    (["nonsense"], "there is no verb"),
    (["--nonsense", "ping"], "no option"),
    (["select"], "more is needed"),
    (["select", "t", "a = 1", "b"], "one word too many"),
    (["select", "t", "--limit", "x"], "wants a number"),
    (["select", "t", "--limit"], "wants a value"),
    (["-o", "xml", "ping"], "table, json, jsonl, csv or tsv"),
    (["--timeout", "soon", "ping"], "seconds"),
    (["delete", "t", "age >"], "filter"),
    (["delete", "t", "age = and"], "filter"),
    (["call", "count", "{'a': 1}"], "JSON"),
    (["create-table", "t", "id"], "column"),
    ([], "a verb is missing"),
])
def test_a_wrong_command_line_is_told_and_sends_nothing(words, said):
    with Pretender({}) as p:
        done = run(p.socket, *words, code=USAGE)
        assert said in done.stderr
        assert done.stdout == ""
        assert set(p.methods()) <= {"hello"}


def test_an_error_tells_its_name_and_its_place(ctl, users):
    done = ctl("select", users, "nope = 1", code=FAILED)
    assert done.stdout == ""
    assert done.stderr.startswith("rowctl: unknown_column: ")
    assert "column nope" in done.stderr
    assert ctl("select", "nowhere", code=FAILED).stderr.startswith("rowctl: unknown_table: ")
    assert "type_mismatch" in ctl("insert", users, '{"name": 5}', code=FAILED).stderr
    assert "unknown_database" in ctl("-d", "nope", "tables", code=FAILED).stderr


def test_nobody_there_is_3(tmp_path):
    said = run(str(tmp_path / "none.sock"), "ping", code=NO_CONNECTION).stderr
    assert str(tmp_path / "none.sock") in said
    said = run(None, "ping", env={"ROWD_SOCKET": str(tmp_path / "other.sock")}, code=NO_CONNECTION).stderr
    assert str(tmp_path / "other.sock") in said


@pytest.mark.skipif(os.getuid() != 0, reason="becoming another user needs root")
def test_a_caller_without_a_grant_is_4():
    def denied():
        raise Refuse(80, "denied")
    with Pretender({"tables": denied}) as p:
        assert "denied" in run(p.socket, "tables", code=DENIED).stderr
        os.chmod(p.directory, 0o755)
        os.chmod(p.socket, 0o600)
        line = [shutil.which("setpriv"), "--reuid", "54321", "--regid", "54321", "--clear-groups"]
        if not line[0]:
            pytest.skip("no setpriv")
        done = subprocess.run(line + [rowctl_binary(), "-s", p.socket, "ping"], capture_output=True, text=True)
        if "cannot execute" in done.stderr or done.returncode in (126, 127):
            pytest.skip("rowctl lies where others cannot go")
        assert done.returncode == DENIED, done.stderr


def hang_up(*params):
    raise HangUp


def test_a_write_whose_answer_is_lost_is_6():
    with Pretender({"delete": hang_up, "count": hang_up}) as p:
        said = run(p.socket, "call", "delete", "t", 1, code=UNKNOWN).stderr
        assert "commit_unknown" in said
        assert "may have taken effect or not" in said
        assert p.methods().count("delete") == 1
        assert run(p.socket, "count", "t", code=NO_CONNECTION).stderr


def test_an_outcome_that_the_daemon_does_not_know_is_6():
    def lost(*params):
        raise Refuse(143, "commit_unknown", "unknown")
    with Pretender({"insert": lost, "describe": lost}) as p:
        assert "commit_unknown" in run(p.socket, "insert", "t", '{"id": 1}', code=UNKNOWN).stderr


def test_a_timeout_is_told_truthfully():
    with Pretender({"count": lambda *p: never(), "delete": lambda *p: never()}) as p:
        assert "timeout" in run(p.socket, "--timeout", "0.3", "count", "t", code=FAILED).stderr
        assert "commit_unknown" in run(p.socket, "--timeout", "0.3", "call", "delete", "t", 1, code=UNKNOWN).stderr


def test_control_c_cancels_and_believes_the_answer():
    asked, cancelled = threading.Event(), threading.Event()

    def slow(*params):
        asked.set()
        assert cancelled.wait(SECONDS)
        raise Refuse(102, "cancelled")

    def cancel(*params):
        cancelled.set()
        return True
    with Pretender({"count": slow, "cancel": cancel}) as p:
        process = subprocess.Popen([rowctl_binary(), "-s", p.socket, "count", "t"], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert asked.wait(SECONDS)
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=SECONDS)
        assert process.returncode == FAILED, said
        assert "cancelled" in said
        params = [params for method, params in p.asked if method == "cancel"]
        assert len(params) == 1 and params[0][1] == {"session": 7}


# ---- deleting with care ----

def job(deleted, state="running", **more):
    return dict({"job": 7, "table": "t", "state": state, "deleted": deleted, "elapsed_ms": 2000, "rate": deleted // 2,
                 "eta_ms": 3000, "options": {}, "error": None}, **more)


def test_a_preview_tells_what_would_go():
    told = {"matched": 1234, "cascades": {"orders": 2}, "blocked_by": [], "index": ["age", "id"], "full_scan": False, "token": "abc"}
    with Pretender({"preview_delete": lambda *p: told, "delete_where": lambda *p: {"deleted": 1234}}) as p:
        assert lines(run(p.socket, "preview", "t", "age > 5")) == [told]
        text = run(p.socket, "-o", "table", "preview", "t", "age > 5").stdout
        assert text.splitlines() == ["1,234 rows would be deleted", "2 of orders would go along", "found by the index on age, id",
                                     "to delete these and no others: the same filter with --token abc"]
        run(p.socket, "delete", "t", "age > 5", "--token", "abc")
        assert p.asked[-1] == ("delete_where", ["t", [">", "age", 5], {"token": "abc"}])


def test_a_token_deletes_what_was_shown_and_nothing_else(ctl, users, db):
    def token():
        return lines(ctl("preview", users, "age > 0"))[0]["token"]
    shown = token()
    ctl("insert", users, '{"name": "late", "age": 5}')
    assert "preview_stale" in ctl("delete", users, "age > 0", "--token", shown, code=FAILED).stderr
    assert db.call("count", users) == 4
    assert "3 rows would be deleted" in ctl("-o", "table", "preview", users, "age > 0").stdout
    assert lines(ctl("delete", users, "age > 0", "--token", token())) == [{"deleted": 3}]


@pytest.mark.parametrize("state,code", [("done", OK), ("cancelled", FAILED), ("failed", FAILED)])
def test_a_purge_is_followed_to_its_end(state, code):
    states = [job(10), job(500), job(1000, state)]
    with Pretender({"purge": lambda *p: {"job": 7}, "job": lambda n: states.pop(0) if len(states) > 1 else states[0]}) as p:
        done = run(p.socket, "purge", "t", "age > 5", "--rows", 100, code=code)
        assert lines(done) == [job(1000, state)]
        assert ("job is " + state in done.stderr) == (code == FAILED)
        assert ("purge", ["t", [">", "age", 5], {"rows": 100}]) in p.asked
        assert run(p.socket, "-o", "table", "follow", 7, code=code).stdout == "1,000 rows deleted in 2.0 s\n"


def test_a_purge_deletes_what_matches_and_is_listed(ctl, table, db):
    t = table({"id": "int"}, rows=[[i] for i in range(3000)])
    done = lines(ctl("purge", t, "id >= 1000", "--rows", 100))[0]
    assert (done["state"], done["deleted"]) == ("done", 2000)
    assert db.call("count", t) == 1000
    assert done in lines(ctl("jobs"))
    assert lines(ctl("job", done["job"])) == [done]
    begun = lines(ctl("purge", t, "id >= 0", "--rows", 10, "--target-ms", 0, "--pause-ms", 50, "--background"))[0]
    ctl("job-pause", begun["job"])
    assert lines(ctl("job", begun["job"]))[0]["state"] == "paused"
    ctl("job-tune", begun["job"], "--pause-ms", 0)
    ctl("job-resume", begun["job"])
    assert "1,000 rows deleted" in ctl("-o", "table", "follow", begun["job"]).stdout
    assert db.call("count", t) == 0


def test_the_outcome_of_a_request_can_be_asked(ctl, users, db):
    made = str(uuid.uuid4())
    ctl("insert", users, "--request-id", made, '{"name": "once"}')
    ctl("insert", users, "--request-id", made, '{"name": "once"}')
    assert db.call("count", users, ["=", "name", "once"]) == 1
    assert lines(ctl("outcome", made))[0]["state"] == "applied"
    assert lines(ctl("outcome", str(uuid.uuid4())))[0] == {"state": "not_applied"}
    assert "--atomic" in ctl("insert", users, "--request-id", made, "--atomic", code=USAGE, stdin="{}").stderr


def test_a_purge_in_the_background_is_not_waited_for():
    with Pretender({"purge": lambda *p: {"job": 7}}) as p:
        assert lines(run(p.socket, "purge", "t", "age > 5", "--background")) == [{"job": 7}]


@pytest.mark.parametrize("key,code,said", [("c", FAILED, "job is cancelled"), ("l", FAILED, "job 7 goes on")])
def test_control_c_asks_whether_a_purge_goes_on(key, code, said):
    state = []
    with Pretender({"purge": lambda *p: {"job": 7}, "job": lambda n: job(1000, *state),
                    "job_cancel": lambda n: state.append("cancelled") or True}) as p:
        terminal = Terminal(p.socket, "purge", "t", "age > 5")
        terminal.expect(r"\[#+-+\] +40%  1,000 deleted  500/s  3.0 s left")
        terminal.process.send_signal(signal.SIGINT)
        terminal.expect(r"cancel it.*leave it running")
        terminal.type(key + "\n")
        assert said in terminal.end(code)
        assert ("job_cancel" in p.methods()) == (key == "c")


# ---- completion ----

def complete(socket, *words):
    script = os.path.join(TREE, "packaging", "rowctl.bash")
    path = os.path.dirname(rowctl_binary()) + ":" + os.environ["PATH"]
    code = '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _rowctl; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", code, script, "rowctl", *words], capture_output=True, text=True, timeout=SECONDS,
                          env=dict(os.environ, PATH=path, ROWD_SOCKET=socket), check=True)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash")
def test_completion_offers_what_there_is(rowd, users):
    verbs = complete(rowd.socket, "")
    assert sorted(verbs) == sorted(re.findall(r"^  ([a-z][a-z-]*)", run(None, "--help").stdout, flags=re.M))
    assert complete(rowd.socket, "sel") == ["select"]
    assert users in complete(rowd.socket, "delete", "")
    assert users in complete("/nowhere", "-s", rowd.socket, "delete", "")
    assert complete(rowd.socket, "delete", users, "--dry") == ["--dry-run"]
    assert complete(rowd.socket, "-d", "") == ["main", "other"]
    assert "jsonl" in complete(rowd.socket, "-o", "")
