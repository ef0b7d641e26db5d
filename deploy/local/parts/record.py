"""The record of one stack: `DIR/stack.json`, and `DIR/env` for those who use the stack.

The record keeps what must survive a stop (cluster id, ports, options). It holds no process ids: see `process`.
`env` exists only while the stack is up.
"""

import base64
import fcntl
import json
import os
import shlex
import uuid
from contextlib import contextmanager
from pathlib import Path

from . import ports

DEFAULTS = {"bench": False, "durable": False, "proxied_port": None, "secure": None, "second_broker": False}


class Record:
    """What one stack directory remembers."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.env_file = directory / "env"
        self._file = directory / "stack.json"
        self.values = {"cluster_id": _new_cluster_id(), "ports": {}, **DEFAULTS}
        if self._file.exists():
            self.values.update(json.loads(self._file.read_text()))

    def __getitem__(self, key):
        return self.values[key]

    def __setitem__(self, key, value):
        self.values[key] = value

    def port(self, name: str) -> int:
        """The port that `name` (kafka, controller, upstream, internal, second, postgres) listens on."""
        return self.values["ports"][name]

    def settle_ports(self, names: list, again: bool = False) -> None:
        """Gives each name a port: the one it had when that is free, else a new one."""
        known = self.values["ports"]
        if again or not all(name in known and ports.is_free(known[name]) for name in names):
            known.update(zip(names, ports.choose(len(names))))
        self.save()

    def save(self) -> None:
        """Writes the record whole or not at all."""
        _write(self._file, json.dumps(self.values, indent=2) + "\n")

    def write_env(self, entries: dict) -> None:
        """Writes `env` as KEY=value lines that a shell and a plain parser both read."""
        _write(self.env_file, "".join(f"{key}={shlex.quote(str(value))}\n" for key, value in entries.items()))


@contextmanager
def locked(directory: Path):
    """One stack command at a time in a directory."""
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.write_text(text)
    os.replace(draft, path)


def _new_cluster_id() -> str:
    # Kafka wants 22 characters of base64; its tools take one that starts with a dash for an option.
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text
