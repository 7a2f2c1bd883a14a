"""Starts rowd as docs/PROTOCOL.md's last section says, and stops it in every way there is."""
import ctypes
import glob
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from lib import wire

TREE = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))

# What a sanitizer or an assertion leaves in the log; never to be seen.
CRASH = re.compile(r"AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:|Assertion .* failed")


def find_binary(name, env):
    """From the environment, else the newest in a build directory of the tree."""
    given = os.environ.get(env)
    if given:
        if not os.access(given, os.X_OK):
            raise FileNotFoundError("%s=%s is no program" % (env, given))
        return os.path.realpath(given)
    found = [p for pattern in ("%s", "build*/%s", "_build*/%s", "*/%s", "build*/*/%s")
             for p in glob.glob(os.path.join(TREE, pattern % name))
             if os.path.isfile(p) and os.access(p, os.X_OK)]
    if not found:
        raise FileNotFoundError("no %s in %s; build it, or set %s" % (name, TREE, env))
    return max(found, key=os.path.getmtime)


def rowd_binary():
    return find_binary("rowd", "ROWD")


def rowctl_binary():
    return find_binary("rowctl", "ROWCTL")


def is_sanitized(binary):
    with open(binary, "rb") as f:
        data = f.read()
    return b"__asan_init" in data or b"__tsan_init" in data


def die_with_parent():
    """For preexec_fn: no daemon outlives the test run that started it."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Daemon:
    """One rowd. databases: [(name, url), ...] or a path for one SQLite database called main."""

    def __init__(self, databases=None, directory=None, args=(), config=None, wrap=(), env=None,
                 socket_name="rowd.sock", preexec=None, cwd=None):
        self.own_directory = directory is None
        self.directory = directory or tempfile.mkdtemp(prefix="rowd-test-")
        self.socket = os.path.join(self.directory, socket_name)
        if databases is None:
            databases = [("main", "sqlite://" + os.path.join(self.directory, "main.db"))]
        self.databases = databases
        self.args = list(args)
        self.config = config
        self.wrap = list(wrap)
        self.env = dict(os.environ, **(env or {}))
        self.env.setdefault("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=0:exitcode=99")
        self.env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1:exitcode=99")
        self.log_path = os.path.join(self.directory, "rowd.log")
        self.binary = rowd_binary()
        self.preexec = preexec
        self.cwd = cwd
        self.process = None

    @property
    def db_path(self):
        return self.databases[0][1][len("sqlite://"):].split("?")[0]

    def command(self):
        line = self.wrap + [self.binary, "--socket", self.socket]
        for name, url in self.databases:
            line += ["--database", "%s=%s" % (name, url)]
        if self.config is not None:
            path = os.path.join(self.directory, "rowd.conf")
            with open(path, "w") as f:
                f.write(self.config)
            line += ["--config", path]
        return line + self.args

    def spawn(self, command=None, **popen):
        def before_exec():
            die_with_parent()
            if self.preexec:
                self.preexec()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command or self.command(), stderr=log,
                                            stdin=subprocess.DEVNULL, env=self.env, cwd=self.cwd,
                                            preexec_fn=before_exec, **popen)
        return self

    def start(self, seconds=20):
        """Spawn it and wait until the socket accepts."""
        self.spawn()
        wire.until(self.accepts, "the socket of rowd", seconds)
        return self

    def accepts(self):
        if self.process.poll() is not None:
            raise AssertionError("rowd ended with %s before its socket accepted:\n%s"
                                 % (self.process.returncode, self.log()))
        try:
            wire.connect(self.socket).close()
            return True
        except OSError:
            return False

    @property
    def pid(self):
        """Of rowd itself, also under a wrapper."""
        if not self.wrap:
            return self.process.pid
        for task in glob.glob("/proc/%d/task/*/children" % self.process.pid):
            with open(task) as f:
                for child in f.read().split():
                    return int(child)
        return self.process.pid

    def client(self, **kw):
        return wire.Client(self.socket, **kw)

    def log(self):
        try:
            with open(self.log_path, errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def rss(self):
        """Resident memory in bytes."""
        with open("/proc/%d/status" % self.pid) as f:
            return int(re.search(r"VmRSS:\s+(\d+) kB", f.read()).group(1)) * 1024

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.pid))

    def sockets(self):
        """Open sockets: the one it listens on, and one for each client."""
        count = 0
        for fd in os.listdir("/proc/%d/fd" % self.pid):
            try:
                count += os.readlink("/proc/%d/fd/%s" % (self.pid, fd)).startswith("socket:")
            except FileNotFoundError:
                pass
        return count

    def cpu(self):
        """Seconds of processor time used so far."""
        with open("/proc/%d/stat" % self.pid) as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def signal(self, number):
        os.kill(self.pid, number)

    def wait(self, seconds=60):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("rowd did not end within %g s:\n%s" % (seconds, self.log()[-4000:]))

    def check_log(self):
        text = self.log()
        assert not CRASH.search(text), "rowd's log tells of a fault:\n%s" % text[-8000:]

    def stop(self, seconds=60):
        """SIGTERM; it must end with 0."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        code = self.wait(seconds)
        self.process = None
        self.check_log()
        assert code == 0, "rowd ended with %s:\n%s" % (code, self.log()[-4000:])

    def kill(self):
        """SIGKILL, as a power cut for the process."""
        if self.process is not None and self.process.poll() is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.kill()
            self.process.wait(30)
        self.process = None

    def restart(self):
        if self.process is not None:
            self.stop()
        return self.start()

    def remove(self):
        if self.own_directory:
            shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                self.stop()
        finally:
            self.kill()
            self.remove()


def run_rowd(*args, seconds=20, env=None, cwd=None):
    """Run rowd to its end: for --version, --check and mistakes."""
    return subprocess.run([rowd_binary(), *args], capture_output=True, text=True, timeout=seconds,
                          env=dict(os.environ, **(env or {})), cwd=cwd, stdin=subprocess.DEVNULL)


def rest(seconds):
    """Let time pass where time itself is what is tested."""
    time.sleep(seconds)
