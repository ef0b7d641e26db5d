"""Trouble: the one exception that the stack shows to a person.

Its text says what was attempted and what to type next. Anything else that escapes is a bug of the stack.
"""

from pathlib import Path


class Trouble(Exception):
    """Something that the person at the keyboard can put right."""


def log_tail(path: Path, lines: int = 25) -> str:
    """The last lines of a log, for an error message; empty when there is no log."""
    if not path.exists():
        return ""
    tail = path.read_text(errors="replace").splitlines()[-lines:]
    return f"\nlast lines of {path}:\n  " + "\n  ".join(tail)
