"""Writers that remember what they were told, and hold the database to it."""
import random
import threading

from lib import wire

ROWS = 3          # of a group: all of them are there, or none
PASSING = {"unavailable", "busy", "commit_unknown", "no_resource", "timeout", "tx_aborted", "tx_timeout"}


class Writer(threading.Thread):
    """Inserts and deletes groups of rows in every way there is. A group is `there`, `gone`, or in `doubt`."""

    def __init__(self, load, n):
        super().__init__(daemon=True)
        self.load, self.n, self.random = load, n, random.Random(n)
        self.there, self.gone, self.doubt = set(), set(), set()
        self.next = n * 10 ** 9
        self.failed = None

    def run(self):
        try:
            with self.load.daemon.client(timeout=120) as c:
                while not self.load.stopping:
                    self.one(c)
        except Exception as e:
            self.failed = e

    def one(self, c):
        if self.there and self.random.random() < 0.4:
            g = self.random.choice(tuple(self.there))
            self.settle(g, self.ask(c, self.deletes(g)), self.there, self.gone)
        else:
            self.next += 1
            self.settle(self.next, self.ask(c, self.inserts(self.next)), None, self.there)

    @staticmethod
    def rows(g):
        return [{"g": g, "i": i, "s": "x%d" % g} for i in range(ROWS)]

    def inserts(self, g):
        rows = self.rows(g)
        each = [("insert", "t", r) for r in rows]
        return self.random.choice([[("insert", "t", rows)], [("atomic", [list(e) for e in each])],
                                   [("begin",)] + each + [("commit",)]])

    def deletes(self, g):
        return self.random.choice([[("delete_where", "t", {"g": g})],
                                   [("atomic", [["delete", "t", [g, i]] for i in range(ROWS)])],
                                   [("begin",)] + [("delete", "t", [g, i]) for i in range(ROWS)] + [("commit",)]])

    def ask(self, c, requests):
        """-> "applied", "not_applied" or "unknown". Several requests are a transaction."""
        for method, *params in requests:
            r = c.reply(c.send(method, *params))
            if r.error is None:
                continue
            wire.check_error(r.error)
            self.load.note(r.error)
            if method not in ("begin", "commit") and len(requests) > 1:
                c.call("rollback")
            return r.error[2]["outcome"]
        self.load.applied += 1          # a guide, not a count
        return "applied"

    def settle(self, g, outcome, before, after):
        if outcome == "applied":
            if before is not None:
                before.discard(g)
            after.add(g)
        elif outcome == "unknown":
            if before is not None:
                before.discard(g)
            self.doubt.add(g)
        elif before is None:
            self.gone.add(g)


class Load:
    def __init__(self, daemon, writers=6):
        self.daemon = daemon
        self.stopping = False
        self.applied = 0
        self.errors = {}
        with daemon.client(timeout=60) as c:
            c.call("create_table", "t", {"columns": [{"name": "g", "type": "int"}, {"name": "i", "type": "int"},
                                                     {"name": "s", "type": "text(40)"}], "primary_key": ["g", "i"]})
        self.writers = [Writer(self, n) for n in range(writers)]
        for w in self.writers:
            w.start()

    def note(self, error):
        name = error[2]["name"]
        self.errors[name] = self.errors.get(name, 0) + 1
        assert name in PASSING, error

    def check(self):
        for w in self.writers:
            assert w.failed is None, repr(w.failed)

    def go_on(self, more, seconds=60):
        """Until so many more have been applied."""
        least = self.applied + more

        def reached():
            self.check()
            return self.applied >= least
        wire.until(reached, "%d more that are applied (%s)" % (more, self.errors), seconds)

    def stop(self, seconds=90):
        self.stopping = True
        for w in self.writers:
            w.join(seconds)
            assert not w.is_alive(), "a request without an answer"
        self.check()

    def judge(self, rows):
        """rows: (g, how many), all that the server holds. -> counts of what was (there, gone, in doubt)."""
        found = {int(g): int(n) for g, n in rows}
        assert set(found.values()) <= {ROWS}, "a group by half"
        total = [0, 0, 0]
        for w in self.writers:
            lost = w.there - set(found)
            assert not lost, "acknowledged and lost: %s" % sorted(lost)[:10]
            risen = w.gone & set(found)
            assert not risen, "not applied, or deleted, and there: %s" % sorted(risen)[:10]
            for g in w.there | w.gone | w.doubt:
                found.pop(g, None)
            for i, s in enumerate((w.there, w.gone, w.doubt)):
                total[i] += len(s)
        assert not found, "rows from nowhere"
        return total


GROUPS = "SELECT g, COUNT(*) FROM t GROUP BY g"
