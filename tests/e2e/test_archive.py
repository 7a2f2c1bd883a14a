"""What a purge keeps can be put back with rowctl."""
import subprocess

from lib.daemon import rowctl_binary
from lib.schema import schema


def rowctl(d, *args):
    return subprocess.run([rowctl_binary(), "-s", d.socket] + list(args), capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=60)


def purged(lone, tmp_path):
    d = lone(args=["--archive-dir", str(tmp_path)])
    c = d.client()
    c.call("create_table", "t", schema({"id": "int", "s": "text(20)", "b": "bytes(9)", "d": "decimal(6,2)", "w": "time"}))
    c.call("insert", "t", [{"id": i, "s": "é%d" % i, "b": b"\x00\xff", "d": "%d.50" % (i % 900), "w": "2024-02-29T00:00:00Z"}
                           for i in range(3000)])
    before = c.call("select", "t", {"order": ["id"]})
    c.call("purge", "t", ["<", "id", 2500], {"rows": 300, "target_ms": 0, "archive": "kept", "follow": True})
    c.gives(500, "count", "t")
    return d, c, before


def test_an_archive_is_put_back_whole(lone, tmp_path):
    d, c, before = purged(lone, tmp_path)
    done = rowctl(d, "insert", "t", "--archive", "-f", str(tmp_path / "kept"))
    assert done.returncode == 0, done.stderr
    c.gives(before, "select", "t", {"order": ["id"]})


def test_a_damaged_archive_is_refused_from_there_on(lone, tmp_path):
    d, c, _ = purged(lone, tmp_path)
    data = bytearray((tmp_path / "kept").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "bad").write_bytes(data)
    done = rowctl(d, "insert", "t", "--archive", "--atomic", "-f", str(tmp_path / "bad"))
    assert done.returncode == 1 and "checksum" in done.stderr
    c.gives(500, "count", "t")
    for name, text in (("cut", bytes(data[:1000])), ("other", b"id,s\n1,x\n"), ("empty", b"")):
        (tmp_path / name).write_bytes(text)
        done = rowctl(d, "insert", "t", "--archive", "-f", str(tmp_path / name))
        assert done.returncode == (0 if name == "empty" else 1), name
    c.gives(500, "count", "t")
