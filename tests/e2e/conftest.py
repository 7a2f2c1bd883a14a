import pytest

from lib.backends import SQLite


@pytest.fixture(scope="module")
def backend():
    """What is tested here is the daemon, on its own database."""
    return SQLite()
