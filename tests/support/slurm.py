"""A Slurm of three nodes on this machine, of an ordinary user's own; nodes can be lost, and there can be accounting.

Beside a Slurm that the machine has, and without root: munge is all that it shares with it.
"""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

from tests.support.cluster import run, wait_for

NODES = ("node1", "node2", "node3")
CONFIG = """
ClusterName=three
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
AuthType=auth/munge
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={directory}/state
SlurmdSpoolDir={directory}/spool/%n
SlurmctldPidFile={directory}/slurmctld.pid
SlurmdPidFile={directory}/%n.pid
SlurmctldLogFile={directory}/slurmctld.log
SlurmdLogFile={directory}/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SlurmdTimeout=10
MinJobAge=600
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
NodeName=node1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=1 RealMemory=4000
NodeName=node2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=1 RealMemory=4000
NodeName=node3 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[3]} CPUs=1 RealMemory=4000
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
ACCOUNTING = """
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={ports[4]}
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=5
AccountingStoreFlags=job_comment
"""
DATABASE = """
AuthType=auth/munge
DbdHost=localhost
DbdPort={ports[4]}
SlurmUser={user}
LogFile={directory}/slurmdbd.log
PidFile={directory}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={ports[5]}
StorageUser={user}
StorageLoc=three
"""


class ThreeNodes:
    """The cluster, as a context: it is there as long as it is open."""

    def __init__(self, directory: Path, accounting: bool) -> None:
        """Write its configuration into a new directory."""
        self.directory, self._accounting = directory, accounting
        for name in ("state", "spool"):
            (directory / name).mkdir(parents=True)
        host = socket.gethostname().split(".")[0]
        self._values = {"host": host, "user": getpass.getuser(), "directory": directory, "ports": free_ports(6)}
        text = CONFIG + (ACCOUNTING if accounting else "AccountingStorageType=accounting_storage/none\n")
        (directory / "slurm.conf").write_text(text.format(**self._values), encoding="utf-8")
        self.environment = {"SLURM_CONF": str(directory / "slurm.conf"), "PATH": self._programs()}
        self._started: dict[str, subprocess.Popen[bytes]] = {}

    def _programs(self) -> str:
        """Return a PATH on which Slurm's programs are those of this cluster; jobs are not told SLURM_CONF."""
        folder = self.directory / "bin"
        folder.mkdir()
        for program in ("sacct", "sacctmgr", "sbatch", "scancel", "scontrol", "sinfo", "squeue", "srun"):
            script = f'#!/bin/sh\nSLURM_CONF={self.directory}/slurm.conf exec {shutil.which(program)} "$@"\n'
            (folder / program).write_text(script, encoding="utf-8")
            (folder / program).chmod(0o755)
        return f"{folder}:{os.environ['PATH']}:/usr/sbin"

    def __enter__(self) -> ThreeNodes:
        """Start its programs, and wait until the nodes are idle."""
        if self._accounting:
            self._start_accounting()
        self._start("slurmctld", "slurmctld", "-D")
        for node in NODES:
            self._start(node, "slurmd", "-D", "-N", node, SLURMD_NODENAME=node)
        self.wait_for_nodes("idle", *NODES)
        return self

    def __exit__(self, *_: object) -> None:
        """End everything that is left of it."""
        for process in reversed(self._started.values()):
            process.terminate()
        for process in self._started.values():
            process.wait()

    def ask(self, *command: str) -> str:
        """Run one of Slurm's commands on this cluster; return what it prints."""
        return run(*command, environment=self.environment)

    def wait_for_nodes(self, state: str, *nodes: str) -> None:
        """Wait until nodes are in a state."""

        def there() -> bool:
            done = subprocess.run(
                ["sinfo", "--noheader", "--Node", "--format", "%N %T"],
                env=os.environ | self.environment, capture_output=True, text=True, check=False,
            )  # fmt: skip
            return {f"{node} {state}" for node in nodes} <= {line.strip("*~ ") for line in done.stdout.splitlines()}

        wait_for(there, f"{state} {nodes}", 120)

    def lose(self, node: str) -> None:
        """Let a node die with all that runs there, at once, as when its power is cut."""
        daemon = self._started.pop(node)
        for number in (signal.SIGSTOP, signal.SIGKILL):  # or what dies last would tell that the others have
            for path in Path("/proc").iterdir():
                if path.name.isdigit() and self._is_of(path, node):
                    with suppress(ProcessLookupError):
                        os.kill(int(path.name), number)
        daemon.wait()

    def _is_of(self, process: Path, node: str) -> bool:
        """Return whether a process is a node's: its daemon, the steps of jobs, the programs of jobs."""
        try:
            variables = (process / "environ").read_bytes()
        except OSError:
            return False
        return f"SLURMD_NODENAME={node}".encode() in variables.split(b"\0") and bytes(self.directory) in variables

    def _start_accounting(self) -> None:
        data, (*_, port) = self.directory / "database", self._values["ports"]
        path = self.directory / "slurmdbd.conf"
        path.touch(0o600)
        path.write_text(DATABASE.format(**self._values), encoding="utf-8")
        self.ask("mariadb-install-db", "--no-defaults", f"--datadir={data}", "--skip-test-db")
        options = ("--bind-address=127.0.0.1", f"--port={port}", "--socket=socket", "--pid-file=pid")
        self._start("mariadbd", "mariadbd", "--no-defaults", f"--datadir={data}", "--skip-grant-tables", *options)
        wait_for(lambda: answers(port), "database", 60)
        self._start("slurmdbd", "slurmdbd", "-D")
        wait_for(lambda: answers(self._values["ports"][4]), "slurmdbd", 60)
        self.ask("sacctmgr", "--immediate", "add", "cluster", "three")

    def _start(self, name: str, program: str, *options: str, **variables: str) -> None:
        with (self.directory / f"{name}.out").open("wb") as output:
            self._started[name] = subprocess.Popen(
                [program, *options], stdout=output, stderr=subprocess.STDOUT, cwd=self.directory,
                env=os.environ | self.environment | variables, start_new_session=True,
            )  # fmt: skip


def free_ports(number: int) -> list[int]:
    """Return ports of this machine that nothing listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    try:
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def answers(port: int) -> bool:
    """Return whether something listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
