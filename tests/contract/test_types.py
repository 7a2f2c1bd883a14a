"""Every type at its edges: what goes in comes out, byte for byte, and nothing is ever coerced."""
import msgpack
import pytest

from lib.wire import Ext, Timestamp, pack, time_of

INT_MAX, INT_MIN = 2**63 - 1, -2**63
NAN, INF = float("nan"), float("inf")

# type, what is sent, what comes back (the same unless given)
ACCEPTED = [("int", v) for v in (
    0, 1, -1, 31, -32, -33, 127, 128, -128, -129, 255, 256, 32767, 32768, -32768, -32769, 65535, 65536,
    2**31 - 1, 2**31, -2**31, -2**31 - 1, 2**32 - 1, 2**32, 2**53, 2**53 + 1, -2**53 - 1, INT_MAX, INT_MIN)]
ACCEPTED += [("bool", True), ("bool", False)]
ACCEPTED += [("float", v) for v in (
    0.0, 1.0, -1.0, 1.5, 0.1, 1 / 3, 0.1 + 0.2, 5e-324, -5e-324, 2.2250738585072014e-308,
    1.7976931348623157e308, -1.7976931348623157e308, 1e15, 1e16, 1e22, 123456789.0, 2.0**53, 2.0**53 + 2,
    2.0**63, -2.0**63, 1e100)]
ACCEPTED += [("float", -0.0, 0.0)]
ACCEPTED += [
    ("decimal(10,2)", "0.00"), ("decimal(10,2)", "0", "0.00"), ("decimal(10,2)", "-0.00", "0.00"),
    ("decimal(10,2)", "-0", "0.00"), ("decimal(10,2)", "1", "1.00"), ("decimal(10,2)", "-1.5", "-1.50"),
    ("decimal(10,2)", "0.01"), ("decimal(10,2)", "-0.01"), ("decimal(10,2)", "99999999.99"),
    ("decimal(10,2)", "-99999999.99"), ("decimal(18,0)", "999999999999999999"),
    ("decimal(18,0)", "-999999999999999999"), ("decimal(18,18)", "0.999999999999999999"),
    ("decimal(18,18)", "-0.000000000000000001"), ("decimal(1,0)", "9"), ("decimal(1,1)", "-0.9"),
    ("decimal(18,4)", "12345678901234.5678"), ("decimal(18,4)", "5", "5.0000"),
]
NASTY = ["", "a", "A", " ", "a ", " a", "a  ", "\t", "\n", "\x01", "\x1f", "\x7f", "\x80", "é", "e\u0301",
         "ß", "İ", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufeff", "\uffff", "\U00010000", "😀",
         "\U0010ffff", "'", '"', "`", "\\", "%", "_", "';--", "\\0", "\r\n", "0", "NULL", "null", "\u202e"]
ACCEPTED += [("text(20)", v) for v in NASTY + ["x" * 20, "é" * 20, "😀" * 20, " " * 20]]
ACCEPTED += [("text(1)", "😀"), ("text(255)", "😀" * 255), ("text(768)", "\U0010ffff" * 768)]
ACCEPTED += [("text", v) for v in NASTY + ["x" * 70000, "😀" * 20000]]
BYTES = [b"", b"\0", b"\0\0", b"a", b"a ", b"a\0", b"\xff", b"\xff\xfe", b"\x80", bytes(range(8)), b"\xc3\x28",
         b"\0" * 8, b"'\"\\;-- "]
ACCEPTED += [("bytes(8)", v) for v in BYTES] + [("bytes", v) for v in BYTES]
ACCEPTED += [("bytes(256)", bytes(range(256))), ("bytes", bytes(range(256)) * 300)]
ACCEPTED += [("time", v) for v in (
    time_of(1970), time_of(1970, 1, 1, 0, 0, 0, 1), Timestamp(-1, 999999000), Timestamp(-1, 0),
    time_of(1, 1, 1), time_of(9999, 12, 31, 23, 59, 59, 999999), time_of(1582, 10, 10),
    time_of(1900, 2, 28, 23, 59, 59), time_of(2000, 2, 29), time_of(2024, 2, 29, 12, 34, 56, 789000),
    time_of(2038, 1, 19, 3, 14, 8), time_of(2106, 2, 7, 6, 28, 16), time_of(2514, 5, 30, 1, 53, 4),
    time_of(999, 12, 31), time_of(2024, 3, 31, 2, 30), Timestamp(2**32 - 1, 0), Timestamp(2**32, 1000),
    Timestamp(2**34 - 1, 999999000), Timestamp(2**34, 0))]
ACCEPTED += [
    ("time", "1970-01-01T00:00:00Z", time_of(1970)),
    ("time", "2024-02-29T12:34:56Z", time_of(2024, 2, 29, 12, 34, 56)),
    ("time", "2024-02-29T12:34:56.5Z", time_of(2024, 2, 29, 12, 34, 56, 500000)),
    ("time", "2024-02-29T12:34:56.000001Z", time_of(2024, 2, 29, 12, 34, 56, 1)),
    ("time", "2024-02-29T12:34:56.123456+05:30", time_of(2024, 2, 29, 7, 4, 56, 123456)),
    ("time", "2024-01-01T00:00:00+23:59", time_of(2023, 12, 31, 0, 1)),
    ("time", "2024-01-01T00:00:00-00:00", time_of(2024)),
    ("time", "0001-01-01T00:00:00Z", time_of(1)),
    ("time", "9999-12-31T23:59:59.999999Z", time_of(9999, 12, 31, 23, 59, 59, 999999)),
]


def cases(rows):
    return [pytest.param(*r, id="%s-%d" % (r[0], i)) for i, r in enumerate(rows)]


@pytest.mark.parametrize("case", [pytest.param(r, id="%s-%d" % (r[0], i)) for i, r in enumerate(ACCEPTED)])
def test_a_value_comes_back_as_it_went_in(db, table, case):
    kind, sent, back = case if len(case) == 3 else (*case, case[1])
    t = table({"id": "int", "v": kind})
    db.gives({"inserted": 1}, "insert", t, {"id": 1, "v": sent})
    db.gives({"id": 1, "v": back}, "get", t, 1)
    db.gives({"columns": ["v"], "rows": [[back]], "more": False}, "select", t, {"columns": ["v"]})
    db.gives(1, "count", t, {"v": sent})
    db.gives(1, "count", t, ["is", "v", sent])
    db.gives(0, "count", t, ["!=", "v", sent])
    db.gives(1, "count", t, ["in", "v", [sent]])


@pytest.mark.parametrize("case", [pytest.param(r, id="%s-%d" % (r[0], i)) for i, r in enumerate(
    (k, v) for k, v in [
        ("int", -2**40), ("int", 7), ("bool", False), ("float", 0.1), ("decimal(6,3)", "-1.250"),
        ("text(5)", "a "), ("text(5)", "\x01"), ("bytes(5)", b"\0"), ("bytes(5)", b"a\0"), ("bytes(5)", b""),
        ("text(5)", ""), ("time", time_of(1)), ("time", time_of(2024, 1, 2, 3, 4, 5, 6))])])
def test_a_value_can_be_a_key(db, table, case):
    kind, value = case
    t = table({"k": kind, "n": "int"}, key=["k"])
    db.gives({"inserted": 1}, "insert", t, {"k": value, "n": 5})
    db.gives({"k": value, "n": 5}, "get", t, value)
    db.refuses("conflict", "insert", t, {"k": value, "n": 6})
    db.gives({"inserted": 0, "updated": 1}, "upsert", t, {"k": value, "n": 7})
    db.gives({"updated": 1}, "update", t, value, {"n": 8})
    db.gives({"deleted": 1}, "delete", t, value)
    db.gives(None, "get", t, value)


ALL_TYPES = ["int", "bool", "float", "decimal(10,2)", "text(20)", "text", "bytes(8)", "bytes", "time"]
SAMPLE = {"int": 5, "bool": True, "float": 1.5, "decimal(10,2)": "1.50", "text(20)": "abc", "text": "abc",
          "bytes(8)": b"abc", "bytes": b"abc", "time": time_of(2024)}


@pytest.mark.parametrize("kind", ALL_TYPES)
def test_null_is_a_value_of_every_type(db, table, kind):
    t = table({"id": "int", "v": kind})
    db.gives({"inserted": 2}, "insert", t, [{"id": 1, "v": None}, {"id": 2}])
    db.gives({"columns": ["id", "v"], "rows": [[1, None], [2, None]], "more": False}, "select", t)
    db.gives(2, "count", t, {"v": None})
    db.gives(2, "count", t, ["is", "v", None])
    db.gives(0, "count", t, ["is_not", "v", None])
    db.gives(2, "count", t, ["is_not", "v", SAMPLE[kind]])
    db.gives(0, "count", t, ["!=", "v", SAMPLE[kind]])


@pytest.mark.parametrize("kind", ALL_TYPES)
def test_null_is_refused_where_the_column_says_so(db, table, kind):
    t = table({"id": "int", "v": kind + "!"})
    db.refuses("null_not_allowed", "insert", t, {"id": 1, "v": None}, column="v")
    db.refuses("null_not_allowed", "insert", t, {"id": 1}, column="v")
    db.gives(0, "count", t)
    db.call("insert", t, {"id": 1, "v": SAMPLE[kind]})
    db.refuses("null_not_allowed", "update", t, 1, {"v": None}, column="v")
    db.gives({"id": 1, "v": SAMPLE[kind]}, "get", t, 1)


# What belongs to no column of the kind. float takes no str, no bool; and so on.
WRONG = {
    "int": [1.0, 5.5, "5", "", b"5", True, False, [1], {"a": 1}, time_of(2024), Ext(5, b"x")],
    "bool": [0, 1, 1.0, "true", b"1", [True], {}, Ext(5, b"")],
    "float": ["1.5", "", b"1.5", True, [1.5], {"x": 1.5}, time_of(2024), Ext(5, b"x")],
    "decimal(10,2)": [1, 1.5, True, b"1.50", "", " ", "abc", "1e2", "1.5 ", " 1.5", "--1", "1.2.3", "0x10",
                      "NaN", "Infinity", "1,5", "-", ".", ["1.50"], Ext(5, b"x")],
    "text(20)": [5, 1.5, True, b"abc", ["a"], {"a": "b"}, time_of(2024), Ext(5, b"x")],
    "bytes(8)": [5, 1.5, True, "abc", [b"a"], {}, time_of(2024), Ext(5, b"x")],
    "time": [0, 1.5, True, b"2024-01-01T00:00:00Z", "", "now", "2024-01-01", "12:00:00", "2024-01-01T00:00:00",
             "2024-1-1T00:00:00Z", "20240101T000000Z", "2024-01-01T00:00:00Zx", "-001-01-01T00:00:00Z",
             "2024-01-01T00:00:00.Z", "2024-01-01T00:00Z", Ext(5, b"x"), [1]],
}
WRONG["text"] = WRONG["text(20)"]
WRONG["bytes"] = WRONG["bytes(8)"]


@pytest.mark.parametrize("kind", ALL_TYPES)
def test_nothing_is_ever_coerced(db, table, kind):
    t = table({"id": "int", "v": kind})
    db.call("insert", t, {"id": 1, "v": SAMPLE[kind]})
    for wrong in WRONG[kind]:
        db.refuses("type_mismatch", "insert", t, {"id": 2, "v": wrong}, column="v")
        db.refuses("type_mismatch", "upsert", t, {"id": 1, "v": wrong}, column="v")
        db.refuses("type_mismatch", "update", t, 1, {"v": wrong} if not isinstance(wrong, list) else {"v": {"a": wrong}},
                   column="v")
    db.gives({"columns": ["id", "v"], "rows": [[1, SAMPLE[kind]]], "more": False}, "select", t)


@pytest.mark.parametrize("kind", ALL_TYPES)
def test_nothing_is_ever_coerced_in_filters_either(db, table, kind):
    t = table({"id": "int", "v": kind}, rows=[(1, SAMPLE[kind])])
    for wrong in WRONG[kind]:
        if isinstance(wrong, (list, dict)):
            continue
        db.refuses("type_mismatch", "count", t, {"v": wrong}, column="v")
        for op in ("=", "!=", "<", "<=", ">", ">=", "is", "is_not"):
            db.refuses("type_mismatch", "count", t, [op, "v", wrong], column="v")
        db.refuses("type_mismatch", "delete_where", t, ["in", "v", [SAMPLE[kind], wrong]], column="v")
        db.refuses("type_mismatch", "delete_where", t, ["not_in", "v", [wrong]], column="v")
        db.refuses("type_mismatch", "count", t, ["between", "v", SAMPLE[kind], wrong], column="v")
        db.refuses("type_mismatch", "count", t, ["between", "v", wrong, SAMPLE[kind]], column="v")
    db.gives(1, "count", t)


OUT_OF_RANGE = [("int", v) for v in (2**63, 2**64 - 1)]
OUT_OF_RANGE += [("float", v) for v in (NAN, INF, -INF)]
OUT_OF_RANGE += [("decimal(10,2)", v) for v in (
    "100000000", "100000000.00", "-100000000.00", "1.234", "0.001", "9" * 19, "9" * 400)]
OUT_OF_RANGE += [("decimal(18,18)", "1"), ("decimal(1,0)", "10"), ("decimal(1,0)", "0.1")]
OUT_OF_RANGE += [("time", v) for v in (
    Timestamp(time_of(1).seconds - 1, 999999000), Timestamp(time_of(9999, 12, 31, 23, 59, 59).seconds + 1, 0),
    Timestamp(0, 1), Timestamp(0, 999), Timestamp(5, 1500), Timestamp(2**63 - 1, 0), Timestamp(-2**63, 0),
    "9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+00:01", "2024-01-01T00:00:00.1234567Z")]


@pytest.mark.parametrize("kind,value", [pytest.param(*r, id="%s-%d" % (r[0], i))
                                        for i, r in enumerate(OUT_OF_RANGE)])
def test_what_no_column_can_hold_is_out_of_range(db, table, kind, value):
    t = table({"id": "int", "v": kind}, rows=[(1, SAMPLE.get(kind))])
    db.refuses("out_of_range", "insert", t, {"id": 2, "v": value}, column="v")
    db.refuses("out_of_range", "update", t, 1, {"v": value}, column="v")
    db.refuses("out_of_range", "count", t, {"v": value}, column="v")
    db.refuses("out_of_range", "count", t, ["in", "v", [value]], column="v")
    db.gives(1, "count", t)


@pytest.mark.parametrize("value", [
    "2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z", "2024-01-32T00:00:00Z",
    "2024-01-00T00:00:00Z", "2024-01-01T25:00:00Z", "2024-01-01T00:60:00Z", "2024-01-01T00:00:61Z",
    "2024-01-01T00:00:00+24:00", "2024-01-01T00:00:00+00:60", "1900-02-29T00:00:00Z", "0000-01-01T00:00:00Z"])
def test_a_day_or_hour_that_does_not_exist_is_refused(db, table, value):
    t = table({"id": "int", "v": "time"})
    db.refuses(("type_mismatch", "out_of_range"), "insert", t, {"id": 1, "v": value}, column="v")
    db.gives(0, "count", t)


@pytest.mark.parametrize("kind,value", [
    ("text(3)", "abcd"), ("text(3)", "abc "), ("text(3)", "😀😀😀😀"), ("text(1)", "e\u0301"),
    ("text(20)", " " * 21), ("bytes(3)", b"abcd"), ("bytes(3)", b"\0\0\0\0"), ("bytes(8)", b"x" * 100000)])
def test_longer_than_the_column_is_too_long(db, table, kind, value):
    t = table({"id": "int", "v": kind}, rows=[(1, None)])
    db.refuses("too_long", "insert", t, {"id": 2, "v": value}, column="v")
    db.refuses("too_long", "upsert", t, {"id": 1, "v": value}, column="v")
    db.refuses("too_long", "update", t, 1, {"v": value}, column="v")
    db.refuses("too_long", "update_all", t, {"v": value}, column="v")
    db.gives({"columns": ["id", "v"], "rows": [[1, None]], "more": False}, "select", t)


BAD_UTF8 = [b"\xff", b"\xfe", b"\x80", b"\xbf", b"a\x80", b"\xc3", b"\xc3(", b"\xc0\x80", b"\xc0\xaf", b"\xc1\xbf",
            b"\xe0\x80\x80", b"\xe0\x9f\xbf", b"\xe2\x82", b"\xed\xa0\x80", b"\xed\xbf\xbf",
            b"\xed\xa0\xbd\xed\xb8\x80", b"\xf0\x80\x80\x80", b"\xf0\x8f\xbf\xbf", b"\xf0\x9f\x98",
            b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xf8\x88\x80\x80\x80", b"abc\xe9", b"\0", b"a\0b", b"a\0"]


def send_with_raw_text(c, method, *params):
    """bytes are sent as MessagePack str, whatever they hold."""
    msgid = c.next_msgid
    c.next_msgid += 1
    c.send_raw(msgpack.packb([0, msgid, method, list(params)], use_bin_type=False))
    return msgid


@pytest.mark.parametrize("kind", ["text(20)", "text"])
def test_text_is_strict_utf8_without_nul(db, table, kind):
    t = table({"id": "int", "v": kind})
    for bad in BAD_UTF8:
        db.refused("invalid_text", send_with_raw_text(db, "insert", t, {"id": 1, "v": bad}), bad, column="v")
        db.refused("invalid_text", send_with_raw_text(db, "count", t, {"v": bad}), bad)
        db.refused("invalid_text", send_with_raw_text(db, "count", t, ["prefix", "v", bad]), bad)
        db.refused("invalid_text", send_with_raw_text(db, "count", t, ["in", "v", ["x", bad]]), bad)
    db.gives(0, "count", t)


def test_integers_are_accepted_in_any_width(db, table):
    t = table({"id": "int", "v": "int"})
    forms = [b"\x05", b"\xcc\x05", b"\xcd\x00\x05", b"\xce\x00\x00\x00\x05", b"\xcf" + b"\0" * 7 + b"\x05",
             b"\xd0\x05", b"\xd1\x00\x05", b"\xd2\x00\x00\x00\x05", b"\xd3" + b"\0" * 7 + b"\x05"]
    for i, form in enumerate(forms):
        row = b"\x82" + pack("id") + pack(i) + pack("v") + form
        db.send_raw(b"\x94\x00" + pack(1000 + i) + pack("insert") + b"\x92" + pack(t) + row)
        assert db.result(1000 + i) == {"inserted": 1}
    db.gives(len(forms), "count", t, {"v": 5})


def test_a_float32_is_widened_exactly(db, table):
    t = table({"id": "int", "v": "float"})
    for i, (form, wide) in enumerate([(b"\xca\x3d\xcc\xcc\xcd", 0.10000000149011612),
                                      (b"\xca\x3f\xc0\x00\x00", 1.5), (b"\xca\x80\x00\x00\x00", 0.0),
                                      (b"\xca\x00\x00\x00\x01", 1.401298464324817e-45)]):
        db.send_raw(b"\x94\x00" + pack(2000 + i) + pack("insert") + b"\x92" + pack(t)
                    + b"\x82" + pack("id") + pack(i) + pack("v") + form)
        assert db.result(2000 + i) == {"inserted": 1}
        db.gives({"id": i, "v": wide}, "get", t, i)
    for i, form in enumerate([b"\xca\x7f\x80\x00\x00", b"\xca\x7f\xc0\x00\x00"]):
        db.send_raw(b"\x94\x00" + pack(2100 + i) + pack("insert") + b"\x92" + pack(t)
                    + b"\x82" + pack("id") + pack(50 + i) + pack("v") + form)
        db.refused("out_of_range", 2100 + i, column="v")


def test_a_timestamp_is_accepted_in_every_form(db, table):
    t = table({"id": "int", "v": "time"})
    second = (5).to_bytes(4, "big")
    forms = [b"\xd6\xff" + second, b"\xd7\xff" + (5).to_bytes(8, "big"),
             b"\xc7\x0c\xff" + b"\0" * 4 + (5).to_bytes(8, "big")]
    for i, form in enumerate(forms):
        db.send_raw(b"\x94\x00" + pack(3000 + i) + pack("insert") + b"\x92" + pack(t)
                    + b"\x82" + pack("id") + pack(i) + pack("v") + form)
        assert db.result(3000 + i) == {"inserted": 1}
    db.gives(3, "count", t, {"v": Timestamp(5, 0)})
    too_many_nanoseconds = b"\xd7\xff" + ((10**9 << 34) | 5).to_bytes(8, "big")
    db.send_raw(b"\x94\x00" + pack(3100) + pack("insert") + b"\x92" + pack(t)
                + b"\x82" + pack("id") + pack(9) + pack("v") + too_many_nanoseconds)
    db.refused(("type_mismatch", "out_of_range"), 3100, column="v")
    for i, form in enumerate([b"\xd4\xff\x05", b"\xd5\xff\0\5", b"\xd8\xff" + b"\0" * 16, b"\xc7\x00\xff", b"\xc7\x0b\xff" + b"\0" * 11]):
        db.send_raw(b"\x94\x00" + pack(3200 + i) + pack("insert") + b"\x92" + pack(t)
                    + b"\x82" + pack("id") + pack(9) + pack("v") + form)
        db.refused("type_mismatch", 3200 + i, column="v")


def test_distinct_texts_stay_distinct_keys(db, table):
    t = table({"k": "text(8)"}, key=["k"])
    keys = [k for k in NASTY if len(k) <= 8]
    db.gives({"inserted": len(keys)}, "insert", t, [{"k": k} for k in keys])
    ordered = sorted(keys, key=lambda k: k.encode())
    db.gives({"columns": ["k"], "rows": [[k] for k in ordered], "more": False}, "select", t)
    for k in keys:
        db.gives({"k": k}, "get", t, k)


def test_distinct_bytes_stay_distinct_keys(db, table):
    t = table({"k": "bytes(8)"}, key=["k"])
    db.gives({"inserted": len(BYTES)}, "insert", t, [{"k": k} for k in BYTES])
    db.gives({"columns": ["k"], "rows": [[k] for k in sorted(BYTES)], "more": False}, "select", t)


def test_long_texts_are_ordered_by_their_last_character_too(db, table):
    t = table({"id": "int", "v": "text(700)", "b": "bytes(2800)"})
    rows = []
    for i in range(40):
        tail = "%02d" % ((i * 17) % 40)
        rows.append({"id": i, "v": "é" * 690 + tail, "b": b"\xc3" * 2790 + tail.encode()})
    db.call("insert", t, rows)
    by_v = [r["id"] for r in sorted(rows, key=lambda r: r["v"])]
    for column in ("v", "b"):
        db.gives({"columns": ["id"], "rows": [[i] for i in by_v], "more": False},
                 "select", t, {"columns": ["id"], "order": [column]})
        db.gives({"columns": ["id"], "rows": [[i] for i in by_v[:7]], "more": True},
                 "select", t, {"columns": ["id"], "order": [column], "limit": 7})


def test_numbers_are_compared_exactly(db, table):
    t = table({"id": "int", "i": "int", "d": "decimal(18,2)"},
              rows=[(1, 2**53, "9007199254740992.00"), (2, 2**53 + 1, "9007199254740993.00"),
                    (3, 2**63 - 1, "-9007199254740993.01"), (4, -2**63, "0.01")])
    db.gives(1, "count", t, {"i": 2**53 + 1})
    db.gives(3, "count", t, [">=", "i", 2**53])
    db.gives(2, "count", t, [">", "i", 2**53])
    db.gives(1, "count", t, {"d": "9007199254740993"})
    db.gives(1, "count", t, [">", "d", "9007199254740992"])
    db.gives(1, "count", t, ["<", "d", "-9007199254740993"])


def test_a_value_of_8_mib_is_the_largest(db, table):
    t = table({"id": "int", "v": "bytes", "s": "text"})
    largest = b"\xab" * (8 << 20)
    db.gives({"inserted": 1}, "insert", t, {"id": 1, "v": largest})
    db.gives({"id": 1, "v": largest, "s": None}, "get", t, 1)
    db.refuses("limit", "insert", t, {"id": 2, "v": largest + b"x"}, column="v")
    db.refuses("limit", "insert", t, {"id": 2, "s": "x" * ((8 << 20) + 1)}, column="s")
    db.gives({"inserted": 1}, "insert", t, {"id": 3, "s": "x" * (8 << 20)})
    db.gives(2, "count", t)


@pytest.mark.parametrize("indexed", [False, True])
def test_the_last_moment_of_time_is_found(db, table, indexed):
    last = time_of(9999, 12, 31, 23, 59, 59, 999999)
    t = table({"id": "int", "w": "time"}, rows=[(1, last), (2, time_of(9999, 12, 31, 23, 59, 59, 500000)), (3, time_of(1)), (4, None)],
              indexes=[["w"]] if indexed else [])
    for filter in ({"w": last}, ["=", "w", last], [">=", "w", last], ["in", "w", [last]], ["between", "w", last, last], ["is", "w", last]):
        db.gives(1, "count", t, filter)
        db.gives(4, "count", t, ["exists", {"from": t, "where": filter}])
        db.gives({"matched": 1}, "delete_where", t, filter, {"dry_run": True})
    db.gives({"deleted": 4}, "delete_where", t, ["exists", {"from": t, "where": {"w": last}}])
