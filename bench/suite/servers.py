"""The servers under load. Each is private: a socket in the run's directory, no port, no service."""
import glob
import os
import re
import shutil
import subprocess
import time

from lib import daemon, servers, wire


class Missing(Exception):
    """This server cannot be had here; the text says what to install."""


class Measured:
    """What is asked of a server's process, whichever it is. self.pid and self.socket are set."""

    protocol = None

    def tasks(self, name):
        for path in glob.glob("/proc/%d/task/*/%s" % (self.pid, name)):
            try:
                with open(path) as f:
                    yield f.read()
            except OSError:
                continue

    def cpu_ns(self):
        """Processor time of all threads that live."""
        return sum(int(text.split()[0]) for text in self.tasks("schedstat"))

    def wakeups(self):
        return sum(int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.M).group(1))
                   for text in self.tasks("status"))

    def rss(self):
        with open("/proc/%d/status" % self.pid) as f:
            return int(re.search(r"VmRSS:\s+(\d+) kB", f.read()).group(1)) * 1024


class Process(Measured):
    """A program that listens on self.socket until it is killed."""

    def __init__(self, directory, name, command, patience=20):
        self.log_path = os.path.join(directory, name + ".log")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=directory,
                                            stdin=subprocess.DEVNULL,
                                            preexec_fn=daemon.die_with_parent)
        self.pid = self.process.pid
        try:
            wire.until(self.accepts, "the socket of " + name, patience)
        except BaseException:
            self.stop()
            raise

    def accepts(self):
        if self.process.poll() is not None:
            with open(self.log_path, errors="replace") as f:
                raise Missing("it ended at its start: %s" % f.read()[-300:].strip())
        try:
            wire.connect(self.socket).close()
            return True
        except OSError:
            return False

    def stop(self):
        self.process.kill()
        self.process.wait()


class Echo(Process):
    protocol = "echo"

    def __init__(self, directory, programs, wrap=()):
        self.socket = os.path.join(directory, "echo.sock")
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        super().__init__(directory, "echo", [*wrap, os.path.join(programs, "echo"), self.socket])


class Bare(Process):
    """Deletes from a SQLite file, and is rowd on the wire as far as bench/load needs it for that."""

    protocol = "rowd"

    def __init__(self, directory, programs, path):
        self.socket = os.path.join(directory, "bare.sock")
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        super().__init__(directory, "bare", [os.path.join(programs, "bare"), self.socket, path])


class Redis(Process):
    """durable: an fsync before each answer, as rowd does it; else memory alone."""

    protocol = "redis"

    def __init__(self, directory, durable=False):
        program = shutil.which("redis-server")
        if not program:
            raise Missing("no redis-server here; apt-get install redis-server")
        name = "redis-durable" if durable else "redis"
        where = os.path.join(directory, name)
        os.makedirs(where)
        self.socket = os.path.join(where, "s.sock")
        super().__init__(where, name, [
            program, "--port", "0", "--unixsocket", self.socket, "--save", "", "--dir", where,
            "--maxclients", "20000", "--appendonly", "yes" if durable else "no",
            "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0"])


TARANTOOL_SCRIPT = """
box.cfg{listen = 'unix/:%(socket)s', wal_mode = 'fsync', memtx_dir = '%(where)s',
    wal_dir = '%(where)s', memtx_memory = 2 * 1024 * 1024 * 1024, checkpoint_interval = 0,
    readahead = 1024 * 1024}
box.schema.user.grant('guest', 'read,write,execute', 'universe')
for n = 1, %(spaces)d do
    local space = box.schema.space.create('account' .. n)
    space:create_index('primary', {type = 'tree', parts = {1, 'unsigned'}})
    for first = 1, %(rows)d, 1000 do
        box.begin()
        for key = first, first + 999 do
            space:insert{key, 'account number ' .. key, key %% 1000}
        end
        box.commit()
    end
end
io.open('%(where)s/filled', 'w'):close()
"""

TARANTOOL_FIRST_SPACE = 512


class Tarantool(Process):
    """spaces: tables to delete from, each with so many rows; numbered from TARANTOOL_FIRST_SPACE."""

    protocol = "tarantool"

    def __init__(self, directory, spaces, rows):
        program = shutil.which("tarantool")
        if not program:
            raise Missing("no tarantool here; apt-get install tarantool")
        where = os.path.join(directory, "tarantool")
        os.makedirs(where)
        self.socket = os.path.join(where, "s.sock")
        script = os.path.join(where, "bench.lua")
        with open(script, "w") as f:
            f.write(TARANTOOL_SCRIPT % {"socket": self.socket, "where": where, "spaces": spaces,
                                        "rows": rows})
        super().__init__(where, "tarantool", [program, script], patience=60)
        wire.until(lambda: os.path.exists(os.path.join(where, "filled")), "Tarantool's rows", 60)


class Rowd(Measured):
    """rowd on databases, [(name, url), ...], with a control connection of ours."""

    protocol = "rowd"

    def __init__(self, directory, databases, args=(), config=None, wrap=()):
        self.daemon = daemon.Daemon(databases, directory, args=args, config=config, wrap=wrap)
        self.socket = self.daemon.socket
        self.daemon.start()
        self.pid = self.daemon.pid

    def client(self):
        return wire.Client(self.socket, timeout=600, canonical=False)

    def stop(self):
        try:
            self.daemon.stop()
        finally:
            self.daemon.kill()


# As a server is set up that keeps what it has confirmed; that of the tests does not.
DURABLE = ("--innodb-flush-log-at-trx-commit=1", "--innodb-flush-method=O_DIRECT", "--innodb-doublewrite=1")


class MariaDB(servers.MariaDB):
    def __init__(self):
        try:
            super().__init__(["--innodb-buffer-pool-size=512M", "--innodb-log-file-size=256M",
                              "--max-connections=300", *DURABLE])
        except servers.Unavailable as e:
            raise Missing(str(e)) from e


def version_of(*command):
    """The first line that a program says about itself."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
        return (done.stdout or done.stderr).splitlines()[0].strip()
    except (OSError, IndexError):
        return "not installed"


def wait(seconds):
    """Let time pass where an idle server is what is measured."""
    time.sleep(seconds)
