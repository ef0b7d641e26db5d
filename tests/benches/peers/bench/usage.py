"""What processes have used, sampled ten times a second, so that any moment of a run can be asked for later."""

import os
import threading
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def cpu(pid: int, with_children: bool = False) -> float:
    """Processor seconds of a process, and of its children that have ended and been waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(int(field) for field in fields[11:15 if with_children else 13]) / TICK


def children(pid: int) -> list:
    """Processes that it has started and that still run."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def peak_mib(pid: int) -> float:
    """The most memory that a process has had."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


class Sampler:
    """Samples service, broker and database until it is closed."""

    def __init__(self, service: int, broker: int, postgres: int):
        self._pids = (service, broker, postgres)
        self._samples = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def _sample(self) -> None:
        service, broker, postgres = self._pids
        while not self._end.wait(0.1):
            base = cpu(postgres, with_children=True) + sum(cpu(child) for child in children(postgres))
            self._samples.append((time.time(), cpu(service), cpu(broker), base))

    def between(self, start: float, end: float) -> dict:
        """Processor seconds from one moment to another."""
        first, last = self._at(start), self._at(end)
        return {name: last[at] - first[at] for at, name in enumerate(("service", "broker", "postgres"), 1)}

    def _at(self, moment: float) -> tuple:
        return min(self._samples, key=lambda sample: abs(sample[0] - moment))

    def close(self) -> None:
        """Ends the sampling."""
        self._end.set()
        self._thread.join()
