"""Random writes beside a model in a few lines of Python: which constraint is told, and what goes along."""
import random

import pytest

from lib.schema import foreign_key

STEPS = 400


def values(row, columns):
    """The row's key, None when a part of it is null."""
    found = tuple(row[c] for c in columns)
    return None if None in found else found


class Family:
    """Parents p and children c as they should be, and what the constraints say of a change."""

    def __init__(self, db, table, seed):
        self.db, self.random = db, random.Random(seed)
        self.unique = sorted([["b"], ["a", "x"], ["x", "b"]])
        self.p = table({"id": "int", "a": "int", "b": "int", "x": "int!"}, unique=self.unique)
        self.keys = [(["pa", "px"], ["a", "x"]), (["pb"], ["b"])]
        self.c = table({"id": "int", "pb": "int", "pa": "int", "px": "int", "u": "int"}, unique=[["u"]],
                       foreign_keys=[foreign_key(mine, self.p, theirs) for mine, theirs in self.keys])
        self.rows = {self.p: {}, self.c: {}}

    def some(self, n=4):
        return None if self.random.random() < 0.2 else self.random.randrange(n)

    def answer(self, *call):
        r = self.db.reply(self.db.send(*call))
        if r.error is None:
            return r.result
        return tuple(r.error[2].get(k) for k in ("name", "table", "column", "index"))

    def unique_of(self, t):
        return self.unique if t == self.p else [["u"]]

    def orphan(self, rows, parents):
        for mine, theirs in self.keys:
            have = {values(p, theirs) for p in parents.values()}
            if any(values(r, mine) and values(r, mine) not in have for r in rows):
                return "foreign_key", self.c, mine[0]
        return None

    def refused_row(self, t, row, others):
        """Why this row cannot stand beside the others."""
        for u in self.unique_of(t):
            if values(row, u) and any(values(r, u) == values(row, u) for r in others):
                return "conflict", t, u[0]
        return self.orphan([row], self.rows[self.p]) if t == self.c else None

    def insert(self):
        t = self.random.choice([self.p, self.c])
        upsert = self.random.random() < 0.5
        columns = ("a", "b") if t == self.p else ("pb", "pa", "px", "u")
        new, after, counts, why = [], dict(self.rows[t]), {"inserted": 0, "updated": 0}, None
        for _ in range(self.random.randrange(1, 4)):
            row = dict({"id": self.random.randrange(8)}, **{c: self.some(8 if c == "u" else 4) for c in columns})
            if t == self.p:
                row["x"] = self.random.randrange(4)
            new.append(row)
        if upsert and t == self.p:
            upsert = False              # would change keys that others refer to; update does that below
        for i, row in enumerate(new):
            if row["id"] in after and not upsert:
                why = ("conflict", t, "id", i)
            else:
                found = self.refused_row(t, row, [r for k, r in after.items() if k != row["id"]])
                why = found and found + (i,)
            if why:
                break
            counts["updated" if row["id"] in after else "inserted"] += 1
            after[row["id"]] = row
        due = why or (counts if upsert else {"inserted": len(new)})
        assert self.answer("upsert" if upsert else "insert", t, new) == due, (new, self.rows)
        if not why:
            self.rows[t] = after

    def refused_state(self, t, after, changed):
        for u in self.unique_of(t):
            keys = [values(r, u) for r in after.values() if values(r, u)]
            if len(keys) != len(set(keys)):
                return "conflict", t, u[0], None
        why = self.orphan([after[i] for i in changed], self.rows[self.p]) if t == self.c else self.orphan(self.rows[self.c].values(), after)
        return why and why + (None,)

    def update(self):
        t = self.random.choice([self.p, self.c])
        columns = ["a", "b", "x"] if t == self.p else ["pb", "pa", "px", "u"]
        sets = {c: self.random.randrange(4) if c == "x" else self.some() for c in self.random.sample(columns, self.random.randrange(1, 3))}
        ids = [self.random.randrange(8) for _ in range(self.random.randrange(1, 5))]
        how = self.random.choice(["key", "where", "limit"])
        met = sorted(i for i in set(ids[:1] if how == "key" else ids) if i in self.rows[t])[:2 if how == "limit" else None]
        after = {i: dict(r, **sets) if i in met else r for i, r in self.rows[t].items()}
        sent = dict(sets)
        if how == "key" and self.random.random() < 0.5:
            c, step = self.random.choice(sorted(sets)), self.random.randrange(-1, 3)
            sent[c] = ["+", ["col", c], step]
            for i in met:
                old = self.rows[t][i][c]
                after[i] = dict(after[i], **{c: None if old is None else old + step})
        why = self.refused_state(t, after, met)
        call = ["update", t, ids[0], sent] if how == "key" else ["update_where", t, ["in", "id", ids], sent]
        if how == "limit":
            call.append({"limit": 2})
        assert self.answer(*call) == (why or {"updated": len(met)}), (call, self.rows)
        if not why:
            self.rows[t] = after

    def delete(self):
        t = self.random.choice([self.p, self.c])
        ids = [self.random.randrange(8) for _ in range(self.random.randrange(1, 4))]
        met, why = [i for i in set(ids) if i in self.rows[t]], None
        if t == self.p:
            for mine, theirs in self.keys:
                gone = {values(self.rows[t][i], theirs) for i in met} - {None}
                if not why and any(values(r, mine) in gone for r in self.rows[self.c].values()):
                    why = ("foreign_key", self.c, mine[0], None)
        assert self.answer("delete_where", t, ["in", "id", ids]) == (why or {"deleted": len(met)}), (ids, self.rows)
        for i in () if why else met:
            del self.rows[t][i]

    def check(self):
        for t, rows in self.rows.items():
            got = self.db.call("select", t)
            assert [dict(zip(got["columns"], r)) for r in got["rows"]] == [rows[i] for i in sorted(rows)]


@pytest.mark.parametrize("seed", range(2))
def test_the_constraint_told_is_the_first_in_the_order(db, table, seed):
    family = Family(db, table, seed)
    for _ in range(STEPS):
        family.random.choice([family.insert, family.insert, family.update, family.update, family.delete])()
    family.check()


# child: its parents, with what happens when they go. In the order in which tables can be made.
WAYS = {"p": [], "a": [("p", "cascade")], "b": [("p", "set_null"), ("a", "cascade")],
        "y": [("a", "cascade"), ("b", "cascade"), ("p", "cascade")], "z": [("y", "cascade"), ("a", "set_null")], "r": [("b", "restrict")]}


class Descent:
    def __init__(self, db, table, seed):
        self.db, self.random, self.next_id, self.names = db, random.Random(seed), 0, {}
        for t, ways in WAYS.items():
            self.names[t] = table(dict({"id": "int", "k": "text(3)"}, **{p: "int" for p, _ in ways}),
                                  foreign_keys=[foreign_key([p], self.names[p], on_delete=what) for p, what in ways])

    def rows(self):
        return {name: {r[0]: r for r in self.db.call("select", name)["rows"]} for name in self.names.values()}

    def grow(self):
        for t, ways in WAYS.items():
            there = self.rows()
            for _ in range(self.random.randrange(2 if t == "r" else 4)):
                self.next_id += 1
                row = {"id": self.next_id, "k": self.random.choice("xyz")}
                for p, _ in ways:
                    parents = sorted(there[self.names[p]])
                    row[p] = self.random.choice(parents) if parents and self.random.random() < 0.7 else None
                self.db.call("insert", self.names[t], row)

    def delete(self):
        t = self.names[self.random.choice("ppab")]
        before = self.rows()
        where = ["in", "id", [i for i in before[t] if self.random.random() < 0.4]] if self.random.random() < 0.5 else {"k": "x"}
        shown = self.db.call("preview_delete", t, where)
        options = {"cascaded": True, "token": shown["token"]}
        if self.random.random() < 0.3:
            options = {"cascaded": True, "limit": self.random.randrange(4)}
        dry = self.db.call("delete_where", t, where, dict(options, dry_run=True))
        r = self.db.reply(self.db.send("delete_where", t, where, options))
        if r.error:
            assert r.error[2]["name"] == "foreign_key" and r.error[2]["table"] == self.names["r"] and shown["blocked_by"] == [self.names["r"]]
            assert self.rows() == before
            self.db.call("delete_all", self.names["r"])
            return
        after = self.rows()
        touched = {name: sum(after[name].get(i) != row for i, row in rows.items()) for name, rows in before.items()}
        assert r.result["deleted"] == dry["matched"] == touched.pop(t)
        assert r.result["cascaded"] == dry["cascaded"] == {name: n for name, n in sorted(touched.items()) if n}
        if "token" in options:
            assert shown["blocked_by"] == [] and shown["cascades"] == dry["cascaded"]


@pytest.mark.parametrize("seed", range(2))
def test_what_goes_along_is_what_was_counted(db, table, seed):
    descent = Descent(db, table, seed)
    for _ in range(40):
        descent.grow()
        descent.delete()
