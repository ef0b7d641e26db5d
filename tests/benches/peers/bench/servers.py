"""The broker and the database that all contestants share, one after the other, and the load's own program."""

import json
import os
import subprocess
from pathlib import Path

from .settings import ROOT, Trouble

STACK = ROOT / "deploy/local/stack"
DIRECTORY = ROOT / ".local/test-bench-peers"
BUILT = ROOT / "target/bench-peers"
# What everybody reads and nobody writes.
INPUTS = ("execution.fills.v1", "marketdata.", "reference.", "treasury.", "portfolio.policies.v1", "__cluster_metadata")


def run(command: list, **options) -> str:
    """Runs a command to its end; gives what it printed."""
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    except FileNotFoundError:
        raise Trouble(f"there is no {command[0]}: `make bench-peers` builds what it needs, and BALLAST_BIN names another service") from None
    if done.returncode != 0:
        raise Trouble(f"{' '.join(str(part) for part in command)} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


class Servers:
    """Both servers, up."""

    def __init__(self):
        try:
            run([STACK, "up", "--bench", "--dir", DIRECTORY])
        except Trouble:
            self.down()
            raise
        lines = run([STACK, "env", "--dir", DIRECTORY]).splitlines()
        self.env = dict(line.split("=", 1) for line in lines if "=" in line)
        self.brokers = self.env["BALLAST_KAFKA_BROKERS"]
        self.logs = DIRECTORY / "contestants"
        self.logs.mkdir(parents=True, exist_ok=True)
        self._bases = 0

    def down(self) -> None:
        """Stops both and removes their data."""
        run([STACK, "down", "--delete", "--dir", DIRECTORY])

    def new_base(self) -> str:
        """An empty database; its URL."""
        self._bases += 1
        name = f"peers_{os.getpid()}_{self._bases}"
        self.sql(f"CREATE DATABASE {name}")
        url, _, _ = self.env["BALLAST_POSTGRES_URL"].rpartition("/")
        return f"{url}/{name}"

    def sql(self, statement: str) -> str:
        """The first column of a statement's last row."""
        return run([STACK, "sql", "--dir", DIRECTORY, statement]).strip()

    def load(self, *arguments) -> str:
        """Runs the load's program to its end."""
        return run([BUILT / "release/peers-load", self.brokers, *arguments])

    def start_load(self, *arguments) -> subprocess.Popen:
        """Starts the load's program."""
        command = [str(part) for part in (BUILT / "release/peers-load", self.brokers, *arguments)]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def written(self) -> int:
        """Bytes in the broker's logs but those of inputs, and in the database's log."""
        # Folders of topics that were removed stay for a minute under another name.
        folders = [folder for folder in (DIRECTORY / "kafka/data").iterdir()
                   if not folder.name.startswith(INPUTS) and not folder.name.endswith("-delete")]
        kafka = sum(_size(segment) for folder in folders for segment in folder.glob("*.log"))
        return kafka + int(float(self.sql("SELECT pg_current_wal_lsn() - '0/0'")))


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # a topic on its way out
        return 0


def finished(process: subprocess.Popen, what: str) -> str:
    """Waits for a started load; gives what it printed."""
    out, err = process.communicate()
    if process.returncode != 0:
        raise Trouble(f"{what}: {err.strip()[-2000:]}")
    return out


def answer(text: str) -> dict:
    """The last line, which is JSON."""
    return json.loads(text.strip().splitlines()[-1])
