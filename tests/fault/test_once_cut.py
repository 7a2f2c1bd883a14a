"""Requests with ids through a connection that is cut at random points: none takes effect twice, none is lost.
ROWD_REQUESTS=10000 sends as many."""
import os
import random
import socket
import threading
import uuid

import pytest

from lib import wire
from lib.schema import schema

REQUESTS = int(os.environ.get("ROWD_REQUESTS", "500"))
WRITERS = 4


class Cutter:
    """A wire between clients and the daemon that is cut after so many bytes in one direction or the other."""

    def __init__(self, d, seed):
        self.target, self.random = d.socket, random.Random(seed)
        self.path = d.socket + ".cut"
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        self.listener.listen(64)
        self.cuts = 0
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = wire.connect(self.target)
            except OSError:
                client.close()
                continue
            up, down = self.random.randint(1, 3000), self.random.randint(1, 1200)
            for a, b, most in ((client, server, up), (server, client, down)):
                threading.Thread(target=self.carry, args=(a, b, most), daemon=True).start()

    def carry(self, a, b, left):
        try:
            while left > 0:
                data = a.recv(min(left, 65536))
                if not data:
                    break
                b.sendall(data)
                left -= len(data)
        except OSError:
            pass
        self.cuts += left == 0
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()


class Writer(threading.Thread):
    """Sends requests with ids through the cut wire. What became of those without an answer it asks by outcome,
    or asks for again: both must tell the truth."""

    def __init__(self, cutter, n, count):
        super().__init__()
        self.cutter, self.n, self.count = cutter, n, count
        self.random = random.Random(n)
        self.client, self.failed = None, None
        self.applied, self.not_applied = set(), set()

    def ask(self, method, *params):
        """-> reply, or None when the wire was cut."""
        try:
            if self.client is None:
                self.client = wire.Client(self.cutter.path, timeout=30)
            return self.client.reply(self.client.send(method, *params))
        except (wire.Closed, OSError):
            if self.client:
                self.client.close()
            self.client = None
            return None

    def requests(self, key):
        """One of several kinds of writes, each of which puts the key into the log once, and counts up."""
        log = {"writer": self.n, "k": key}
        return [("insert", ["log", log], {}), ("atomic", [[["insert", "log", log], ["update", "counter", self.n, {"v": ["+", ["col", "v"], 1]}]]], {}),
                ("insert", ["log", log], {"returning": "rows"})][key % 3]

    def transaction(self, key, one):
        """-> reply to the commit, or None when it is in doubt; False when it never got so far."""
        for request in (("begin",), ("insert", "log", {"writer": self.n, "k": key}), ("update", "counter", self.n, {"v": ["+", ["col", "v"], 1]})):
            r = self.ask(*request)
            if r is None:
                return False
            assert r.error is None, r
        return self.ask("commit", {"request_id": one})

    def settle(self, key, one, again):
        """No answer came: find the truth out."""
        asked = False
        while True:
            if again and self.random.random() < 0.5:
                r = self.ask(*again)
                if r is not None and r.error is not None:
                    assert asked and r.error[2]["name"] == "id_fenced", r
                    return self.not_applied.add(key)
                if r is not None:
                    return self.applied.add(key)
            else:
                asked = True
                r = self.ask("outcome", one)
                if r is not None:
                    assert r.error is None, r
                    (self.applied if r.result["state"] == "applied" else self.not_applied).add(key)
                    return None

    def one(self, key):
        one = str(uuid.UUID(int=self.random.getrandbits(128), version=4))
        if key % 4 == 3:
            r = self.transaction(key, one)
            if r is False:
                return self.not_applied.add(key)
            if r is None:
                return self.settle(key, one, None)
            assert r.error is None and r.result is True, r
            return self.applied.add(key)
        method, params, options = self.requests(key)
        request = (method, *params, dict(options, request_id=one))
        r = self.ask(*request)
        if r is None:
            return self.settle(key, one, request)
        assert r.error is None, r
        return self.applied.add(key)

    def run(self):
        try:
            for key in range(self.count):
                self.one(key)
        except AssertionError as e:
            self.failed = e
        finally:
            if self.client:
                self.client.close()


@pytest.mark.parametrize("kill", [False, True], ids=["cut", "cut and killed"])
def test_requests_with_ids_take_effect_exactly_once(lone, kill):
    d = lone()
    with d.client() as c:
        c.call("create_table", "log", schema({"id": "int+", "writer": "int!", "k": "int!"}))
        c.call("create_table", "counter", schema({"id": "int", "v": "int!"}))
        c.call("insert", "counter", [{"id": i, "v": 0} for i in range(WRITERS)])
    cutter = Cutter(d, 5)
    writers = [Writer(cutter, n, REQUESTS) for n in range(WRITERS)]
    for w in writers:
        w.start()
    if kill:
        for stage in range(1, 6):
            wire.until(lambda: sum(len(w.applied) + len(w.not_applied) for w in writers) > stage * 250 or not any(w.is_alive() for w in writers))
            d.kill()
            d.start()
    for w in writers:
        w.join()
    cutter.close()
    assert not [w.failed for w in writers if w.failed]
    assert cutter.cuts > 50
    in_doubt = 0
    with d.client() as c:
        for w in writers:
            _, batches = c.stream("select", "log", {"where": {"writer": w.n}, "columns": ["k"], "stream": True})
            found = [row[0] for b in batches for row in b]
            assert len(found) == len(set(found)), "applied twice"
            assert set(found) == w.applied and not set(found) & w.not_applied
            assert w.applied | w.not_applied == set(range(REQUESTS))
            in_doubt += len(w.not_applied)
            counted = [k for k in w.applied if k % 4 == 3 or k % 3 == 1]
            assert c.call("get", "counter", w.n)["v"] == len(counted)
    assert in_doubt > 0
