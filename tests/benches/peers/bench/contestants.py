"""The three who do the job: how each is started, under which name, and in which form it publishes."""

import json
import os
import subprocess
import time
from datetime import datetime, timezone
from pathlib import Path

from .servers import BUILT, Servers, finished, run
from .settings import INPUT, ROOT, TICKS, Settings, Trouble

HERE = Path(__file__).resolve().parent.parent
LINES, INSTRUMENTS = 25, 500
READY_SECONDS = 120


class Contestant:
    """One of them, on empty topics of its own."""

    name = ""
    format = "booking"

    def __init__(self, servers: Servers, settings: Settings, number: int):
        self.servers, self.settings, self.number = servers, settings, number
        self.topic = f"peers.bookings.{self.name}.v1"
        self.process, self.log, self._lives = None, None, 0

    def furnish(self) -> None:
        """Makes what it needs before it starts."""
        self.servers.load("create", self.topic, self.settings.lanes)

    def command(self) -> list:
        """How it is started."""
        raise NotImplementedError

    def start(self) -> None:
        """Starts it, or starts it again under the same name."""
        self._lives += 1
        self.log = self.servers.logs / f"{self.number:03}-{self.name}-{self._lives}.log"
        with self.log.open("w") as file:
            self.process = subprocess.Popen([str(part) for part in self.command()], stdout=file, stderr=file, env=self.environment())

    def await_ready(self) -> None:
        """Waits until it can book what comes."""

    def environment(self) -> dict:
        """Its environment: nothing of ours but what it needs."""
        return {name: value for name, value in os.environ.items() if not name.startswith("BALLAST_")}

    def runs(self) -> bool:
        """Whether its process is there."""
        return self.process.poll() is None

    def assert_runs(self) -> None:
        """Trouble when it has ended by itself."""
        if not self.runs():
            raise Trouble(f"{self.name} has ended by itself with {self.process.returncode}; its log: {self.log}")
    def kill(self) -> None:
        """SIGKILL."""
        self.assert_runs()
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """SIGTERM, and SIGKILL if that does nothing."""
        if self.process is None or not self.runs():
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Ballast(Contestant):
    """The service: position-keeper and conflator in one process, as it is but for the commit interval."""

    name, format = "ballast", "ledger"

    def __init__(self, servers, settings, number):
        super().__init__(servers, settings, number)
        self.topic = "portfolio.ledger.v1"
        self.program = Path(os.environ.get("BALLAST_BIN") or ROOT / "target/release/ballast")
        self._config = servers.logs / f"{number:03}-ballast.toml"
        self._base = servers.new_base()
        self._facts = None

    def furnish(self) -> None:
        self._config.write_text(
            f'lanes = {self.settings.lanes}\n[kafka]\ndeployment = "peers{self.number}"\n[pacing]\ncommit_ms = {self.settings.commit_ms}\n'
            f"busy_commit_ms = {self.settings.commit_ms}\n")
        for arguments in (["topics", "create"], ["migrate"]):
            run([self.program, *arguments], env=self.environment())
        run([self.program, "publish"], env=self.environment(), input="\n".join(self._records()))

    def start(self) -> None:
        if self._lives == 0:
            self._facts = self.servers.start_load("rest", self.format, "ballast.frames.v1", 0, 1_000, READY_SECONDS)
            self._facts.stdout.readline()
        super().start()

    def await_ready(self) -> None:
        """Every lane runs and every instrument is known: a fill that comes before its instrument would wait for it."""
        finished(self._facts, "instruments become frames")
        deadline = time.monotonic() + READY_SECONDS
        while self.log.read_text().count('"recovered"') < self.settings.lanes:
            self.assert_runs()
            if time.monotonic() > deadline:
                raise Trouble(f"{self.name}: not every lane runs after {READY_SECONDS} s; its log: {self.log}")
            time.sleep(0.1)

    def environment(self) -> dict:
        return {**super().environment(), "BALLAST_KAFKA_BROKERS": self.servers.brokers, "BALLAST_POSTGRES_URL": self._base,
                "BALLAST_CONFIG": str(self._config)}

    def command(self) -> list:
        return [self.program, "run", "position-keeper", "conflator", "--instance", "peer"]

    def _records(self):
        now = datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")
        for n in range(INSTRUMENTS):
            name = f"US{n:09}"
            yield _line("reference.instruments.v1", instrument_id=name, symbol=name, type="EQUITY", currency="USD",
                        max_price_age_seconds=86_400)
            yield _line("marketdata.ticks.v1", instrument_id=name, last=f"{10 + n % 5}.50", event_time=now)
        for n in range(self.settings.positions // LINES):
            yield _line("portfolio.policies.v1", portfolio_id=f"fund-{n:05}", policy_version=1, base_currency="USD",
                        band={"absolute": "0.99"})
            # What the load's verifier knows of: peers-load, outputs.rs.
            yield _line("treasury.cash.v1", source="treasury", entry_id="opening", portfolio_id=f"fund-{n:05}", kind="DEPOSIT",
                        currency="USD", amount="1000000", effective_at=now)


def _line(topic: str, **value) -> str:
    return json.dumps({"topic": topic, "value": value})


class Streams(Contestant):
    """A Kafka Streams application."""

    name = "streams"

    def command(self) -> list:
        built = BUILT / "streams"
        return [self.servers.env["JAVA"], "-Xms1g", "-Xmx2g", "-XX:+UseParallelGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                "-cp", f"{built}/streams-peer.jar:{built}/libs/*", "peer.Main", self.servers.brokers, INPUT, TICKS, self.topic,
                f"peers-streams-{self.number}", min(self.settings.lanes, os.cpu_count() or 1), self.settings.commit_ms,
                self.servers.logs / f"streams-{self.number}"]


class Naive(Contestant):
    """A Rust service from the crates' examples."""

    name = "naive"

    def command(self) -> list:
        return [BUILT / "release/naive-peer", self.servers.brokers, INPUT, TICKS, self.topic, f"peers-naive-{self.number}",
                self.settings.commit_ms, *(ROOT / "schemas" / f"{topic}.avsc" for topic in (INPUT, TICKS)), HERE / "booking.avsc"]


BY_NAME = {one.name: one for one in (Ballast, Streams, Naive)}
