"""A few thousand operations of the swap proof, in every run of the suite."""
import os

import pytest

from lib import servers
from swap.swap_test import Counts, Rig, prove

OPS = int(os.environ.get("ROWD_SWAP_OPS", "1500"))


def rig_of(kinds):
    try:
        return Rig(kinds)
    except servers.Unavailable as e:
        pytest.skip("a server cannot be had here: %s" % e)


@pytest.mark.parametrize("seed", [1, 2])
def test_two_sqlites_answer_alike(seed):
    """The test of the test: what diverges here has an answer that hangs on chance."""
    rig = rig_of(["sqlite", "sqlite"])
    try:
        counts = Counts()
        found = prove(rig, seed, OPS, counts, shrink_seconds=60)
        assert found is None, found
        ok = sum(n for (_, e), n in counts.by.items() if e == "ok")
        assert ok > OPS / 3, "most requests should be good ones:\n%s" % counts.text()
        rig.stop()
    finally:
        rig.close()


@pytest.mark.parametrize("seed", [11, 12])
@pytest.mark.parametrize("other", ["mariadb", "mysql"])
def test_sqlite_and_servers_answer_alike(other, seed):
    if servers.built_without_mysql():
        pytest.skip("%s: this rowd was configured --without-mysql" % other)
    rig = rig_of(["sqlite", other])
    try:
        found = prove(rig, seed, OPS, Counts(), shrink_seconds=60)
        assert found is None, found
        rig.stop()
    finally:
        rig.close()
