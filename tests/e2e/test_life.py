"""Starting, stopping, reloading: sockets, signals, the command line and the config file."""
import os
import re
import signal
import socket
import stat
import subprocess
import threading

import pytest

from lib import daemon, wire
from lib.daemon import Daemon, run_rowd
from lib.schema import schema
from lib.wire import connect, pack


def test_the_words_of_the_protocol_start_it(lone):
    d = lone()
    assert d.command()[1:] == ["--socket", d.socket, "--database", "main=sqlite://" + d.db_path]
    assert stat.S_ISSOCK(os.stat(d.socket).st_mode)
    with d.client() as c:
        c.gives(True, "ping")
    d.stop()
    assert not os.path.exists(d.socket), "the socket is left behind"


def test_it_stays_in_the_foreground_and_logs_to_stderr(lone):
    d = lone(start=False)
    d.spawn(stdout=subprocess.PIPE)
    wire.until(d.accepts)
    with d.client() as c:
        c.gives(True, "ping")
    d.signal(signal.SIGTERM)
    out, _ = d.process.communicate(timeout=30)
    assert d.process.returncode == 0 and out == b"" and d.log()


def test_what_was_written_is_there_after_a_restart(lone):
    d = lone()
    with d.client() as c:
        c.call("create_table", "t", schema({"id": "int+", "s": "text(5)"}, indexes=[["s"]], defaults={"s": "x"}))
        c.call("insert", "t", [{}, {"s": "y"}])
        described = c.call("describe", "t")
    d.restart()
    with d.client() as c:
        c.gives({"columns": ["id", "s"], "rows": [[1, "x"], [2, "y"]], "more": False}, "select", "t")
        c.gives(described, "describe", "t")
        c.gives({"inserted": 1, "ids": [3]}, "insert", "t", {})


def test_a_dead_socket_is_cleaned_up(lone):
    d = lone()
    d.kill()
    assert os.path.exists(d.socket)
    d.start()
    with d.client() as c:
        c.gives(True, "ping")


def test_a_live_socket_is_never_stolen(lone):
    d = lone()
    thief = subprocess.run(d.command(), capture_output=True, text=True, timeout=20)
    assert thief.returncode != 0 and d.socket in thief.stderr
    with d.client() as c:
        c.gives(True, "ping")
    assert os.path.exists(d.socket)


def test_a_busy_socket_is_not_stolen_either(lone):
    d = lone()
    d.signal(signal.SIGSTOP)
    try:
        thief = subprocess.Popen(d.command(), stderr=subprocess.DEVNULL)
        try:
            thief.wait(10)
        except subprocess.TimeoutExpired:
            thief.kill()
            thief.wait()
        assert thief.returncode != 0
    finally:
        d.signal(signal.SIGCONT)
    with d.client() as c:
        c.gives(True, "ping")


@pytest.mark.parametrize("kind", ["file", "directory", "symlink"])
def test_what_is_no_socket_is_left_alone(lone, kind):
    d = lone(start=False)
    target = d.socket + ".target"
    if kind == "file":
        open(d.socket, "w").write("precious")
    elif kind == "directory":
        os.mkdir(d.socket)
    else:
        open(target, "w").write("precious")
        os.symlink(target, d.socket)
    done = subprocess.run(d.command(), capture_output=True, text=True, timeout=20)
    assert done.returncode != 0 and d.socket in done.stderr
    if kind == "file":
        assert open(d.socket).read() == "precious"
    elif kind == "directory":
        assert os.path.isdir(d.socket)
    else:
        assert os.path.islink(d.socket) and open(target).read() == "precious"


def test_many_starts_at_once_leave_one(lone):
    d = lone(start=False)
    crowd = [subprocess.Popen(d.command(), stderr=subprocess.DEVNULL) for _ in range(5)]
    try:
        wire.until(lambda: sum(p.poll() is None for p in crowd) == 1, "all but one to give up", 20)
        d.process = next(p for p in crowd if p.poll() is None)
        with d.client() as c:
            c.gives(True, "ping")
            assert c.call("whoami")["uid"] == os.getuid()
    finally:
        for p in crowd:
            if p is not d.process and p.poll() is None:
                p.kill()
    assert all(p.wait() != 0 for p in crowd if p is not d.process)


def test_it_takes_its_socket_from_systemd(lone):
    d = lone(start=False)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(d.socket)
    listener.listen(50)
    early = connect(d.socket)
    early.sendall(pack([0, 1, "ping", []]))

    def pass_on():
        os.dup2(listener.fileno(), 3, inheritable=True)
        os.environ["LISTEN_FDS"] = "1"
    d.preexec = pass_on
    line = [d.binary, "--database", "main=sqlite://" + d.db_path]
    d.spawn(["/bin/sh", "-c", "LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\"", "sh"] + line, close_fds=False)
    assert wire.unpack(early.recv(100)) == [1, 1, None, True]
    early.close()
    with d.client() as c:
        c.gives([], "tables")
    d.stop()
    assert os.path.exists(d.socket), "systemd's socket is systemd's"
    listener.close()


def test_it_tells_systemd_when_it_is_ready(lone):
    d = lone(start=False)
    path = os.path.join(d.directory, "notify")
    n = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    n.bind(path)
    n.settimeout(20)
    d.env["NOTIFY_SOCKET"] = path
    d.spawn()
    assert b"READY=1" in n.recv(4096).split(b"\n")
    with d.client() as c:
        c.gives(True, "ping")
    d.signal(signal.SIGTERM)
    assert b"STOPPING=1" in n.recv(4096).split(b"\n")
    d.stop()
    n.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_0_when_asked(lone, number):
    d = lone()
    idle = [d.client() for _ in range(5)]
    for c in idle:
        c.gives(True, "ping")
    d.signal(number)
    assert d.wait(20) == 0
    for c in idle:
        assert c.at_end()
        c.close()
    d.process = None


def test_what_is_in_flight_is_finished_and_answered(lone):
    d = lone()
    with d.client() as c:
        c.call("create_table", "t", schema({"id": "int", "s": "text(40)"}))
        rows = [[{"id": k * 5000 + i, "s": "x" * 40} for i in range(5000)] for k in range(20)]
        sent = [c.send("insert", "t", r) for r in rows[:6]]
        replies = [c.reply(sent[0])]
        d.signal(signal.SIGTERM)
        with pytest.raises((wire.Closed, ConnectionResetError)):
            while True:
                replies.append(c.reply())
    assert d.wait() == 0
    answered = {r.msgid: r.error for r in replies}
    d.process = None
    d.start()
    with d.client() as c:
        for i, m in enumerate(sent):
            there = c.call("count", "t", ["between", "id", i * 5000, i * 5000 + 4999])
            assert there in (0, 5000)
            if m in answered:
                assert there == (5000 if answered[m] is None else 0)
            else:
                assert there == 0, "carried out and not answered"
            if answered.get(m) is not None:
                assert answered[m][2]["name"] == "shutting_down"
        assert sent[0] in answered


def test_no_acknowledged_write_is_lost_by_a_shutdown(lone):
    d = lone()
    with d.client() as c:
        c.call("create_table", "t", schema({"id": "int"}))
    for turn in range(4):
        acked, stop = [], threading.Event()

        def write(lane, c):
            n = 0
            try:
                while not stop.is_set():
                    key = (turn * 4 + lane) * 1000000 + n
                    c.call("insert", "t", {"id": key})
                    acked.append(key)
                    n += 1
            except (wire.Closed, wire.Failure, OSError) as e:
                assert not isinstance(e, wire.Failure) or e.name == "shutting_down", e
        clients = [d.client() for _ in range(4)]
        threads = [threading.Thread(target=write, args=(i, c)) for i, c in enumerate(clients)]
        for t in threads:
            t.start()
        wire.until(lambda: len(acked) > 100)
        d.signal(signal.SIGTERM)
        assert d.wait() == 0
        stop.set()
        for t in threads:
            t.join()
        d.process = None
        d.start()
        with d.client() as c:
            for k in range(0, len(acked), 5000):
                part = acked[k:k + 5000]
                c.gives(len(part), "count", "t", ["in", "id", part])


def test_an_open_transaction_is_rolled_back_by_a_shutdown(lone):
    d = lone()
    c = d.client()
    c.call("create_table", "t", schema({"id": "int"}))
    c.call("insert", "t", {"id": 1})
    c.call("begin")
    c.call("delete_all", "t")
    d.stop(20)
    c.close()
    d.start()
    with d.client() as c:
        c.gives(1, "count", "t")


def test_the_sqlite_file_is_whole_and_alone_after_a_stop(lone):
    import sqlite3
    d = lone()
    with d.client() as c:
        c.call("create_table", "t", schema({"id": "int", "s": "text(5)"}))
        c.call("insert", "t", [{"id": i, "s": "x"} for i in range(1000)])
    d.stop()
    assert not os.path.exists(d.db_path + "-wal"), "the log was not folded in"
    con = sqlite3.connect(d.db_path)
    assert con.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert con.execute("SELECT count(*) FROM t").fetchone() == (1000,)
    con.close()


def test_the_database_is_as_durable_as_it_says(lone):
    d = lone()
    import sqlite3
    with d.client() as c:
        c.call("create_table", "t", schema({"id": "int"}))
        assert c.call("databases")[0]["durability"] == "full"
    con = sqlite3.connect(d.db_path)
    assert con.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    con.close()


def test_sighup_reloads_and_keeps_what_cannot_change(lone):
    d = lone(config="reply_rows = 10\nlog_level = info\n")
    with d.client() as c:
        assert c.call("hello")["limits"]["reply_rows"] == 10
        with open(os.path.join(d.directory, "rowd.conf"), "w") as f:
            f.write("reply_rows = 20\nlog_level = debug\nreaders = 7\n")
        d.signal(signal.SIGHUP)

        def reloaded():
            with d.client() as fresh:
                return fresh.call("hello")["limits"]["reply_rows"] == 20
        wire.until(reloaded, "the new limit")
        c.gives(True, "ping")
        with open(os.path.join(d.directory, "rowd.conf"), "w") as f:
            f.write("reply_rows = banana\n")
        d.signal(signal.SIGHUP)
        wire.until(lambda: "banana" in d.log(), "the complaint")
        assert re.search(r"rowd\.conf:1", d.log())
        with d.client() as fresh:
            assert fresh.call("hello")["limits"]["reply_rows"] == 20


def test_many_reloads_under_load(lone):
    d = lone(config="reply_rows = 100\n")
    with d.client() as c:
        c.call("create_table", "t", schema({"id": "int"}))
        for i in range(30):
            sent = c.send_many([("insert", "t", {"id": i * 20 + k}) for k in range(20)])
            d.signal(signal.SIGHUP)
            assert c.results(sent) == [{"inserted": 1}] * 20
        c.gives(600, "count", "t")


def test_signals_without_a_meaning_do_not_end_it(lone):
    d = lone()
    d.signal(signal.SIGPIPE)
    d.signal(signal.SIGURG)
    d.signal(signal.SIGCHLD)
    with d.client() as c:
        c.gives(True, "ping")


def test_version_help_and_defaults(tmp_path):
    done = run_rowd("--version")
    assert done.returncode == 0 and re.search(r"\browd \d+\.\d+", done.stdout)
    done = run_rowd("--help")
    assert done.returncode == 0 and "--socket" in done.stdout and "--database" in done.stdout
    done = run_rowd("--print-defaults")
    assert done.returncode == 0 and "reply_rows" in done.stdout
    config = tmp_path / "printed.conf"
    config.write_text(done.stdout)
    again = run_rowd("--config", str(config), "--check", "--socket", str(tmp_path / "s"), "--database", "main=sqlite://%s" % (tmp_path / "d.db"))
    assert again.returncode == 0, again.stderr
    assert not (tmp_path / "s").exists() and not (tmp_path / "d.db").exists()


@pytest.mark.parametrize("args,words", [
    (["--nope"], "--nope"), (["--socket"], "--socket"), (["extra"], "extra"), (["--database", "main"], "--database"), (["--database", "=sqlite:///x"], "--database"),
    (["--database", "main=nosuch://x"], "nosuch"), (["--database", "main=sqlite:///tmp/a.db", "--database", "main=sqlite:///tmp/b.db"], "main"),
    (["--config", "/nonexistent/rowd.conf"], "/nonexistent/rowd.conf"), (["--reply_rows", "x"], "reply_rows"), (["--reply_rows", "0"], "reply_rows"),
    (["--socket_mode", "999"], "socket_mode"), (["--socket", "/tmp/" + "x" * 120], "--socket"), (["--durability", "maybe"], "durability"),
    (["--log_level", "loud"], "log_level"), (["--database", "main=mysql://user:secret@localhost/x"], "password_file"),
    (["--database", "main=sqlite://relative.db"], "relative.db")])
def test_a_mistake_on_the_command_line_is_told(tmp_path, args, words):
    done = run_rowd(*args, cwd=str(tmp_path))
    assert done.returncode != 0
    assert words in done.stderr and "secret" not in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 3
    assert os.listdir(str(tmp_path)) == []


@pytest.mark.parametrize("text,line,words", [
    ("nope = 1\n", 1, "nope"), ("\n\nreply_rows = x\n", 3, "reply_rows"), ("reply_rows = 0\n", 1, "reply_rows"), ("reply_rows = 10\nreply_rows = 20\n", 2, "reply_rows"),
    ("database main { }\n", 1, "url"), ("database main { url = \"nosuch://\" }\n", 1, "nosuch"), ("database main {\n url = \"sqlite:///tmp/x\"\n nope = 1\n}\n", 3, "nope"),
    ("role r { }\n", 1, "r"), ("role r { uids = {no_such_user_here} }\n", 1, "no_such_user_here"), ("grant { role = nobody ops = {read} }\n", 1, "nobody"),
    ("role r { uids = {0} }\ngrant { role = r ops = {fly} }\n", 2, "fly"), ("role r { uids = {0} }\ngrant { role = r database = nowhere ops = {read} }\n", 2, "nowhere"),
    ("socket = \"unterminated\n", None, "rowd.conf"), ("database main {\n", None, "rowd.conf"), ("}\n", 1, "rowd.conf"), ("\x00\x01\x02", None, "rowd.conf"),
    ("log_level = loud\n", 1, "log_level"), ("durability = maybe\n", 1, "durability")])
@pytest.mark.parametrize("how", ["--check", "start"])
def test_a_mistake_in_the_config_is_told_with_its_line(tmp_path, text, line, words, how):
    path = tmp_path / "rowd.conf"
    path.write_text(text)
    done = run_rowd("--config", str(path), "--socket", str(tmp_path / "s"), *(["--check"] if how == "--check" else []))
    assert done.returncode != 0
    assert words in done.stderr, done.stderr
    if line:
        assert "%s:%d" % (path, line) in done.stderr, done.stderr
    assert not (tmp_path / "s").exists()


def test_a_config_file_says_the_same_and_more(tmp_path):
    path = tmp_path / "rowd.conf"
    path.write_text("socket = \"%s\"\ndatabase one { url = \"sqlite://%s\" }\ndatabase two { url = \"sqlite://%s\" durability = normal }\nreply_rows = 7\n"
                    % (tmp_path / "s", tmp_path / "1.db", tmp_path / "2.db"))
    d = Daemon(directory=str(tmp_path), socket_name="s")
    d.spawn([d.binary, "--config", str(path)])
    try:
        wire.until(d.accepts)
        with d.client() as c:
            got = c.call("hello")
            assert got["databases"] == ["one", "two"] and got["default"] == "one" and got["limits"]["reply_rows"] == 7
            assert [x["durability"] for x in c.call("databases")] == ["full", "normal"]
        d.stop()
    finally:
        d.kill()


@pytest.mark.skipif(os.getuid() != 0, reason="becoming another user needs root")
def test_with_no_option_at_all_it_serves_a_database_of_its_own(tmp_path):
    import shutil
    import tempfile
    home = tempfile.mkdtemp(prefix="rowd-home-")
    try:
        os.chown(home, 54321, 54321)
        run = os.path.join(home, "run")
        os.mkdir(run)
        os.chown(run, 54321, 54321)
        os.chmod(run, 0o700)
        program = os.path.join(home, "rowd")
        shutil.copy(daemon.rowd_binary(), program)
        os.chmod(program, 0o755)
        env = {"HOME": home, "XDG_RUNTIME_DIR": run, "PATH": "/usr/bin:/bin"}
        p = subprocess.Popen(["setpriv", "--reuid", "54321", "--regid", "54321", "--clear-groups", program], env=env, cwd="/",
                             stderr=subprocess.PIPE, text=True)
        try:
            found = wire.until(lambda: p.poll() is not None or [os.path.join(w, f) for w, _, fs in os.walk(run) for f in fs
                                                                if stat.S_ISSOCK(os.stat(os.path.join(w, f)).st_mode)], "its socket", 20)
            assert found is not True, p.stderr.read()
            with wire.Client(found[0]) as c:
                got = c.call("hello")
                assert got["default"] == "main"
                c.call("create_table", "t", schema({"id": "int"}))
            files = [os.path.join(w, f) for w, _, fs in os.walk(home) for f in fs]
            assert [f for f in files if f.endswith(".db") and "/.local/share/" in f], files
        finally:
            p.terminate()
            _, log = p.communicate(timeout=20)
        assert p.returncode == 0 and found[0] in log, log
    finally:
        shutil.rmtree(home)


def test_a_blocked_log_blocks_no_one(lone):
    d = lone(start=False, args=["--log_level", "debug"])
    r, w = os.pipe()
    d.process = subprocess.Popen(d.command(), stderr=w, stdin=subprocess.DEVNULL)
    os.close(w)
    wire.until(d.accepts)
    with d.client(timeout=20) as c:
        c.call("create_table", "t", schema({"id": "int"}))
        for i in range(3000):
            c.refuses("unknown_table", "count", "nope%d" % i)
        c.gives(0, "count", "t")
    d.signal(signal.SIGTERM)
    assert d.wait(20) == 0
    d.process = None
    os.close(r)
