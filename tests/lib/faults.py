"""System calls of a running daemon that fail, or are its last: strace is attached to it and injects."""
import glob
import re
import signal
import subprocess

from lib import wire
from lib.daemon import die_with_parent


def tracer(task):
    with open(task + "/status") as f:
        return int(re.search(r"TracerPid:\s+(\d+)", f.read()).group(1))


class Injector:
    """words: those of strace's command line, as -e inject=fdatasync:error=EIO:when=3. Calls are counted by thread."""

    def __init__(self, d, words):
        self.pid = d.pid
        self.process = subprocess.Popen(["strace", "-f", "-qq", "-o", "/dev/null", "-p", str(self.pid)] + list(words),
                                        stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
        wire.until(self.attached, "strace to be attached", 20)

    def attached(self):
        if self.process.poll() == 0:
            return True  # what it was to do is done: the daemon is dead
        assert self.process.returncode is None, "strace ended with %s" % self.process.returncode
        return all(tracer(t) for t in glob.glob("/proc/%d/task/*" % self.pid))

    def stop(self):
        """Let go of the daemon, which goes on without faults."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
