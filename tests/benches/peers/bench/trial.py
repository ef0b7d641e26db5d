"""One contestant on empty topics: warmed, then measured. What it published is judged; figures of a wrong run do not count."""

import csv
import math
import time

from .contestants import BY_NAME
from .servers import Servers, answer, finished
from .settings import INPUT, MARKET_PARTITIONS, TICKS, Settings, Trouble
from .usage import Sampler, peak_mib

# Bookings are counted when none came for so long: ten commit intervals.
REST_MS = 1_000
PATIENCE = 600


class Trial:
    """A contestant at work; `figures` grows with what is measured."""

    def __init__(self, servers: Servers, settings: Settings, name: str, number: int):
        self.servers, self.settings = servers, settings
        servers.load("reset")
        self.contestant = BY_NAME[name](servers, settings, number)
        self.sent = 0
        self.figures = {"contestant": name}

    def __enter__(self):
        try:
            self._warm()
        except BaseException:
            self.contestant.stop()
            raise
        return self

    def _warm(self) -> None:
        if self.contestant.format != "ledger":
            self.servers.load("create", INPUT, self.settings.lanes)
            self.servers.load("create", TICKS, MARKET_PARTITIONS)
        self.contestant.furnish()
        self.contestant.start()
        self.contestant.await_ready()
        self._publish(self.settings.warm)
        self._await()

    def __exit__(self, *_):
        self.contestant.stop()

    def _stream(self) -> list:
        return [self.settings.seed, self.settings.positions]

    def _load(self) -> list:
        return [*self._stream(), self.settings.ticks]

    def _publish(self, count: int) -> None:
        self.servers.load("publish", *self._load(), self.sent, count)
        self.sent += count

    def _await(self) -> None:
        load = self.servers.start_load("await", self.contestant.format, self.contestant.topic, self.sent, PATIENCE)
        self._finished(load, "bookings")

    def _finished(self, load, what: str) -> str:
        """Waits for a started load, and no longer than the contestant runs."""
        while load.poll() is None:
            if not self.contestant.runs():
                load.kill()
                self.contestant.assert_runs()
            time.sleep(0.02)
        return finished(load, what)

    def verify(self) -> dict:
        """The verdict on everything published so far; Trouble when anything is missing or wrong."""
        try:
            said = self.servers.load("verify", self.contestant.format, self.contestant.topic, *self._stream(), self.sent)
        except Trouble as wrong:
            raise Trouble(f"{self.contestant.name} published wrong outputs, its run does not count: {wrong}") from None
        return answer(said)

    def drain(self) -> None:
        """A backlog, sent in a transaction, that all can see at one moment: from then to the last commit of what it causes."""
        backlog = self.servers.start_load("hold", *self._load(), self.sent, self.settings.fills)
        self.sent += self.settings.fills
        backlog.stdout.readline()
        written = self.servers.written()
        watcher = self.servers.start_load("rest", self.contestant.format, self.contestant.topic, self.sent, REST_MS, PATIENCE)
        watcher.stdout.readline()
        env = self.servers.env
        sampler = Sampler(self.contestant.process.pid, int(env["STACK_KAFKA_PID"]), int(env["STACK_POSTGRES_PID"]))
        time.sleep(2)  # whatever came before has come to rest
        self.contestant.assert_runs()
        backlog.stdin.write("\n")
        backlog.stdin.flush()
        start = int(answer(self._finished(backlog, "backlog"))["committed"]) / 1e9
        last = int(answer(self._finished(watcher, "drain"))["last"]) / 1e9
        sampler.close()
        millions = self.settings.fills / 1e6
        used = sampler.between(start, last)
        self.figures["drain_rate"] = self.settings.fills / (last - start)
        self.figures.update({f"cpu_{name}": seconds / millions for name, seconds in used.items()})
        self.figures["cpu"] = sum(used.values()) / millions
        self.figures["memory_mib"] = peak_mib(self.contestant.process.pid)
        self.figures["bytes"] = (self.servers.written() - written) / self.settings.fills
        self.figures["records"] = self.verify()["records"]

    def recovery(self) -> None:
        """SIGKILL under a steady load, a new start at once, until a fill that came after the kill is booked and committed."""
        rate, seconds = self.settings.rate, 12
        load, file = self._pace(rate, rate * seconds)
        time.sleep(4)
        self.contestant.kill()
        killed = time.time_ns()
        self.contestant.start()
        self._finished(load, "recovery")
        read = [at for due, at in _delays(file) if due > killed and at > 0]
        if not read:
            raise Trouble(f"{self.contestant.name} booked nothing within {PATIENCE} s after it was killed")
        self.figures["recovery_s"] = (min(read) - killed) / 1e9
        self._await()
        self.figures["repeats"] = self.verify()["repeats"]

    def latency(self, drain_rate: float) -> None:
        """The highest of some rates at which the delay does not grow, and the delays at parts of it."""
        rate = drain_rate
        for _ in range(8):
            rate = int(rate * 0.85)
            delays = self._delays_at(rate, 8)
            newest = delays[-len(delays) // 8:]
            if quantile(sorted(newest), 0.5) < 1.0:
                break
        else:
            raise Trouble(f"{self.contestant.name} sustains none of the rates down to {rate} a second")
        self.figures["sustained_rate"] = rate
        for part in (25, 50, 75):
            delays = sorted(self._delays_at(max(1, rate * part // 100), 10))
            for name, share in (("p50", 0.5), ("p99", 0.99), ("p999", 0.999)):
                self.figures[f"{name}_at_{part}"] = quantile(delays, share) * 1e3
        self.verify()

    def _delays_at(self, rate: int, seconds: int) -> list:
        """Seconds from due to read, in the order in which fills were due."""
        load, file = self._pace(rate, rate * seconds)
        self._finished(load, f"{rate} fills a second")
        delays = [(at - due) / 1e9 if at else math.inf for due, at in _delays(file)]
        self._await()
        return delays

    def _pace(self, rate: int, count: int):
        file = self.servers.logs / f"{self.contestant.number:03}-delays.csv"
        load = self.servers.start_load("pace", self.contestant.format, self.contestant.topic, *self._load(), self.sent, rate, count,
                                       PATIENCE // 5, file)
        self.sent += count
        return load, file


def _delays(file) -> list:
    with open(file, newline="") as lines:
        return [(int(due), int(at)) for _, due, at in csv.reader(lines)]


def quantile(ordered: list, share: float) -> float:
    """The smallest value that so many are at most."""
    return ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))]
