"""A daemon of the test's own making: it answers what the test says, and loses what it says."""
import contextlib
import os
import shutil
import socket
import tempfile
import threading

import msgpack

HELLO = {"server": "pretender", "version": "0", "protocol": 1, "databases": ["main"], "default": "main",
         "limits": {"frame_bytes": 16777216}, "session": 7, "user": {"uid": 0, "gid": 0, "roles": []}}


class HangUp(Exception):
    """Raised by an answer: close the connection in place of it."""


class Refuse(Exception):
    def __init__(self, code, name, outcome="not_applied", retry=False):
        super().__init__(name)
        self.error = [code, name + ": said the pretender", {"name": name, "outcome": outcome, "retry": retry}]


def never():
    """An answer that does not come before the client goes away."""
    threading.Event().wait(30)
    raise HangUp


class Pretender:
    """answers: {method: value, or function(*params)}. asked: [(method, params)], of all connections."""

    def __init__(self, answers):
        self.answers = dict({"hello": HELLO}, **answers)
        self.asked = []
        self.directory = tempfile.mkdtemp(prefix="rowd-test-")
        self.socket = os.path.join(self.directory, "rowd.sock")
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.socket)
        self.listener.listen(10)
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                conn, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def answer(self, method, params):
        self.asked.append((method, params))
        answer = self.answers.get(method)
        if method not in self.answers:
            raise Refuse(2, "unknown_method")
        return answer(*params) if callable(answer) else answer

    def reply(self, request):
        _, msgid, method, params = request
        try:
            return [1, msgid, None, self.answer(method, params)]
        except Refuse as refusal:
            return [1, msgid, refusal.error, None]

    def serve(self, conn):
        unpacker = msgpack.Unpacker(raw=False, strict_map_key=False)
        with conn, contextlib.suppress(OSError, HangUp):
            while True:
                data = conn.recv(1 << 16)
                if not data:
                    return
                unpacker.feed(data)
                for message in unpacker:
                    if message[0] == 0:
                        conn.sendall(msgpack.packb(self.reply(message), use_bin_type=True))

    def methods(self):
        return [method for method, _ in self.asked]
