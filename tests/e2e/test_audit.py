"""The audit trail: one line for every delete."""
import re
import uuid

from lib import wire
from lib.schema import schema


def lines(path):
    with open(path) as f:
        return [dict(re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)', line)) for line in f]


def audited(lone, *args):
    d = lone(args=args)
    c = d.client()
    c.call("create_table", "t", schema({"id": "int", "s": "text(20)"}))
    c.call("insert", "t", [{"id": i, "s": "secret %d" % i} for i in range(20)])
    return d, c


def test_every_delete_leaves_one_line_before_its_answer(lone, tmp_path):
    trail = str(tmp_path / "audit")
    _, c = audited(lone, "--audit-file", trail)
    c.gives({"deleted": 1}, "delete", "t", 1)
    assert len(lines(trail)) == 1
    c.gives({"deleted": 2}, "delete_where", "t", ["and", ["in", "id", [2, 3]], ["like", "s", "secret%"]])
    c.refuses("too_many_rows", "delete_where", "t", [">", "id", 3], {"max_rows": 2})
    c.refuses("empty_filter", "delete_where", "t", {})
    c.gives({"matched": 16}, "delete_where", "t", [">", "id", 0], {"dry_run": True})
    request_id = str(uuid.uuid4())
    c.gives([{"inserted": 1}, {"deleted": 1}], "atomic", [["insert", "t", {"id": 99}], ["delete", "t", 99]],
            {"request_id": request_id})
    c.gives({"deleted": 17}, "delete_all", "t")
    got = lines(trail)
    assert [(x["op"], x["outcome"], x.get("matched"), x.get("deleted")) for x in got] == [
        ("delete", "applied", "1", "1"), ("delete_where", "applied", "2", "2"),
        ("delete_where", "not_applied", "16", "0"), ("delete_where", "not_applied", None, "0"),
        ("delete", "applied", "1", "1"), ("delete_all", "applied", "17", "17")]
    assert all(x["table"] == '"t"' and x["database"] == "main" and x["uid"].isdigit() for x in got)
    assert got[2]["error"] == "too_many_rows"


def test_values_are_shown_only_when_asked_for(lone, tmp_path):
    for flag in (False, True):
        trail = str(tmp_path / ("audit%d" % flag))
        _, c = audited(lone, "--audit-file", trail, *(["--audit-values"] if flag else []))
        c.call("delete_where", "t", ["or", {"s": "secret 5"}, ["between", "id", 7, 8], ["in", "id", [11, 12]]])
        with open(trail) as f:
            text = f.read()
        assert ("secret 5" in text and "[11,12]" in text) == flag
        assert "between" in text


def test_a_transaction_that_deleted_leaves_its_end(lone, tmp_path):
    trail = str(tmp_path / "audit")
    d, c = audited(lone, "--audit-file", trail)
    for end in ("rollback", "commit"):
        c.call("begin")
        c.call("delete", "t", 1)
        c.call(end)
    with d.client() as gone:
        gone.call("begin")
        gone.call("delete", "t", 2)
    wire.until(lambda: len(lines(trail)) == 6)
    assert [(x["op"], x["outcome"]) for x in lines(trail)] == [
        ("delete", "in_transaction"), ("rollback", "not_applied"), ("delete", "in_transaction"),
        ("commit", "applied"), ("delete", "in_transaction"), ("rollback", "not_applied")]


def test_required_means_no_delete_without_a_line(lone, tmp_path):
    _, c = audited(lone, "--audit-file", "/dev/full", "--audit", "required")
    for method, params in (("delete", [1]), ("delete_where", [{"id": 2}]), ("delete_all", [])):
        c.refuses("no_resource", method, "t", *params)
    c.gives(20, "count", "t")
    c.gives({"updated": 1}, "update", "t", 1, {"s": "still"})


def test_required_writes_what_is_begun(lone, tmp_path):
    trail = str(tmp_path / "audit")
    _, c = audited(lone, "--audit-file", trail, "--audit", "required")
    c.gives({"deleted": 1}, "delete", "t", 1)
    assert [x["outcome"] for x in lines(trail)] == ["begun", "applied"]
    c.gives({"matched": 1}, "delete_where", "t", {"id": 2}, {"dry_run": True})
    c.gives([{"inserted": 1}], "atomic", [["insert", "t", {"id": 50}]])
    assert len(lines(trail)) == 2, "what deletes nothing has no line"
    c.gives([{"deleted": 1}], "atomic", [["delete", "t", 50]])
    assert [x["outcome"] for x in lines(trail)[2:]] == ["begun", "applied"]
