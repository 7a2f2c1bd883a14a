"""Who may connect and who may do what: users, modes, roles, grants."""
import contextlib
import os
import shutil
import stat
import tempfile

import pytest

from lib import wire
from lib.daemon import Daemon
from lib.schema import schema

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="becoming other users needs root")

ANN, BOB, EVE = 54321, 54322, 54323
STAFF = 64321


@contextlib.contextmanager
def being(uid, gid=None, groups=()):
    """The kernel tells a server who connected: be someone else while connecting."""
    saved = os.getgroups()
    os.setgroups(list(groups))
    os.setegid(gid if gid is not None else uid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(saved)


def client_of(d, uid, gid=None, groups=()):
    with being(uid, gid, groups):
        return d.client()


@pytest.fixture
def public():
    """Makes daemons whose directory others can enter."""
    made = []

    def make(**kw):
        directory = tempfile.mkdtemp(prefix="rowd-test-")
        os.chmod(directory, 0o755)
        d = Daemon(directory=directory, **kw)
        made.append(d)
        return d.start()
    yield make
    try:
        for d in made:
            d.stop()
    finally:
        for d in made:
            d.kill()
            shutil.rmtree(d.directory, ignore_errors=True)


def test_the_socket_is_for_its_owner_and_group(public):
    d = public()
    assert stat.S_IMODE(os.stat(d.socket).st_mode) == 0o660
    with pytest.raises(PermissionError):
        client_of(d, ANN)


def test_socket_mode_and_group_are_options(public):
    d = public(args=["--socket_mode", "0666", "--socket_group", str(STAFF)])
    s = os.stat(d.socket)
    assert stat.S_IMODE(s.st_mode) == 0o666 and s.st_gid == STAFF


def test_without_a_policy_only_root_and_rowds_own_user_may_anything(public):
    d = public(args=["--socket_mode", "0666"])
    with d.client() as c:
        c.call("create_table", "t", schema({"id": "int"}))
    with client_of(d, ANN) as c:
        c.gives(True, "ping")
        got = c.call("hello")
        assert got["user"] == {"uid": ANN, "gid": ANN, "roles": []}
        me = c.call("whoami")
        assert (me["uid"], me["gid"], me["roles"], me["grants"]) == (ANN, ANN, [], [])
        for call in EVERYTHING_ELSE:
            c.refuses("denied", *call)
        c.gives(True, "ping")


EVERYTHING_ELSE = [
    ["use", "main"], ["databases"], ["tables"], ["describe", "t"], ["count", "t"], ["select", "t"], ["get", "t", 1], ["exists", "t", {"id": 1}],
    ["aggregate", "t", {"compute": {"n": ["count"]}}], ["insert", "t", {"id": 1}], ["upsert", "t", {"id": 1}], ["update", "t", 1, {"id": 1}],
    ["update_where", "t", {"id": 1}, {"id": 1}], ["update_all", "t", {"id": 1}], ["delete", "t", 1], ["delete_where", "t", {"id": 1}], ["delete_all", "t"],
    ["begin"], ["commit"], ["rollback"], ["savepoint", "s"], ["rollback_to", "s"], ["release", "s"], ["atomic", [["count", "t"]]], ["stats"], ["cancel", 1],
    ["create_table", "x", {"columns": [{"name": "id", "type": "int"}], "primary_key": ["id"]}], ["drop_table", "t"], ["create_index", "t", ["id"]],
    ["drop_index", "t", ["id"]], ["add_column", "t", {"name": "a", "type": "int"}], ["count", "no_such_table"]]


CONFIG = """
role reader { uids = {%d} }
role janitor { uids = {%d} }
role staff { gids = {%d} }
role boss { uids = {0} }
grant { role = reader  database = main  tables = {open}  ops = {read} }
grant { role = janitor database = main  tables = {open}  ops = {read, delete}  max_rows = 2 }
grant { role = staff   database = "*"   ops = {"*"} }
deny  { role = staff   database = main  tables = {shut}  ops = {write} }
grant { role = boss    ops = {"*", delete_all, schema, admin} }
""" % (ANN, BOB, STAFF)


@pytest.fixture
def ruled(public):
    d = public(args=["--socket_mode", "0666"], config=CONFIG)
    with d.client() as c:
        for t in ("open", "shut"):
            c.call("create_table", t, schema({"id": "int", "n": "int"}))
            c.call("insert", t, [{"id": i, "n": i} for i in range(5)])
    return d


def test_a_reader_reads_what_it_was_granted_and_no_more(ruled):
    with client_of(ruled, ANN) as c:
        assert c.call("whoami")["roles"] == ["reader"]
        assert c.call("hello")["user"]["roles"] == ["reader"]
        c.gives(5, "count", "open")
        c.gives({"id": 1, "n": 1}, "get", "open", 1)
        c.refuses("denied", "count", "shut")
        c.refuses("denied", "count", "no_such_table")
        for call in (["insert", "open", {"id": 9}], ["upsert", "open", {"id": 1}], ["update", "open", 1, {"n": 0}], ["update_all", "open", {"n": 0}],
                     ["delete", "open", 1], ["delete_where", "open", {"id": 1}], ["delete_all", "open"], ["drop_table", "open"],
                     ["create_index", "open", ["n"]], ["add_column", "open", {"name": "x", "type": "int"}], ["stats"],
                     ["create_table", "mine", schema({"id": "int"})]):
            c.refuses("denied", *call)
        c.gives(5, "count", "open")


def test_a_selection_needs_a_grant_too(ruled):
    with client_of(ruled, ANN) as c:
        c.refuses("denied", "count", "open", ["in", "id", {"select": "id", "from": "shut"}])
        c.refuses("denied", "count", "open", ["exists", {"from": "shut"}])
        c.refuses("denied", "select", "open", {"where": ["not", ["not_exists", {"from": "shut", "where": ["=", "id", ["outer", "id"]]}]]})
    with client_of(ruled, BOB) as c:
        c.refuses("denied", "delete_where", "open", ["in", "id", {"select": "id", "from": "shut"}])
        c.gives(5, "count", "open")


def test_every_op_of_an_atomic_needs_its_grant(ruled):
    with client_of(ruled, ANN) as c:
        c.gives([5], "atomic", [["count", "open"]])
        c.refuses("denied", "atomic", [["count", "open"], ["count", "shut"]], index=1)
        c.refuses("denied", "atomic", [["delete", "open", 1]], index=0)
    with client_of(ruled, BOB) as c:
        c.refuses("denied", "atomic", [["delete", "open", 1], ["insert", "open", {"id": 9}]], index=1)
        c.gives(5, "count", "open")


def test_a_grants_max_rows_caps_deletes(ruled):
    with client_of(ruled, BOB) as c:
        c.refuses("too_many_rows", "delete_where", "open", [">=", "id", 0], matched=5)
        c.refuses("too_many_rows", "delete_where", "open", [">=", "id", 0], {"max_rows": 100}, matched=5)
        c.gives({"deleted": 2}, "delete_where", "open", ["<", "id", 2])
        c.refuses("denied", "delete_all", "open")
        c.gives(3, "count", "open")


def test_groups_count_supplementary_ones_too(ruled):
    for client in (client_of(ruled, EVE, STAFF), client_of(ruled, EVE, EVE, [1, STAFF, 7])):
        with client as c:
            assert c.call("whoami")["roles"] == ["staff"]
            c.gives({"updated": 1}, "update", "open", 1, {"n": 9})
            c.gives(5, "count", "shut")
            c.refuses("denied", "update", "shut", 1, {"n": 9})
            c.gives({"deleted": 0}, "delete", "shut", 77)
            for call in (["delete_all", "open"], ["drop_table", "open"], ["stats"]):
                c.refuses("denied", *call)
    with client_of(ruled, EVE) as c:
        c.refuses("denied", "count", "open")
        assert c.call("whoami")["roles"] == []


def test_the_boss_has_what_is_named_only(ruled):
    with ruled.client() as c:
        assert c.call("whoami")["roles"] == ["boss"]
        c.gives({"deleted": 5}, "delete_all", "shut")
        assert c.call("stats")
        c.gives(True, "drop_table", "shut")


def test_cancel_is_for_ones_own_sessions(ruled):
    with ruled.client() as holder, ruled.client() as victim:
        holder.call("begin")
        holder.call("insert", "open", {"id": 50})
        session = victim.call("hello")["session"]
        waiting = victim.send("insert", "open", {"id": 51})
        with client_of(ruled, ANN) as c:
            r = c.reply(c.send("cancel", waiting, {"session": session}))
            assert r.result is False or r.error[2]["name"] == "denied"
        holder.call("rollback")
        assert victim.result(waiting) == {"inserted": 1}


def test_a_caller_is_who_it_was_when_it_connected(ruled):
    with being(ANN):
        c = ruled.client()
    with c:
        c.refuses("denied", "delete", "open", 1)
        assert c.call("whoami")["uid"] == ANN


def test_sighup_brings_a_new_policy(public):
    import signal
    d = public(args=["--socket_mode", "0666"], config="role boss { uids = {0} }\ngrant { role = boss ops = {\"*\", schema, admin} }\n")
    with d.client() as c:
        c.call("create_table", "t", schema({"id": "int"}))
    with client_of(d, ANN) as c:
        c.refuses("denied", "count", "t")
    with open(os.path.join(d.directory, "rowd.conf"), "a") as f:
        f.write("role reader { uids = {%d} }\ngrant { role = reader ops = {read} }\n" % ANN)
    d.signal(signal.SIGHUP)

    def may():
        with client_of(d, ANN) as c:
            return c.reply(c.send("count", "t")).result == 0
    wire.until(may, "the new policy")
