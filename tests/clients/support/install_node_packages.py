"""Install the packages of the Node tests, and `clients/node` as its users get it: built, packed and unpacked.

Each once per change; without npm print a notice, and fail if CI=true.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "tests" / "clients" / "node"
#: The package of this repository, and the copy that the tests use.
KIT = ROOT / "clients" / "node"
PACKED = FOLDER / "node_modules" / "agent-contract-kit"


def main() -> int:
    """Return the exit status: 0 when the packages are installed or, outside CI, when npm is not."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        print("Node and npm were not found: the tests of the Node SDK are LEFT OUT.", file=sys.stderr)
        return int(os.environ.get("CI") == "true")
    try:
        for folder in (FOLDER, KIT):
            lock, installed = folder / "package-lock.json", folder / "node_modules" / ".installed-lock.json"
            if not _is_copy(installed, lock):
                subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=folder, check=True)
                shutil.copyfile(lock, installed)
        if not is_packed():
            _pack(npm)
    except subprocess.CalledProcessError as error:
        return error.returncode
    return 0


def is_packed() -> bool:
    """Return whether the tests' copy of the package is up to date."""
    sources = [KIT / "package.json", KIT / "README.md", *(KIT / "src").iterdir()]
    return all(_is_copy(PACKED / source.relative_to(KIT), source) for source in sources)


def _pack(npm: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([npm, "pack", "--silent", "--pack-destination", folder], cwd=KIT, check=True)
        (packed,) = Path(folder).iterdir()
        with tarfile.open(packed) as archive:
            archive.extractall(folder, filter="data")
        shutil.rmtree(PACKED, ignore_errors=True)
        shutil.copytree(Path(folder) / "package", PACKED)


def _is_copy(copy: Path, source: Path) -> bool:
    return copy.exists() and copy.read_bytes() == source.read_bytes()


if __name__ == "__main__":
    sys.exit(main())
