"""The libraries of the mock's page, as npm has them: `python -m tests.browser.support.vendored` copies them again.

A browser without import maps needs a relative address in `import`; nothing else is changed.
"""

from __future__ import annotations

from collections.abc import Mapping

from mockserver.control.ui_files import FOLDER
from tests.clients.support.install_node_packages import FOLDER as NODE

PACKAGES = NODE / "node_modules"
#: The file of a package, by the name of its copy.
FILES: Mapping[str, str] = {
    "preact.js": "preact/dist/preact.mjs",
    "hooks.js": "preact/hooks/dist/hooks.mjs",
    "htm.js": "htm/dist/htm.mjs",
    "preact-license.txt": "preact/LICENSE",
    "htm-license.txt": "htm/LICENSE",
}


def content_of(name: str) -> str:
    """Return what the copy with this name must contain."""
    lines = (
        (PACKAGES / FILES[name]).read_text(encoding="utf-8").replace('from"preact"', 'from"./preact.js"').splitlines()
    )
    return "\n".join(line for line in lines if not line.startswith("//# sourceMappingURL")).rstrip() + "\n"


def main() -> None:
    """Write the copies."""
    for name in FILES:
        (FOLDER / "vendor" / name).write_text(content_of(name), encoding="utf-8")


if __name__ == "__main__":
    main()
