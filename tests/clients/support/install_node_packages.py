"""Install the packages of the Node tests, once per lock file; without npm print a notice, and fail if CI=true."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "node"


def main() -> int:
    """Return the exit status: 0 when the packages are there or, outside CI, when npm is not."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        print("Node and npm were not found: the tests of the Node SDK are LEFT OUT.", file=sys.stderr)
        return int(os.environ.get("CI") == "true")
    lock, installed = FOLDER / "package-lock.json", FOLDER / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return 0
    return subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=FOLDER, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
