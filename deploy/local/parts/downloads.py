"""Downloads: Kafka's jars and Postgres' binaries, fetched once by Maven into the cache.

The folders are named by what is in them and appear whole or not at all, so that several stacks share one cache.
"""

import os
import platform
import shutil
import subprocess
import tarfile
import tempfile
import time
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path

from . import java
from .record import locked
from .trouble import Trouble

POM = Path(__file__).resolve().parent.parent / "pom.xml"
MAVEN_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
TRUST_STORE = Path("/etc/ssl/certs/java/cacerts")
PLATFORMS = {"x86_64": "linux-amd64", "aarch64": "linux-arm64v8"}


class Downloads:
    """Where the programs are."""

    def __init__(self, cache: Path):
        self.cache = cache
        self.kafka_home = cache / f"kafka-{_version('kafka')}"
        self.postgres_home = cache / f"postgres-{_version('postgres')}"

    def complete(self) -> bool:
        """Whether everything is there, Java included."""
        return self.kafka_home.exists() and self.postgres_home.exists() and java.locate(self.cache) is not None


def install(cache: Path) -> Downloads:
    """Fetches what is missing; does nothing, and says nothing, when all is there."""
    downloads = Downloads(cache)
    if downloads.complete():
        return downloads
    with locked(cache):
        runtime = java.provide(cache)
        if not (downloads.kafka_home.exists() and downloads.postgres_home.exists()):
            _fetch(downloads, runtime)
    return downloads


def _fetch(downloads: Downloads, runtime: java.Java) -> None:
    started = time.monotonic()
    print("fetching Kafka and Postgres with Maven (60 MB, once) …", flush=True)
    with tempfile.TemporaryDirectory(dir=downloads.cache, prefix="fetching-") as folder:
        jars = Path(folder) / "libs"
        _run_maven(downloads.cache, jars, runtime)
        _unpack_postgres(next(jars.glob("embedded-postgres-binaries-*.jar")), Path(folder) / "postgres")
        os.chmod(folder, 0o755)
        _move(Path(folder) / "postgres", downloads.postgres_home)
        (Path(folder) / "kafka").mkdir()
        jars.rename(Path(folder) / "kafka/libs")
        _move(Path(folder) / "kafka", downloads.kafka_home)
    print(f"fetched in {time.monotonic() - started:.0f} s, into {downloads.cache}", flush=True)


def _run_maven(cache: Path, target: Path, runtime: java.Java) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise Trouble(
            "Kafka and Postgres come from Maven's registry and there is no `mvn` here.\n"
            "  Debian, Ubuntu:  apt-get install maven\n"
            "  Fedora:          dnf install maven\n"
            "  or any Maven 3.6 or newer on the PATH; with Docker instead: docker compose -f deploy/compose.yaml up")
    command = [maven, "--batch-mode", "--quiet", "--file", POM, MAVEN_PLUGIN,
               f"-DoutputDirectory={target}", f"-Dpostgres.platform={_platform()}"]
    if not os.access(Path.home(), os.W_OK):
        command.append(f"-Dmaven.repo.local={cache / 'maven'}")
    # A runtime from PyPI knows only the public authorities; the machine may trust others, a company's proxy for one.
    trust = f" -Djavax.net.ssl.trustStore={TRUST_STORE}" if TRUST_STORE.exists() else ""
    environment = {**os.environ, "JAVA_HOME": str(runtime.home),
                   "MAVEN_OPTS": os.environ.get("MAVEN_OPTS", "") + trust}
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise Trouble("Maven could not fetch Kafka and Postgres: is its registry reachable from here? It said:\n"
                      f"{(done.stdout + done.stderr)[:1500]}")


def _platform() -> str:
    machine = platform.machine()
    if platform.system() != "Linux" or machine not in PLATFORMS:
        raise Trouble(f"the local stack runs on Linux on {' or '.join(PLATFORMS)}, not on "
                      f"{platform.system()} {machine}; use: docker compose -f deploy/compose.yaml up")
    return PLATFORMS[machine]


def _unpack_postgres(jar: Path, target: Path) -> None:
    with zipfile.ZipFile(jar) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".txz"))
        with archive.open(name) as packed, tarfile.open(fileobj=packed, mode="r:xz") as files:
            files.extractall(target)
    jar.unlink()


def _move(source: Path, target: Path) -> None:
    if not target.exists():
        source.rename(target)


def _version(program: str) -> str:
    properties = ElementTree.parse(POM).getroot().find("{*}properties")
    return properties.findtext(f"{{*}}{program}.version")
