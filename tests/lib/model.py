"""What a filter means, in a few lines of Python: SQL's three-valued logic, None for unknown."""
import re

from lib.wire import Timestamp


def order_key(v):
    """Text compares by code point, which is the order of its UTF-8 bytes; false before true."""
    if isinstance(v, str):
        return v.encode()
    if isinstance(v, Timestamp):
        return (v.seconds, v.nanoseconds)
    return v


def like(pattern, text):
    out, escaped = "", False
    for c in pattern:
        if escaped:
            out, escaped = out + re.escape(c), False
        elif c == "\\":
            escaped = True
        else:
            out += {"%": ".*", "_": "."}.get(c) or re.escape(c)
    return re.fullmatch(out, text, re.S) is not None


COMPARE = {
    "=": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}
MATCH = {
    "like": lambda a, b: like(b, a), "prefix": lambda a, b: a.startswith(b),
    "suffix": lambda a, b: a.endswith(b), "contains": lambda a, b: b in a,
}


def operand(row, v):
    if isinstance(v, list) and len(v) == 2 and v[0] == "col":
        return row[v[1]]
    return v


def negate(v):
    return None if v is None else not v


def holds(f, row):
    """True, False or None for a row (a dict). Decimals of one scale compare as given: pass them as
    numbers in row and filter alike."""
    if isinstance(f, dict):
        return holds(["and"] + [["is_null", k] if v is None else ["=", k, v] for k, v in f.items()], row)
    op = f[0]
    if op == "not":
        return negate(holds(f[1], row))
    if op in ("and", "or"):
        got = [holds(g, row) for g in f[1:]]
        if (op == "or") in got:
            return op == "or"
        return None if None in got else op == "and"
    left = row[f[1]]
    if op == "is_null":
        return left is None
    if op == "not_null":
        return left is not None
    if op in ("in", "not_in"):
        if not f[2]:
            return op == "not_in"
        if left is None:
            return None
        return (left in f[2]) == (op == "in")
    if op == "between":
        return holds(["and", [">=", f[1], f[2]], ["<=", f[1], f[3]]], row)
    right = operand(row, f[2])
    if op == "is":
        return left == right
    if op == "is_not":
        return left != right
    if left is None or right is None:
        return None
    if op in MATCH:
        return MATCH[op](left, right)
    return COMPARE[op](order_key(left), order_key(right))
