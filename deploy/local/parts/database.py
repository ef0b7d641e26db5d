"""The database: one Postgres cluster with one database and one role, both named `ballast`, on the loopback address.

Whoever can reach the port is trusted: it is for development, unless it is secured. Postgres refuses root, so that under root it runs as
`postgres` or `nobody`, from folders that this account can reach.
"""

import hashlib
import os
import pwd
import shutil
import socket
import stat
import struct
import subprocess
import time
from pathlib import Path
from typing import Optional

from . import process, secured
from .downloads import Downloads
from .record import Record
from .trouble import Trouble, log_tail

PORTS = ["postgres"]
NAME = "ballast"
# Only the machine's own crash can lose anything then. synchronous_commit stays on: without it a killed server forgets
# what it had acknowledged, and tests kill it.
HASTY = ["fsync=off"]


class Database:
    """The Postgres cluster of one stack directory."""

    def __init__(self, record: Record, downloads: Downloads):
        self.record = record
        self.log = record.directory / "logs/postgres.log"
        self.account = _account()
        self.data = reachable_place(record.directory, self.account) / "postgres"
        self._downloads = downloads

    @property
    def programs(self) -> Path:
        """The folder with initdb and postgres: `PG_BIN` from the environment, or our own."""
        installed = os.environ.get("PG_BIN")
        if installed:
            return Path(installed)
        home = self._downloads.postgres_home
        return reachable_place(home.parent, self.account) / home.name / "bin"

    @property
    def url(self) -> str:
        """What a client connects to."""
        return f"postgres://{NAME}@127.0.0.1:{self.record.port('postgres')}/{NAME}"

    def pid(self) -> Optional[int]:
        """The process id, when it runs."""
        return process.find("-D", str(self.data))

    def ready(self) -> bool:
        """Whether our own server answers a query now."""
        if self.pid() is None:
            return False
        try:
            return query(self._place(), NAME, "SHOW data_directory") == str(self.data)
        except OSError:
            return False

    def ask(self, statement: str) -> Optional[str]:
        """What one statement answers: the first column of its last row."""
        try:
            return query(self._place(), NAME, statement)
        except OSError as fault:
            raise Trouble(f"Postgres: {fault}") from fault

    def start(self, patience: float = 60) -> None:
        """Starts the server on the record's port, creates what is missing and waits until it is ready."""
        self._provide_programs()
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        command = [self.programs / "postgres", "-D", self.data, *self._options()]
        deadline = time.monotonic() + patience
        started = process.spawn(command, self.log, self.account, cwd=self.data)
        while not self._serves():
            if started.poll() is not None:
                if not self._predecessor_lingers() or time.monotonic() > deadline:
                    raise Trouble(f"Postgres ended while starting{log_tail(self.log)}")
                time.sleep(0.1)
                started = process.spawn(command, self.log, self.account, cwd=self.data)
            if time.monotonic() > deadline:
                raise Trouble(f"Postgres was not ready within {patience:.0f} s{log_tail(self.log)}")
            time.sleep(0.03)

    def stop(self, signal_name: str = "INT") -> None:
        """Ends the server and keeps its data; INT does not wait for clients."""
        pid = self.pid()
        if pid is not None:
            process.end(pid, signal_name, patience=20)

    def delete(self) -> None:
        """Removes the data."""
        shutil.rmtree(self.data, ignore_errors=True)
        if self.data.parent != self.record.directory:
            self.data.parent.rmdir()

    def _place(self):
        """Where the stack itself asks: the port, or the socket of a secured server."""
        port = self.record.port("postgres")
        return str(self.data / f".s.PGSQL.{port}") if self.record["secure"] else port

    def _options(self) -> list:
        secure = self.record["secure"]
        settings = [f"port={self.record.port('postgres')}", "listen_addresses=127.0.0.1",
                    f"unix_socket_directories={self.data if secure else ''}",
                    "max_connections=200", *([] if self.record["durable"] else HASTY),
                    *(secured.postgres_settings(self.data) if secure else [])]
        return [part for setting in settings for part in ("-c", setting)]

    def _provide_programs(self) -> None:
        target = self.programs.parent
        source = self._downloads.postgres_home
        if "PG_BIN" not in os.environ and not target.exists():
            draft = target.with_name(f"{target.name}.{os.getpid()}")
            shutil.copytree(source, draft, symlinks=True)
            draft.rename(target)
        if not os.access(self.programs / "initdb", os.X_OK):
            raise Trouble(f"there is no initdb in {self.programs}; PG_BIN must name the folder of an installed "
                          "Postgres' programs, for example /usr/lib/postgresql/18/bin, or be unset")

    def _initialise(self) -> None:
        # A mounted volume is emptied, and stays.
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(parents=True, exist_ok=True)
        self.data.chmod(0o700)
        if self.account:
            os.chown(self.data, *self.account)
        done = subprocess.run(
            [self.programs / "initdb", "-D", self.data, "-U", NAME, "-A", "trust", "-E", "UTF8", "--locale=C",
             "--no-sync", "--no-instructions"],
            capture_output=True, text=True, cwd=self.data, **process.as_account(self.account))
        if done.returncode != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            raise Trouble(f"initdb could not create a database cluster in {self.data}:\n{done.stderr[-1500:]}")
        if self.record["secure"]:
            secured.furnish_postgres(self.record["secure"], self.data, self.account)

    def _predecessor_lingers(self) -> bool:
        # After a SIGKILL the old server may be uncollected, and its children hold its memory, for a moment longer.
        end = log_tail(self.log, 3)
        return "is still in use" in end or "postmaster.pid\" already exists" in end

    def _serves(self) -> bool:
        try:
            place = self._place()
            if query(place, "postgres", "SHOW data_directory") != str(self.data):
                return False
            if query(place, "postgres", f"SELECT 1 FROM pg_database WHERE datname = '{NAME}'") is None:
                if self.record["secure"]:
                    word = secured.password(self.record["secure"]).replace("'", "''")
                    query(place, "postgres", f"ALTER ROLE {NAME} PASSWORD '{word}'")
                query(place, "postgres", f"CREATE DATABASE {NAME}")
            return True
        except OSError:
            return False


def reachable_place(folder: Path, account: Optional[tuple]) -> Path:
    """The folder itself where `account` can enter it, else one under /var/tmp that belongs to it alone."""
    if account is None or all(path.stat().st_mode & stat.S_IXOTH for path in [folder, *folder.parents]):
        return folder
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    place = Path("/var/tmp") / f"ballast-{os.getuid()}-{name}"
    place.mkdir(mode=0o755, exist_ok=True)
    if place.is_symlink() or place.stat().st_uid != os.getuid():
        raise Trouble(f"{place} belongs to somebody else; remove it and try again")
    return place


def _connect(place) -> socket.socket:
    if isinstance(place, int):
        return socket.create_connection(("127.0.0.1", place), timeout=5)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(5)
    try:
        connection.connect(place)
    except OSError:
        connection.close()
        raise
    return connection


def query(place, database: str, sql: str) -> Optional[str]:
    """Runs one statement at a port or socket and returns the first column of its last row; OSError when the server
    cannot answer."""
    with _connect(place) as connection:
        hello = struct.pack(">i", 196608) + b"".join(
            word.encode() + b"\0" for word in ("user", NAME, "database", database)) + b"\0"
        connection.sendall(struct.pack(">i", len(hello) + 4) + hello)
        stream = connection.makefile("rb")
        _answer(stream)
        text = sql.encode() + b"\0"
        connection.sendall(b"Q" + struct.pack(">i", len(text) + 4) + text)
        return _answer(stream)


def _answer(stream) -> Optional[str]:
    value = None
    while True:
        head = stream.read(5)
        if len(head) < 5:
            raise OSError("Postgres closed the connection")
        body = stream.read(struct.unpack(">i", head[1:])[0] - 4)
        if head[:1] == b"E":
            raise OSError(body.replace(b"\0", b" ").decode(errors="replace"))
        if head[:1] == b"D":
            (length,) = struct.unpack_from(">i", body, 2)
            value = body[6:6 + length].decode() if length >= 0 else None
        if head[:1] == b"Z":
            return value


def _account() -> Optional[tuple]:
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
            return entry.pw_uid, entry.pw_gid
        except KeyError:
            continue
    raise Trouble("Postgres does not run as root, and this machine has neither a `postgres` nor a `nobody` account; "
                  "type: useradd --system postgres")
