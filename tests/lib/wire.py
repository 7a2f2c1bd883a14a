"""A MessagePack-RPC client written from docs/PROTOCOL.md alone.

It shares no code with rowd or librowd. Every reply is kept as the bytes that came, and every reply
is checked to be in its shortest encoding, so a test that compares values compares bytes too.
"""
import collections
import socket
import time

import msgpack

Timestamp = msgpack.Timestamp
Ext = msgpack.ExtType

DEADLINE = 60.0

# The numbers on the wire are stable for ever, so they are written down here a second time.
CODES = {
    "bad_request": 1, "unknown_method": 2, "unknown_database": 3, "unknown_table": 4,
    "unknown_column": 5, "empty_filter": 6, "unsupported": 7, "limit": 8,
    "type_mismatch": 20, "out_of_range": 21, "too_long": 22, "invalid_text": 23,
    "null_not_allowed": 24,
    "conflict": 40, "foreign_key": 41, "too_many_rows": 42, "preview_stale": 43,
    "table_exists": 60, "unknown_index": 61, "index_exists": 62, "schema_mismatch": 63,
    "schema_invalid": 64, "not_portable": 65,
    "denied": 80, "read_only": 81,
    "busy": 100, "timeout": 101, "cancelled": 102,
    "tx_none": 120, "tx_open": 121, "tx_aborted": 122, "tx_timeout": 123,
    "id_reused": 140, "id_expired": 141, "id_fenced": 142, "commit_unknown": 143,
    "storage_full": 160, "no_resource": 161, "unavailable": 162, "corrupt": 163,
    "shutting_down": 164, "internal": 180,
}
RETRY = {"busy", "no_resource", "unavailable", "shutting_down"}
UNKNOWN = {"commit_unknown"}


def pack(value):
    """The one canonical encoding: shortest forms, float64, maps in their own order."""
    return msgpack.packb(value, use_bin_type=True)


def unpack(data):
    return msgpack.unpackb(data, raw=False, strict_map_key=False, timestamp=0)


def same(got, expected):
    """Equal as bytes: true is not 1, 1 is not 1.0, and the order of map keys counts."""
    return pack(got) == pack(expected)


class Failure(Exception):
    """An error reply."""

    def __init__(self, error):
        super().__init__(repr(error))
        self.error = error
        self.code, self.text, self.details = error
        self.name = self.details["name"]
        self.outcome = self.details["outcome"]
        self.retry = self.details["retry"]


Reply = collections.namedtuple("Reply", "msgid error result raw")
Note = collections.namedtuple("Note", "method params raw")


class Closed(Exception):
    """The daemon closed the connection."""


def connect(path, timeout=DEADLINE):
    """A connected socket. A full backlog is waited for, as a client that blocks does."""
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.connect(path)
    s.settimeout(timeout)
    return s


class Client:
    def __init__(self, path, timeout=DEADLINE, canonical=True):
        self.sock = connect(path, timeout)
        self.timeout = timeout
        self.canonical = canonical
        self.unpacker = msgpack.Unpacker(raw=False, strict_map_key=False, timestamp=0,
                                         max_buffer_size=1 << 30)
        self.bytes = bytearray()
        self.base = 0
        self.next_msgid = 1
        self.waiting = {}
        self.notes = []
        self.order = []

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    # ---- sending ----

    def send_raw(self, data):
        self.sock.sendall(data)

    def send(self, method, *params, msgid=None):
        """Send a request and do not wait; the msgid is returned."""
        if msgid is None:
            msgid = self.next_msgid
            self.next_msgid += 1
        self.sock.sendall(pack([0, msgid, method, list(params)]))
        return msgid

    def send_many(self, requests):
        """Many requests in one write: [(method, params...), ...] -> msgids."""
        first = self.next_msgid
        self.next_msgid += len(requests)
        self.sock.sendall(b"".join(pack([0, first + i, r[0], list(r[1:])])
                                   for i, r in enumerate(requests)))
        return range(first, self.next_msgid)

    def notify(self, method, *params):
        self.sock.sendall(pack([2, method, list(params)]))

    def finish_sending(self):
        self.sock.shutdown(socket.SHUT_WR)

    # ---- receiving ----

    def read(self):
        """The next message, whatever it is: a Reply or a Note. Closed at the end."""
        while True:
            try:
                message = self.unpacker.unpack()
                break
            except msgpack.OutOfData:
                pass
            data = self.sock.recv(1 << 16)
            if not data:
                raise Closed("closed by the daemon; %d bytes of a message were left"
                             % len(self.bytes))
            self.unpacker.feed(data)
            self.bytes += data
        end = self.unpacker.tell()
        raw = bytes(self.bytes[:end - self.base])
        del self.bytes[:end - self.base]
        self.base = end
        if self.canonical:
            assert pack(message) == raw, "not in the shortest encoding: %r" % raw[:200]
        assert isinstance(message, list), message
        if message[0] == 1:
            assert len(message) == 4, message
            assert message[2] is None or message[3] is None, message
            return Reply(message[1], message[2], message[3], raw)
        assert message[0] == 2 and len(message) == 3, message
        return Note(message[1], message[2], raw)

    def reply(self, msgid=None):
        """The reply to msgid (or the next one); others wait, notifications go to self.notes."""
        if msgid is None and self.waiting:
            return self.waiting.pop(next(iter(self.waiting)))
        if msgid in self.waiting:
            return self.waiting.pop(msgid)
        while True:
            m = self.read()
            if isinstance(m, Note):
                self.notes.append(m)
                continue
            self.order.append(m.msgid)
            if msgid is None or m.msgid == msgid:
                return m
            assert m.msgid not in self.waiting, "two replies to %d" % m.msgid
            self.waiting[m.msgid] = m

    def result(self, msgid):
        r = self.reply(msgid)
        if r.error is not None:
            raise Failure(r.error)
        return r.result

    def results(self, msgids):
        return [self.result(m) for m in msgids]

    def at_end(self):
        """True when the daemon closes without another message."""
        try:
            m = self.read()
        except (Closed, ConnectionResetError):
            return True
        raise AssertionError("a message instead of the end: %r" % (m,))

    # ---- asking ----

    def call(self, method, *params):
        return self.result(self.send(method, *params))

    def gives(self, expected, method, *params):
        got = self.call(method, *params)
        assert same(got, expected), "%s%r\n  gave     %r\n  expected %r" % (
            method, params, got, expected)
        return got

    def refuses(self, names, method, *params, **details):
        """The call fails with (one of) these names, in the promised shape."""
        msgid = self.send(method, *params)
        return self.refused(names, msgid, "%s%.300r" % (method, params), **details)

    def refused(self, names, msgid, what="", **details):
        r = self.reply(msgid)
        assert r.error is not None, "%s was not refused: %.300r" % (what, r.result)
        check_error(r.error)
        names = (names,) if isinstance(names, str) else names
        assert r.error[2]["name"] in names, "%s\n  refused with %r\n  expected     %r" % (
            what, r.error, names)
        for k, v in details.items():
            assert same(r.error[2].get(k), v), "%s: details[%r] in %r, expected %r" % (
                what, k, r.error, v)
        return Failure(r.error)

    # ---- streams ----

    def stream(self, method, *params):
        """-> (result, batches) of a request that streams rows."""
        msgid = self.send(method, *params)
        batches = []
        while True:
            m = self.read()
            if isinstance(m, Reply):
                assert m.msgid == msgid
                if m.error is not None:
                    raise Failure(m.error)
                return m.result, batches
            assert m.method == "rows" and m.params[0] == msgid, m
            batches.append(m.params[1])


def check_error(error):
    """An error in the default shape, with nothing missing."""
    assert isinstance(error, list) and len(error) == 3, error
    code, text, details = error
    name = details["name"]
    assert list(details)[:3] == ["name", "outcome", "retry"], error
    assert CODES.get(name) == code and type(code) is int, error
    assert isinstance(text, str) and text.startswith(name + ": ") and len(text) > len(name) + 2, error
    assert details["outcome"] == ("unknown" if name in UNKNOWN else "not_applied"), error
    assert details["retry"] is (name in RETRY), error


def until(condition, what="the condition", seconds=DEADLINE):
    """Poll until condition() is true and return what it gave."""
    end = time.monotonic() + seconds
    pause = 0.001
    while True:
        got = condition()
        if got:
            return got
        if time.monotonic() > end:
            raise AssertionError("%s did not come true within %g s" % (what, seconds))
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


def drain(sock, seconds=DEADLINE):
    """Everything until the other side closes; the bytes."""
    sock.settimeout(seconds)
    got = bytearray()
    while True:
        try:
            data = sock.recv(1 << 16)
        except ConnectionResetError:
            return bytes(got)
        if not data:
            return bytes(got)
        got += data


def messages(data):
    """All whole messages in data."""
    u = msgpack.Unpacker(raw=False, strict_map_key=False, timestamp=0, max_buffer_size=1 << 30)
    u.feed(data)
    return list(u)


def time_of(year, month=1, day=1, hour=0, minute=0, second=0, micro=0):
    """A Timestamp from a civil date in UTC."""
    import datetime
    d = datetime.datetime(year, month, day, hour, minute, second)
    s = (d - datetime.datetime(1970, 1, 1)) // datetime.timedelta(seconds=1)
    return Timestamp(s, micro * 1000)
