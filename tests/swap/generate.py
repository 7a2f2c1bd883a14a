"""Schemas and requests from a seed: every type, operator and operation, with values that are known to hurt.

A Generator is told how the requests went (applied or refused) and nothing else, so a run can be
repeated from its seed, and a recorded run can be repeated from its requests.
"""
import random
import uuid

from lib.wire import Ext, Timestamp, time_of

INTS = [0, 1, 2, 3, 5, -1, 7, 10, 100, 127, 128, 255, 256, -128, 2**31 - 1, 2**31, -2**31 - 1, 2**53, 2**53 + 1, 2**63 - 1, -2**63]
FLOATS = [0.0, -0.0, 1.0, -1.0, 0.5, 0.1, 1 / 3, 1e300, -1e300, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 2.0**53, 2.0**63, 1e16]
TEXTS = ["", "a", "A", "a ", " a", "a\t", "a\n", "b", "ab", "aB", "abc", "\x01", "\x1f", "\x7f", "é", "e\u0301", "É", "ß", "ss", "İ", "i", "ı", "\u2028",
         "\ud7ff", "\ue000", "\ufffd", "\uffff", "\U00010000", "😀", "😀a", "\U0010ffff", "%", "_", "\\", "a%b", "a_b", "\\%", "'", '"', "`", ";--", "0", "1", "00",
         "1e2", "NULL", "null", "true", "zz", "\u200b", "ａ", "ﬁ"]
BYTES = [b"", b"\0", b"\0\0", b"a", b"A", b"a ", b"a\0", b"\xff", b"\xff\xff", b"\x7f", b"\x80", b"\xc3\xa9", b"\xc3(", b"\\", b"%", b"'", b"ab"]
TIMES = [time_of(1), time_of(1, 1, 1, 0, 0, 0, 1), time_of(999, 12, 31, 23, 59, 59, 999999), time_of(1582, 10, 10), time_of(1969, 12, 31, 23, 59, 59, 999999),
         time_of(1970), time_of(2000, 2, 29), time_of(2024, 3, 31, 2, 30, 0, 500000), time_of(2038, 1, 19, 3, 14, 8), time_of(9999, 12, 31, 23, 59, 59, 999999),
         "2024-02-29T12:00:00Z", "2024-02-29T12:00:00.123456+05:30", "1970-01-01T00:00:00Z"]
WRONG = [None, True, 0, 1.5, "5", b"5", [1], {"a": 1}, 2**63, 2**64 - 1, float("nan"), float("inf"), Timestamp(0, 1), Timestamp(2**40, 0), Ext(5, b"x"),
         "x" * 300, b"x" * 300, "a\0b", "2024-02-30T00:00:00Z", "1e5", "999999999999999999999", "0.0000001"]

TYPES = ["int", "int", "bool", "float", "decimal(6,2)", "decimal(18,0)", "decimal(18,9)", "text(8)", "text(8)", "text(40)", "text", "bytes(4)", "bytes", "time"]
KEYS = ["int", "int", "int+", "int+", "text(8)", "bytes(4)", "time", "decimal(6,2)"]
UNORDERED = ("text", "bytes")
# The words of each write, its name included, before its options.
WRITES = {"insert": 3, "upsert": 3, "update": 4, "update_where": 4, "update_all": 3, "delete": 3, "delete_where": 3, "delete_all": 2}


class Column:
    def __init__(self, name, kind, null=True, auto=False):
        self.name, self.kind, self.null, self.auto = name, kind, null, auto

    @property
    def base(self):
        return self.kind.split("(")[0]

    @property
    def ordered(self):
        return self.kind not in UNORDERED


class Table:
    def __init__(self, name):
        self.name = name
        self.columns, self.key, self.unique, self.indexes, self.parents = [], [], [], [], []
        self.dirty = False       # a write failed: generated ids may differ until one was given by hand
        self.next_id = 1000

    @property
    def auto(self):
        return any(c.auto for c in self.columns)

    def column(self, name):
        return next(c for c in self.columns if c.name == name)


class Generator:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.tables = []
        self.in_tx = False
        self.savepoints = []
        self.counter = 0
        self.tokens = []         # [table, filter, token] of previews
        self.once = []           # requests that carried an id

    def chance(self, p):
        return self.r.random() < p

    def pick(self, xs):
        return self.r.choice(xs)

    # ---- values ----

    def value(self, kind, wild=0.02):
        r = self.r
        if r.random() < wild:
            return r.choice(WRONG)
        base = kind.split("(")[0]
        if base == "int":
            return r.choice(INTS[:8]) if r.random() < 0.7 else r.choice(INTS)
        if base == "bool":
            return r.random() < 0.5
        if base == "float":
            return r.choice(FLOATS)
        if base == "decimal":
            digits, scale = map(int, kind[8:-1].split(","))
            whole = r.choice([0, 0, 1, 5, 10 ** (digits - scale) - 1]) if digits > scale else 0
            part = r.choice([0, 0, 1, 5, 10 ** scale - 1]) if scale else 0
            text = str(whole) + (".%0*d" % (scale, part) if scale and (part or r.random() < 0.5) else "")
            return ("-" if r.random() < 0.4 else "") + text
        if base == "text":
            limit = int(kind[5:-1]) if "(" in kind else 2000
            text = r.choice(TEXTS)
            if r.random() < 0.1:
                text = text * r.choice([2, 3, limit])
            return text[:limit] if r.random() < 0.97 else text
        if base == "bytes":
            limit = int(kind[6:-1]) if "(" in kind else 2000
            return (r.choice(BYTES) * r.choice([1, 1, 1, 2]))[:limit]
        return r.choice(TIMES)

    def cell(self, c):
        if c.null and self.chance(0.25) or self.chance(0.01):
            return None
        return self.value(c.kind)

    def row(self, t, full=False):
        row = {}
        for c in t.columns:
            if c.auto:
                if t.dirty:
                    t.next_id += 1000
                    row[c.name] = t.next_id
                elif self.chance(0.05):
                    row[c.name] = self.pick([0, -1, -5, 1, 3])
                continue
            if c.name in t.key or full or self.chance(0.85):
                row[c.name] = self.cell(c) if c.name not in t.key else self.value(c.kind, 0.005)
        if self.chance(0.004):
            row["no_such_column"] = 1
        names = list(row)
        self.r.shuffle(names)
        return {n: row[n] for n in names}

    def key(self, t):
        values = [self.value(t.column(k).kind, 0.01) for k in t.key]
        return values if len(values) > 1 or self.chance(0.1) else values[0]

    # ---- schemas ----

    def schema(self):
        """A new table, and the create_table request for it."""
        self.counter += 1
        t = Table("t%d" % self.counter)
        if self.chance(0.25):
            t.columns = [Column("a", self.pick(["int", "text(8)", "bytes(4)"]), False), Column("b", self.pick(["int", "time", "text(8)"]), False)]
            t.key = ["b", "a"] if self.chance(0.5) else ["a", "b"]
        else:
            kind = self.pick(KEYS)
            t.columns = [Column("id", kind.rstrip("+"), False, kind.endswith("+"))]
            t.key = ["id"]
        for i in range(self.r.randint(2, 7)):
            t.columns.append(Column(self.pick(["c", "order", "x_", "rank"]) + str(i), self.pick(TYPES), self.chance(0.8)))
        out = {"columns": [], "primary_key": t.key}
        for c in t.columns:
            words = {"name": c.name, "type": c.kind}
            if c.auto:
                words["auto"] = True
            if not c.null:
                words["null"] = False
            if c.name not in t.key and c.ordered and self.chance(0.3):
                words["default"] = self.value(c.kind, 0.0)
            out["columns"].append(words)
        orderable = [c.name for c in t.columns if c.ordered and not c.auto]
        for words, target, p in (("unique", t.unique, 0.3), ("indexes", t.indexes, 0.5)):
            if orderable and self.chance(p):
                columns = self.r.sample(orderable, min(len(orderable), self.r.randint(1, 2)))
                if columns not in t.unique + t.indexes and columns != t.key:
                    target.append(columns)
                    out[words] = [columns]
        parents = [p for p in self.tables if len(p.key) == 1]
        if parents and self.chance(0.6):
            p = self.pick(parents)
            action = self.pick(["restrict", "cascade", "set_null"])
            c = Column("parent", p.column(p.key[0]).kind, True)
            t.columns.append(c)
            t.parents.append(p)
            out["columns"].append({"name": c.name, "type": c.kind})
            out["foreign_keys"] = [{"columns": ["parent"], "table": p.name, "references": p.key, "on_delete": action}]
        return t, ["create_table", t.name, out]

    # ---- filters ----

    def leaf(self, t, outer=None):
        r = self.r
        c = self.pick(t.columns)
        roll = r.random()
        if roll < 0.30:
            return [self.pick(["=", "!=", "<", "<=", ">", ">="]), c.name, self.value(c.kind)]
        if roll < 0.38:
            return [self.pick(["is", "is_not"]), c.name, self.cell(c)]
        if roll < 0.45:
            return [self.pick(["is_null", "not_null"]), c.name]
        if roll < 0.57:
            many = r.randint(0, 6) if r.random() < 0.95 else r.randint(100, 1500)
            return [self.pick(["in", "not_in"]), c.name, [self.value(c.kind, 0.002) for _ in range(many)]]
        if roll < 0.64:
            return ["between", c.name, self.value(c.kind), self.value(c.kind)]
        if roll < 0.76:
            texts = [x for x in t.columns if x.base == "text"] or [c]
            c = self.pick(texts)
            op = self.pick(["like", "prefix", "suffix", "contains"])
            if op == "like":
                return [op, c.name, "".join(self.pick(["%", "_", "a", "b", "A", "\\%", "\\_", "\\\\", "é", "😀", " ", ""]) for _ in range(r.randint(0, 5)))]
            return [op, c.name, self.value("text(8)", 0.02)]
        if roll < 0.83:
            others = [x for x in t.columns if x.kind == c.kind] if r.random() < 0.9 else t.columns
            return [self.pick(["=", "!=", "<", ">=", "is", "is_not"]), c.name, ["col", self.pick(others).name]]
        if roll < 0.86 and outer:
            others = [x for x in outer.columns if x.kind == c.kind]
            if others:
                return [self.pick(["=", "<", "is"]), c.name, ["outer", self.pick(others).name]]
        if roll < 0.93:
            names = [x.name for x in self.r.sample(t.columns, r.randint(1, min(2, len(t.columns))))]
            return {n: self.cell(t.column(n)) for n in names}
        return ["=", c.name, self.value(c.kind)]

    def filter(self, t, depth=3, outer=None):
        r = self.r
        roll = r.random()
        if roll < 0.01:
            return self.pick([{}, [], ["and"], ["or"], ["not", {}], None, ["nope", "a", 1], ["=", "nope", 1], 5])
        if depth and roll < 0.35:
            op = self.pick(["and", "or", "and", "or", "not"])
            if op == "not":
                return [op, self.filter(t, depth - 1, outer)]
            return [op] + [self.filter(t, depth - 1, outer) for _ in range(r.randint(1, 3))]
        if depth and roll < 0.43 and self.tables:
            other = self.pick(self.tables)
            if r.random() < 0.5:
                c = self.pick(t.columns)
                others = [x for x in other.columns if x.kind == c.kind]
                if others:
                    selection = {"select": self.pick(others).name, "from": other.name}
                    if r.random() < 0.7:
                        selection["where"] = self.filter(other, depth - 1, t)
                    return [self.pick(["in", "not_in"]), c.name, selection]
            selection = {"from": other.name}
            if r.random() < 0.8:
                selection["where"] = self.filter(other, depth - 1, t)
            return [self.pick(["exists", "not_exists"]), selection]
        return self.leaf(t, outer)

    def order(self, t):
        ordered = [c for c in t.columns if c.ordered or self.chance(0.01)]
        terms = self.r.sample(ordered, self.r.randint(1, min(3, len(ordered))))
        return [self.pick(["", "-"]) + c.name + self.pick(["", "", " nulls first", " nulls last"]) for c in terms]

    # ---- requests ----

    def select_options(self, t):
        r, o = self.r, {}
        if r.random() < 0.7:
            o["where"] = self.filter(t)
        if r.random() < 0.4:
            o["columns"] = [c.name for c in r.sample(t.columns, r.randint(1, len(t.columns)))]
        if r.random() < 0.5:
            o["order"] = self.order(t)
        if r.random() < 0.4:
            o["limit"] = self.pick([0, 1, 2, 5, 100])
        if r.random() < 0.2:
            o["offset"] = self.pick([0, 1, 3, 50])
        if r.random() < 0.15:
            names = [x.lstrip("-").split(" ")[0] for x in o.get("order", [])] + t.key
            o["after"] = [self.cell(t.column(n)) if n not in t.key else self.value(t.column(n).kind) for n in names]
        if r.random() < 0.15:
            o["distinct"] = True
            o.pop("after", None)
            if "order" in o and "columns" in o:
                o["order"] = [x for x in o["order"] if x.lstrip("-").split(" ")[0] in o["columns"]] or None
                if o["order"] is None:
                    del o["order"]
        if r.random() < 0.1:
            o["stream"] = True
            if r.random() < 0.5:
                o["batch"] = self.pick([1, 3, 1000])
        return o

    def aggregate_options(self, t):
        r, o = self.r, {}
        if r.random() < 0.5:
            o["where"] = self.filter(t)
        ordered = [c for c in t.columns if c.ordered]
        if r.random() < 0.6:
            o["group_by"] = [c.name for c in r.sample(ordered, r.randint(1, min(2, len(ordered))))]
        compute = {}
        for i in range(r.randint(1, 3)):
            fn = self.pick(["count", "count", "count_distinct", "sum", "min", "max", "avg"])
            numbers = [c for c in t.columns if c.base in ("int", "decimal")]
            pool = numbers if fn in ("sum", "avg") and numbers and r.random() < 0.95 else ordered
            compute["z%d" % i] = [fn] if fn == "count" and r.random() < 0.5 else [fn, self.pick(pool).name]
        o["compute"] = compute
        if "group_by" in o and r.random() < 0.4:
            o["order"] = [self.pick(["", "-"]) + n for n in o["group_by"][:1]]
        if r.random() < 0.2:
            o["limit"] = self.pick([0, 1, 3])
        return o

    def write_options(self, t, limits=True):
        r, o = self.r, {}
        if limits and r.random() < 0.3:
            o["limit"] = self.pick([0, 1, 2, 5])
            if r.random() < 0.6:
                o["order"] = self.order(t)
        if r.random() < 0.15:
            o["max_rows"] = self.pick([0, 1, 3, 100])
        if limits and r.random() < 0.4:
            o["returning"] = self.returning(t)
        if r.random() < 0.1:
            o["dry_run"] = True
        return o

    def returning(self, t):
        return self.pick(["keys", "rows", [c.name for c in self.r.sample(t.columns, self.r.randint(1, len(t.columns)))]])

    def set_terms(self, t):
        r = self.r
        free = [c for c in t.columns if c.name not in t.key] if r.random() < 0.98 else t.columns
        out = {}
        for c in r.sample(free, r.randint(1, min(3, len(free)))):
            if c.base in ("int", "decimal") and r.random() < 0.4:
                same = [x for x in t.columns if x.kind == c.kind]
                terms = [["col", self.pick(same).name], self.value(c.kind) if r.random() < 0.7 else ["col", self.pick(same).name]]
                if r.random() < 0.3:
                    terms.reverse()
                out[c.name] = [self.pick(["+", "-", "*"] if c.base == "int" else ["+", "-"])] + terms
            else:
                out[c.name] = self.cell(c)
        return out

    def with_options(self, request, options):
        return request + [options] if options or self.chance(0.1) else request

    def data_request(self, reads_only=False):
        """One read or write of data."""
        r = self.r
        t = self.pick(self.tables)
        roll = r.random() * (0.40 if reads_only else 1.0)
        if roll < 0.08:
            return ["get", t.name, self.key(t)]
        if roll < 0.24:
            return self.with_options(["select", t.name], self.select_options(t))
        if roll < 0.29:
            return ["count", t.name] + ([self.filter(t)] if r.random() < 0.8 else [])
        if roll < 0.32:
            return ["exists", t.name, self.filter(t)]
        if roll < 0.40:
            return ["aggregate", t.name, self.aggregate_options(t)]
        if roll < 0.58:
            rows = self.row(t) if r.random() < 0.6 else [self.row(t) for _ in range(r.randint(1, 5))]
            return self.with_options(["insert", t.name, rows], {"returning": self.returning(t)} if r.random() < 0.2 else {})
        if roll < 0.66:
            rows = [self.upsert_row(t) for _ in range(r.randint(1, 4))]
            return self.with_options(["upsert", t.name, rows if r.random() < 0.5 else rows[0]], {"returning": self.returning(t)} if r.random() < 0.2 else {})
        if roll < 0.71:
            return ["update", t.name, self.key(t), self.set_terms(t)]
        if roll < 0.81:
            return self.with_options(["update_where", t.name, self.filter(t), self.set_terms(t)], self.write_options(t))
        if roll < 0.83:
            return self.with_options(["update_all", t.name, self.set_terms(t)], self.write_options(t, False))
        if roll < 0.88:
            o = {"returning": self.returning(t)} if r.random() < 0.4 else {}
            if r.random() < 0.3:
                o["cascaded"] = True
            return self.with_options(["delete", t.name, self.key(t)], o)
        if roll < 0.985:
            o = self.write_options(t)
            if r.random() < 0.3:
                o["cascaded"] = True
            if "limit" not in o and r.random() < 0.7:
                o["limit"] = self.pick([1, 3, 5])
            return self.with_options(["delete_where", t.name, self.filter(t)], o)
        return self.with_options(["delete_all", t.name], self.write_options(t, False))

    def upsert_row(self, t):
        row = self.row(t)
        for k in t.key:
            if k not in row:
                row[k] = self.pick([1, 2, 3, 5, 50])
        return row

    def schema_request(self):
        r = self.r
        t = self.pick(self.tables)
        ordered = [c.name for c in t.columns if c.ordered]
        roll = r.random()
        if roll < 0.25:
            return ["create_index", t.name, r.sample(ordered, r.randint(1, min(2, len(ordered))))] + ([{"unique": True}] if r.random() < 0.2 else [])
        if roll < 0.40:
            known = t.indexes + t.unique
            return ["drop_index", t.name, self.pick(known) if known and r.random() < 0.8 else r.sample(ordered, 1)]
        if roll < 0.55:
            name = "added%d" % r.randint(0, 5)
            words = {"name": name, "type": self.pick(TYPES)}
            if r.random() < 0.5:
                words["default"] = self.value(words["type"], 0.05)
                if r.random() < 0.5:
                    words["null"] = False
            return ["add_column", t.name, words]
        if roll < 0.75:
            return ["describe", t.name]
        if roll < 0.85:
            return ["tables"]
        if roll < 0.90:
            return ["drop_table", t.name] + ([{"if_exists": True}] if r.random() < 0.3 else [])
        return self.schema()[1] if r.random() < 0.5 else ["describe", "no_such_table"]

    def bad_request(self):
        t = self.pick(self.tables)
        return self.pick([
            ["count", "no_such_table"], ["nope", t.name], ["select", t.name, {"nope": 1}], ["delete_where", t.name, {}], ["insert", t.name], ["get", t.name],
            ["update", t.name, 1], ["select", t.name, {"limit": 10**6}], ["select", t.name, {"columns": []}], ["delete_where", t.name, None],
            ["select", t.name, {"where": None}], ["insert", t.name, []], ["insert", t.name, {"id": 1} if t.dirty else {}], ["upsert", t.name, []], ["atomic", []], ["commit"],
            ["rollback"], ["savepoint", "x"], ["update_all", t.name, {}], ["delete", t.name, [1, 2, 3, 4]], ["count", t.name, ["=", t.columns[0].name]],
            ["aggregate", t.name, {"compute": {}}], ["describe", "sqlite_master"], ["count", "_rowd_columns"], ["select", t.name, {"order": ["nope"]}]])

    def next(self):
        """One request: [method, params...]."""
        if len(self.tables) < 3 or (not self.in_tx and len(self.tables) < 6 and self.chance(0.01)):
            if not self.in_tx:
                return self.schema()[1]
        roll = self.r.random()
        if self.in_tx:
            if roll < 0.10:
                return [self.pick(["commit", "commit", "rollback"])]
            if roll < 0.16:
                return ["savepoint", "s%d" % self.r.randint(0, 3)]
            if roll < 0.22 and self.savepoints:
                return [self.pick(["rollback_to", "rollback_to", "release"]), self.pick(self.savepoints)]
        elif roll < 0.04:
            return ["begin"] + ([{"read_only": True}] if self.chance(0.15) else [])
        if 0.22 <= roll < 0.24:
            return self.bad_request()
        if 0.24 <= roll < 0.27:
            return self.schema_request()
        if 0.27 <= roll < 0.32:
            return ["atomic", [self.without_stream(self.data_request()) for _ in range(self.r.randint(1, 4))]]
        if 0.32 <= roll < 0.35:
            return self.preview_request()
        if 0.35 <= roll < 0.40:
            return self.once_request()
        return self.data_request()

    def preview_request(self):
        """What would a delete take along? And that delete, if nothing has changed since."""
        if self.tokens and self.chance(0.5):
            table, filter, token = self.pick(self.tokens[-5:])
            o = {"token": token}
            if self.chance(0.3):
                o["returning"] = self.pick(["keys", "rows"])
            if self.chance(0.2):
                o["cascaded"] = True
            return ["delete_where", table, filter, o]
        t = self.pick(self.tables)
        return ["preview_delete", t.name, self.filter(t)]

    def new_id(self):
        return str(uuid.UUID(int=self.r.getrandbits(128), version=4))

    def once_request(self):
        """A write with an id, one again, another under its id, or the question what became of it."""
        r = self.r
        roll = r.random()
        if self.once and roll < 0.25:
            return self.pick(self.once[-8:])
        if self.once and roll < 0.35:
            return ["outcome", self.pick(self.once[-8:])[-1]["request_id"]]
        if roll < 0.38:
            return ["outcome", self.new_id()]
        if self.in_tx and roll < 0.9:
            one = ["commit", {"request_id": self.new_id()}]
        elif r.random() < 0.3:
            one = ["atomic", [self.without_stream(self.data_request()) for _ in range(r.randint(1, 3))], {"request_id": self.new_id()}]
        else:
            one = self.data_request()
            if one[0] not in WRITES:
                return one
            given = self.pick(self.once[-8:])[-1]["request_id"] if self.once and r.random() < 0.1 else self.new_id()
            if len(one) > WRITES[one[0]]:
                one = one[:-1] + [dict(one[-1], request_id=given)]
            else:
                one = one + [{"request_id": given}]
        self.once.append(one)
        return one

    @staticmethod
    def without_stream(request):
        if request[0] == "select" and isinstance(request[-1], dict):
            request[-1].pop("stream", None)
            request[-1].pop("batch", None)
        return request

    # ---- what became of it ----

    def went(self, request, error, result=None):
        """Told after each request: error is None or the error's name."""
        method = request[0]
        if method == "preview_delete" and error is None:
            self.tokens.append([request[1], request[2], result["token"]])
        if method == "create_table" and error is None:
            self.learn(request)
        elif method == "drop_table" and error is None:
            self.tables = [t for t in self.tables if t.name != request[1]]
        elif method == "add_column" and error is None:
            t = self.named(request[1])
            t.columns.append(Column(request[2]["name"], request[2]["type"], request[2].get("null", True)))
        elif method == "create_index" and error is None:
            t = self.named(request[1])
            (t.unique if len(request) > 3 and request[3].get("unique") else t.indexes).append(request[2])
        elif method == "drop_index" and error is None:
            t = self.named(request[1])
            t.unique = [u for u in t.unique if u != request[2]]
            t.indexes = [u for u in t.indexes if u != request[2]]
        elif method == "begin" and error is None:
            self.in_tx, self.savepoints = True, []
        elif method in ("commit", "rollback"):
            if self.in_tx and (method == "rollback" or error):
                self.soil()
            self.in_tx, self.savepoints = False, []
        elif method == "savepoint" and error is None:
            self.savepoints.append(request[1])
        elif method == "rollback_to":
            self.soil()
        elif method in ("insert", "upsert", "atomic"):
            if error is None and method == "insert":
                t = self.named(request[1])
                if t and t.dirty:
                    t.dirty = False
            elif error is not None:
                self.soil()

    def named(self, name):
        return next((t for t in self.tables if t.name == name), None)

    def soil(self):
        for t in self.tables:
            t.dirty = True

    def learn(self, request):
        """A table made, from the words that made it."""
        name, words = request[1], request[2]
        if self.named(name):
            return
        t = Table(name)
        for c in words["columns"]:
            null = c.get("null", True) and c["name"] not in words["primary_key"]
            t.columns.append(Column(c["name"], c["type"], null, c.get("auto", False)))
        t.key = words["primary_key"]
        t.unique = list(words.get("unique", []))
        t.indexes = list(words.get("indexes", []))
        self.tables.append(t)
