"""A source package: one named file of a package registry, fetched with pip and known by its SHA-256.

The derivations read it and write files; `Outcome` either writes those or, with --check, compares them byte for byte
with the ones that are there. It never changes the machine's Python.
"""

import argparse
import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path


def read_arguments(description: str) -> argparse.Namespace:
    """What every derivation is told: whether to compare in place of writing, and a package file that is here already."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--package", type=Path)
    return parser.parse_args()


class SourcePackage:
    """A package file, by name and hash."""

    def __init__(self, requirement: str, sha256: str, pip_options: list):
        self.requirement = requirement
        self.sha256 = sha256
        self._pip_options = pip_options

    def content(self, local: Path = None) -> bytes:
        """The package's bytes, from `local` or from the registry; exits when they are not the known ones."""
        if local is not None:
            return self._verified(local)
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(
                [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *self._pip_options,
                 "--dest", folder, self.requirement], check=True)
            return self._verified(next(Path(folder).iterdir()))

    def _verified(self, file: Path) -> bytes:
        content = file.read_bytes()
        found = hashlib.sha256(content).hexdigest()
        if found != self.sha256:
            sys.exit(f"{file.name} is not the known {self.requirement}: its SHA-256 is {found}, not {self.sha256}")
        return content


class Outcome:
    """The files of one derivation: written, or compared with what is there."""

    def __init__(self, folder: Path, check: bool):
        self._folder = folder
        self._check = check
        self._differing = []

    def table(self, name: str, columns: list, rows: list) -> None:
        """A CSV file with a header; every cell is text already, and nothing needs quotes."""
        self.file(name, ("\n".join(",".join(row) for row in [columns, *rows]) + "\n").encode())
        print(f"  {name}: {len(rows):,} rows")

    def file(self, name: str, content: bytes) -> None:
        """A file of these bytes."""
        path = self._folder / name
        if not self._check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        elif not path.exists() or path.read_bytes() != content:
            self._differing.append(name)
        print(f"  {hashlib.sha256(content).hexdigest()}  {name}")

    def finish(self) -> None:
        """Exits with status 1 when a compared file differs."""
        if self._differing:
            sys.exit(f"these files differ from what the package gives: {', '.join(self._differing)}")
        print("all files are as the package gives them" if self._check else "written")
