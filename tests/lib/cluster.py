"""A Galera cluster of private MariaDB servers on the loopback, in a temporary directory."""
import os
import pwd
import shutil
import socket
import subprocess
import tempfile

from lib import wire
from lib.daemon import die_with_parent
from lib.servers import KILLABLE, MariaDB, Unavailable

GALERA = ("/usr/lib/galera/libgalera_smm.so", "/usr/lib64/galera-4/libgalera_smm.so")
SERVERS = 3


def free_ports(n):
    taken = [socket.socket() for _ in range(n)]
    for s in taken:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in taken]
    for s in taken:
        s.close()
    return ports


class Node(MariaDB):
    """One server of a cluster. Its port and three of the cluster's own are given."""

    def __init__(self, number, ports, address, provider, new):
        self.number, self.address, self.provider, self.new = number, address, provider, new
        self.port, self.group_port, self.ist_port, self.sst_port = ports
        self.directory = tempfile.mkdtemp(prefix="rowd-node%d-" % number)
        self.data = os.path.join(self.directory, "data")
        self.socket = os.path.join(self.directory, "s.sock")
        self.log_path = os.path.join(self.directory, "server.log")
        self.settings, self.process = list(KILLABLE), None
        if os.getuid() == 0:
            # the copying of a node's files does not work for root
            user = pwd.getpwnam("mysql")
            os.chown(self.directory, user.pw_uid, user.pw_gid)
        os.chmod(self.directory, 0o755)
        if new:
            self.install()
        else:
            self.make_room()

    def make_room(self):
        """What it holds is copied from the others when it joins them."""
        os.mkdir(self.data)
        if os.getuid() == 0:
            shutil.chown(self.data, "mysql", "mysql")

    def common(self):
        line = super().common()
        line.remove("--skip-networking")
        return ["--user=mysql" if word == "--user=root" else word for word in line]

    def install(self):
        line = [self.find("mariadb-install-db", "mysql_install_db"), "--no-defaults", "--datadir=" + self.data,
                "--auth-root-authentication-method=normal", "--skip-test-db", "--tmpdir=" + self.directory]
        if os.getuid() == 0:
            line.append("--user=mysql")
        self.run(line)

    def command(self):
        options = (
            "base_port=%d;gmcast.listen_addr=tcp://127.0.0.1:%d;ist.recv_addr=127.0.0.1:%d;gcache.size=32M;"
            # who is gone is known after 3 s; it would be 5
            "evs.suspect_timeout=PT3S;evs.inactive_timeout=PT8S;evs.keepalive_period=PT0.5S"
            % (self.group_port, self.group_port, self.ist_port))
        return super().command() + [
            "--port=%d" % self.port, "--bind-address=127.0.0.1", "--binlog-format=ROW", "--innodb-autoinc-lock-mode=2",
            "--wsrep-on=ON", "--wsrep-provider=" + self.provider, "--wsrep-cluster-name=rowd",
            "--wsrep-cluster-address=gcomm://" + ("" if self.new else self.address),
            "--wsrep-node-address=127.0.0.1:%d" % self.group_port, "--wsrep-node-name=n%d" % self.number,
            "--wsrep-sst-method=rsync", "--wsrep-sst-receive-address=127.0.0.1:%d" % self.sst_port,
            "--wsrep-provider-options=" + options]

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            preexec_fn=die_with_parent)
        self.new = False
        wire.until(self.ready, "server %d of the cluster" % self.number, 90)

    def status(self, names):
        """{name: value}, or nothing while it cannot be asked."""
        try:
            return dict(self.sql("SHOW STATUS WHERE variable_name IN ('%s')" % "', '".join(names)))
        except AssertionError:
            return {}

    def ready(self):
        return self.accepts() and self.status(["wsrep_ready"]) == {"wsrep_ready": "ON"}

    def isolate(self, on):
        """Cut it off from the others, as a network would that is in pieces."""
        self.sql("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=%d'" % on)


class Cluster:
    def __init__(self):
        provider = next((p for p in GALERA if os.path.exists(p)), None)
        if not provider:
            raise Unavailable("no Galera here; apt-get install galera-4")
        if not shutil.which("rsync"):
            raise Unavailable("no rsync here; apt-get install rsync")
        ports = free_ports(4 * SERVERS)
        address = ",".join("127.0.0.1:%d" % ports[4 * i + 1] for i in range(SERVERS))
        self.nodes = []
        try:
            for i in range(SERVERS):
                self.nodes.append(Node(i + 1, ports[4 * i:4 * i + 4], address, provider, i == 0))
                self.nodes[-1].start()
                if i == 0:
                    self.nodes[0].sql("CREATE USER rowd@'%' IDENTIFIED BY ''; GRANT ALL ON *.* TO rowd@'%'")
        except BaseException:
            self.close()
            raise
        self.databases = 0

    def is_whole(self):
        """Do all servers see all, and has each caught up with them?"""
        due = {"wsrep_cluster_size": str(len(self.nodes)), "wsrep_local_state_comment": "Synced"}
        return all(n.status(due) == due for n in self.nodes)

    def url(self):
        """Of a new database on all of them."""
        self.databases += 1
        name = "test%d" % self.databases
        self.nodes[-1].sql("CREATE DATABASE %s" % name)
        return "mysql://rowd@%s/%s?ssl=off" % (",".join("127.0.0.1:%d" % n.port for n in self.nodes), name), name

    def close(self):
        for n in self.nodes:
            n.close()
