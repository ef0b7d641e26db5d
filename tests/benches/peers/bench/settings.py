"""What a run of the bench is about, from the environment, each with a default."""

import os
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
INPUT = "execution.fills.v1"
TICKS = "marketdata.ticks.v1"
# As the service makes them: topics.market_partitions.
MARKET_PARTITIONS = 4
MEASURES = ("drain", "recovery", "latency")
PEERS = ("streams", "naive")


class Trouble(Exception):
    """What went wrong, in a sentence for whoever typed the command."""


def _number(name: str, default: int, least: int = 1) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isdigit() or int(text) < least:
        raise Trouble(f"{name} is {text!r}: write a whole number of at least {least}")
    return int(text)


def _some(name: str, known: tuple) -> tuple:
    chosen = tuple(filter(None, (os.environ.get(name) or ",".join(known)).split(",")))
    strangers = [word for word in chosen if word not in known]
    if strangers:
        raise Trouble(f"{name} names {', '.join(strangers)}: there are {', '.join(known)}")
    return chosen


@dataclass(frozen=True)
class Settings:
    """FILLS, PAIRS, LANES, POSITIONS, TICKS_PER_FILL, COMMIT_MS, SEED, RATE, MEASURES and PEERS."""

    fills: int = field(default_factory=lambda: _number("FILLS", 1_000_000))
    pairs: int = field(default_factory=lambda: _number("PAIRS", 2))
    lanes: int = field(default_factory=lambda: _number("LANES", 8))
    positions: int = field(default_factory=lambda: _number("POSITIONS", 50_000, 400))
    ticks: int = field(default_factory=lambda: _number("TICKS_PER_FILL", 1, 0))
    commit_ms: int = field(default_factory=lambda: _number("COMMIT_MS", 100))
    seed: int = field(default_factory=lambda: _number("SEED", 20_260_105))
    rate: int = field(default_factory=lambda: _number("RATE", 10_000))
    measures: tuple = field(default_factory=lambda: _some("MEASURES", MEASURES))
    peers: tuple = field(default_factory=lambda: _some("PEERS", PEERS))

    @property
    def warm(self) -> int:
        """Fills before anything is measured: every position opened, and some of what is measured."""
        return self.positions + self.fills // 4
