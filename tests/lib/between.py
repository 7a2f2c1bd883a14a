"""A wire between rowd and its MySQL server that is cut where a test says: before a word, or after its effect."""
import socket
import threading

from lib import wire

QUERY, PREPARE, EXECUTE = 3, 22, 23
AMID = 1024


class State:
    """Of one connection. A statement's text is remembered from its preparation; rowd prepares one at a time."""

    def __init__(self):
        self.passing = None       # how much more comes from the server, once it is to be cut
        self.dropped = threading.Event()
        self.preparing, self.texts = None, {}

    def words(self, body):
        self.preparing = body[1:] if body[0] == PREPARE else None
        if body[0] == EXECUTE:
            return body[:1] + self.texts.get(body[1:5], b"?")
        return body

    def learn(self, answer):
        if self.preparing and len(answer) >= 9 and answer[4] == 0:
            self.texts[answer[5:9]] = self.preparing
            self.preparing = None


class Between:
    """Carries every connection to the server's socket. cut(words, n) -> what becomes of a command. words: its first
    byte and its text (of an execution, that of its statement); n: the how-manieth of its connection.

    "before": the connection ends and the server never hears of it; "after": the server does it, and its answer is
    dropped; "amid": only the answer's first kilobyte comes through; a number: it fails with that error, and the
    connection stays; None: it goes on."""

    def __init__(self, server):
        self.server = server
        self.path = server.socket + ".between"
        self.cut = None
        self.cuts = 0
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        self.listener.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    def url(self, database):
        return "mysql://root@localhost/%s?unix_socket=%s" % (database, self.path)

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.carry, args=(client,), daemon=True).start()

    def carry(self, client):
        try:
            server = wire.connect(self.server.socket, None)
        except OSError:
            client.close()
            return
        state = State()
        back = threading.Thread(target=self.carry_back, args=(server, client, state), daemon=True)
        back.start()
        try:
            self.carry_commands(client, server, state)
        except OSError:
            pass
        self.end(server, client)
        back.join()
        server.close()
        client.close()

    @staticmethod
    def end(*sockets):
        for s in sockets:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def carry_commands(self, client, server, state):
        n = 0
        f = client.makefile("rb")
        while True:
            head = f.read(4)
            if len(head) < 4:
                return
            body = f.read(int.from_bytes(head[:3], "little"))
            how = None
            if head[3] == 0 and body:
                n += 1
                how = self.cut and self.cut(state.words(body), n)
            if how:
                self.cuts += 1
            if how == "before":
                return
            if isinstance(how, int):
                answer = b"\xff" + how.to_bytes(2, "little") + b"#HY000" + b"told to fail"
                client.sendall(len(answer).to_bytes(3, "little") + b"\x01" + answer)
                continue
            if how:
                state.passing = AMID if how == "amid" else 0
            server.sendall(head + body)
            if how:
                state.dropped.wait(30)
                return

    def carry_back(self, server, client, state):
        try:
            while True:
                data = server.recv(65536)
                if state.passing is not None:
                    data = data[:state.passing]
                    state.passing -= len(data)
                if not data:
                    break
                state.learn(data)
                client.sendall(data)
                if state.passing == 0:
                    break
        except OSError:
            pass
        state.dropped.set()
        self.end(server, client)

    def close(self):
        self.listener.close()


def is_commit(words):
    return words == bytes([QUERY]) + b"COMMIT"
