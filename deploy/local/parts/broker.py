"""The broker: one Kafka node, broker and controller in one process; and a second one beside it where it is asked for.

Ready means that our process is alive and that whoever answers on its port has our cluster id: an open port alone
may be somebody else's broker. A second one must have joined, too.
"""

import os
import shutil
import socket
import struct
import subprocess
import time
from pathlib import Path
from typing import Optional

from . import process, secured
from .downloads import Downloads
from .java import Java
from .record import Record
from .trouble import Trouble, log_tail

PORTS = ["kafka", "controller"]
PROXIED_PORTS = ["upstream"]
SECOND_PORTS = ["second"]
TOOLS = {
    "topics": "org.apache.kafka.tools.TopicCommand",
    "produce": "org.apache.kafka.tools.ConsoleProducer",
    "consume": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "configs": "org.apache.kafka.tools.ConfigCommand",
}
# Starts in half the time and stays small; throughput suffers, which no test minds and every benchmark would.
QUICK = ["-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
BENCH = ["-Xms1g", "-Xmx1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"]
LOGGING_OPTION = f"-Dlog4j2.configurationFile={(Path(__file__).resolve().parent.parent / 'log4j2.xml').as_uri()}"
MEBIBYTE = 1 << 20


class Broker:
    """A Kafka node of one stack directory: the first, or the second, which is no controller."""

    def __init__(self, record: Record, downloads: Downloads, java: Java, node: int = 1):
        self.record = record
        self.node = node
        self.java = java
        self.home = downloads.kafka_home
        name = "kafka" if node == 1 else "kafka-2"
        self.log = record.directory / f"logs/{name}.log"
        self.folder = record.directory / name
        self._properties = self.folder / "server.properties"
        self._data = self.folder / "data"
        self._fresh_archive = self.folder / "classes.jsa"
        self._archive = self.home / f"classes-{java.version}.jsa"

    def pid(self) -> Optional[int]:
        """The process id, when it runs."""
        return process.find("kafka.Kafka", str(self._properties))

    def ready(self) -> bool:
        """Whether our own broker answers now, and has joined."""
        if self.pid() is None:
            return False
        cluster, nodes = asked(self._plain_port())
        return cluster == self.record["cluster_id"] and self.node in nodes

    def start(self, patience: float = 60) -> None:
        """Starts the broker on the record's ports and waits until it is ready."""
        self._write_properties()
        if not (self._data / "meta.properties").exists():
            self._format()
        command = [self.java.executable, *self._options(), "-cp", f"{self.home}/libs/*", "kafka.Kafka",
                   self._properties]
        started = process.spawn(command, self.log)
        deadline = time.monotonic() + patience
        while not self.ready():
            if started.poll() is not None:
                raise Trouble(f"Kafka ended while starting{log_tail(self.log)}")
            if time.monotonic() > deadline:
                raise Trouble(f"Kafka was not ready within {patience:.0f} s{log_tail(self.log)}")
            time.sleep(0.05)

    def stop(self, signal_name: str = "TERM") -> None:
        """Ends the broker and keeps its data."""
        pid = self.pid()
        if pid is None:
            return
        process.end(pid, signal_name, patience=20)
        if self._fresh_archive.exists():
            draft = self._archive.with_name(f"{self._archive.name}.{os.getpid()}")
            shutil.move(self._fresh_archive, draft)
            os.replace(draft, self._archive)

    def run_tool(self, name: str, arguments: list) -> int:
        """Runs one of Kafka's console tools against this broker."""
        address = f"127.0.0.1:{self._plain_port()}"
        return subprocess.call(self._quick("ERROR", TOOLS[name], "--bootstrap-server", address, *arguments))

    def _plain_port(self) -> int:
        """Where the stack itself asks."""
        if self.node == 2:
            return self.record.port("second")
        return self.record.port("internal" if self.record["secure"] else "kafka")

    def _options(self) -> list:
        options = [LOGGING_OPTION]
        if self.record["bench"]:
            return BENCH + options
        if self._archive.exists():
            options.append(f"-XX:SharedArchiveFile={self._archive}")
        elif self.java.major < 25:  # from 25 on it brings nothing
            options.append(f"-XX:ArchiveClassesAtExit={self._fresh_archive}")
        return QUICK + options

    def _format(self) -> None:
        shutil.rmtree(self._data, ignore_errors=True)
        command = self._quick("WARN", "kafka.tools.StorageTool", "format",
                              "-t", self.record["cluster_id"], "-c", self._properties,
                              *(secured.format_options(self.record["secure"]) if self.record["secure"] else []))
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise Trouble(f"Kafka could not format its storage in {self._data}:\n{(done.stdout + done.stderr)[-1500:]}")

    def _quick(self, log_level: str, program: str, *arguments) -> list:
        return [str(part) for part in (
            self.java.executable, *QUICK, f"-Dballast.log.level={log_level}", LOGGING_OPTION,
            "-cp", f"{self.home}/libs/*", program, *arguments)]

    def _write_properties(self) -> None:
        self._properties.parent.mkdir(parents=True, exist_ok=True)
        lines = (f"{key}={value}\n" for key, value in self._settings().items())
        self._properties.write_text("".join(lines))

    def _settings(self) -> dict:
        is_first = self.node == 1
        kafka, controller = self.record.port("kafka"), self.record.port("controller")
        secure = self.record["secure"] if is_first else None
        listeners = {"BROKER": (self._plain_port(),) * 2}
        if secure:
            listeners["SECURE"] = (kafka, kafka)
        if is_first and self.record["proxied_port"]:
            listeners["PROXIED"] = (self.record.port("upstream"), self.record["proxied_port"])
        own = [f"{name}://127.0.0.1:{port}" for name, (port, _) in listeners.items()]
        own += [f"CONTROLLER://127.0.0.1:{controller}"] if is_first else []
        shown = [f"{name}://127.0.0.1:{port}" for name, (_, port) in listeners.items()]
        return {
            "process.roles": "broker,controller" if is_first else "broker",
            "node.id": self.node,
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "BROKER",
            "listeners": ",".join(own),
            "advertised.listeners": ",".join(shown),
            "listener.security.protocol.map": "BROKER:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL",
            "log.dirs": self._data,
            "auto.create.topics.enable": "false",
            "num.network.threads": 2,
            "num.io.threads": 4,
            # A record may have 8 MiB and a dead letter 64 KiB more; the rest is room for batch and header.
            "message.max.bytes": 10 * MEBIBYTE,
            "replica.fetch.max.bytes": 10 * MEBIBYTE,
            "log.cleaner.dedupe.buffer.size": 32 * MEBIBYTE,
            # One node: every internal topic has one replica.
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 4,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1000,
            # After a SIGKILL the controller refuses the same node until its session has ended: 6 s, not 9. Much less
            # and a machine that is short of processors loses its only broker for not breathing in time.
            "broker.session.timeout.ms": 6000,
            "broker.heartbeat.interval.ms": 500,
            **(secured.broker_settings(secure, "SECURE", self._properties.with_name("server.pem")) if secure else {}),
        }


def asked(port: int) -> tuple:
    """The cluster id of the broker that answers on this port, and the nodes that it knows; neither while it is not serving."""
    # Metadata, version 7, of no topics: length, api key, version, correlation id, no client id, no topics, false.
    request = struct.pack(">hhihi?", 3, 7, 1, -1, 0, False)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            return _parse(_receive(connection, struct.unpack(">i", _receive(connection, 4))[0]))
    except (OSError, struct.error, UnicodeDecodeError):
        return None, []


def _parse(answer: bytes) -> tuple:
    at = 8  # correlation id, throttle time
    (brokers,) = struct.unpack_from(">i", answer, at)
    at += 4
    nodes = []
    for _ in range(brokers):
        nodes += struct.unpack_from(">i", answer, at)
        at += 4
        _, at = _text(answer, at)
        at += 4
        _, at = _text(answer, at)
    return (_text(answer, at)[0] if brokers else None), nodes


def _text(answer: bytes, at: int) -> tuple:
    (length,) = struct.unpack_from(">h", answer, at)
    at += 2
    return (None, at) if length < 0 else (answer[at:at + length].decode(), at + length)


def _receive(connection: socket.socket, size: int) -> bytes:
    if not 0 <= size <= MEBIBYTE:
        raise OSError("not a broker's answer")
    answer = b""
    while len(answer) < size:
        part = connection.recv(size - len(answer))
        if not part:
            raise OSError("the broker closed the connection")
        answer += part
    return answer
