"""A Slurm of two nodes on this machine's loopback: a controller and two node daemons.

Everything of it lies in one folder and ends with the context. It has no authentication between its
daemons, so nothing of it may listen beyond loopback.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time

DAEMONS = ("slurmctld", "slurmd")

# More processors than there are, so that no job waits for those of another.
_CONFIG = """
ClusterName=rig
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={controller}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/none
CredType=cred/none
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
TmpFS={folder}/tmp-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
InactiveLimit=0
KillWait=2
NodeName=n1 NodeHostname=localhost NodeAddr=127.0.0.1 Port={first} CPUs=64 State=UNKNOWN
NodeName=n2 NodeHostname=localhost NodeAddr=127.0.0.1 Port={second} CPUs=64 State=UNKNOWN
PartitionName=all Nodes=n1,n2 Default=YES OverSubscribe=FORCE MaxTime=INFINITE State=UP
"""


def missing():
    """The programs that the rig needs and this machine lacks."""
    return [name for name in (*DAEMONS, "srun") if _which(name) is None]


def _which(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


@contextlib.contextmanager
def slurm(folder):
    """Runs it; gives the variables of the environment with which `srun` finds it."""
    controller, first, second = _free_ports(3)
    for name in ("state", "spool-n1", "spool-n2", "tmp-n1", "tmp-n2"):
        (folder / name).mkdir()
    config = folder / "slurm.conf"
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    config.write_text(
        _CONFIG.format(folder=folder, user=user, controller=controller, first=first, second=second)
    )
    environ = {"SLURM_CONF": str(config)}
    processes = []
    try:
        for words in (
            ["slurmctld", "-D"],
            ["slurmd", "-D", "-N", "n1"],
            ["slurmd", "-D", "-N", "n2"],
        ):
            processes.append(
                subprocess.Popen(
                    [_which(words[0]), *words[1:]],
                    env={**os.environ, **environ},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
        _wait_for_nodes(environ, folder)
        yield environ
    finally:
        for process in reversed(processes):
            process.send_signal(signal.SIGTERM)
        for process in processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for_nodes(environ, folder):
    end = time.monotonic() + 60
    state = ""
    while time.monotonic() < end:
        done = subprocess.run(
            ["sinfo", "-h", "-o", "%D %T"],
            env={**os.environ, **environ},
            capture_output=True,
            text=True,
            timeout=30,
        )
        state = done.stdout.strip() or done.stderr.strip()
        if state == "2 idle":
            return
        time.sleep(0.2)
    logs = "\n".join(path.read_text()[-2000:] for path in folder.glob("*.log"))
    raise RuntimeError(f"the nodes of Slurm did not come up: {state}\n{logs}")


def _free_ports(count):
    """Ports that are free now; Slurm cannot take sockets that are open already."""
    with contextlib.ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)
        ]
        return [s.getsockname()[1] for s in sockets]
