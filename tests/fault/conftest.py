import shutil
import subprocess

import pytest


@pytest.fixture(scope="session", autouse=True)
def strace():
    """Faults are injected with strace; where it cannot trace, that is said and the tests are left out."""
    if not shutil.which("strace"):
        pytest.skip("no strace here; apt-get install strace")
    done = subprocess.run(["strace", "-f", "-o", "/dev/null", "-e", "trace=none", "true"], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip("strace cannot trace here: %s" % done.stderr.strip())
