"""Processes: found by their exact command line, never by a remembered number.

A process id outlives its process and is used again; an absolute path among the arguments does not lie. Zombies have
no command line, so that a killed process whose parent never collects it counts as dead.
"""

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Optional

from .trouble import Trouble


def find(*arguments: str) -> Optional[int]:
    """The id of the running process whose command line holds these arguments in a row.

    A child that has just been forked bears its parent's command line, and a lower number once the numbers have wrapped:
    it is the parent that is meant.
    """
    wanted = b"\0" + b"\0".join(os.fsencode(a) for a in arguments) + b"\0"
    found = {int(entry.name): _parent(entry) for entry in Path("/proc").iterdir()
             if entry.name.isdigit() and wanted in b"\0" + _command_line(entry)}
    return next((pid for pid, parent in found.items() if parent not in found), None)


def spawn(command: list, log: Path, account: Optional[tuple] = None, cwd: Optional[Path] = None) -> subprocess.Popen:
    """Starts a process in a session of its own, its output appended to `log`; `account` is (user id, group id)."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab") as output:
        return subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True, cwd=cwd, **as_account(account))


def as_account(account: Optional[tuple]) -> dict:
    """The arguments of `subprocess` that run a command under another account."""
    if account is None:
        return {}
    user, group = account
    return {"user": user, "group": group, "extra_groups": []}


def send(pid: int, signal_name: str) -> None:
    """Sends a signal by name (KILL, TERM, STOP …); a process that has just gone is not an error."""
    number = getattr(signal, "SIG" + signal_name.upper().removeprefix("SIG"), None)
    if number is None:
        raise Trouble(f"there is no signal {signal_name}; try KILL, TERM, INT, STOP or CONT")
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def wait_gone(pid: int, seconds: float) -> bool:
    """Waits until the process has ended; false when it is still there after `seconds`."""
    deadline = time.monotonic() + seconds
    while _command_line(Path(f"/proc/{pid}")):
        if time.monotonic() > deadline:
            return False
        _collect(pid)
        time.sleep(0.02)
    return True


def end(pid: int, signal_name: str, patience: float) -> None:
    """Ends a process in order, and by force when it does not leave within `patience` seconds."""
    send(pid, signal_name)
    send(pid, "CONT")
    if not wait_gone(pid, patience):
        send(pid, "KILL")
        wait_gone(pid, 10)


def _command_line(entry: Path) -> bytes:
    try:
        return (entry / "cmdline").read_bytes()
    except OSError:
        return b""


def _parent(entry: Path) -> Optional[int]:
    try:
        # The name, in parentheses, may hold anything; after it come the state and the parent.
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def _collect(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass
