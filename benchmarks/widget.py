"""What a chat bubble costs the page that it is put on, beside the bubbles that other projects publish on npm.

    python benchmarks/widget.py                # needs npm and its registry for the peers
    python benchmarks/widget.py --no-peers

Counted is what a browser has to fetch before the customer can type: scripts and styles, gzipped at level 9, each file by
itself as a server sends it. Of each peer it is the bundle that its README says to include. Time to open is measured in a
browser by tests/browser/test_widget_look.py. Chatwoot and ChatterMate publish no package; their servers were not run.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

WIDGET = Path("bot/web/widget")
# Package, and the files in it that its README has a page include.
PEERS = {
    "@n8n/chat": ("dist/chat.bundle.es.js", "dist/style.css"),
    "deep-chat": ("dist/deepChat.bundle.js",),
    "@botpress/webchat": ("dist/index.umd.cjs", "dist/style.css"),  # and React, which the page has to bring
    "@typebot.io/js": ("dist/web.js",),
    "rasa-webchat": ("lib/index.js",),
    "botframework-webchat": ("dist/webchat.js",),
}
_screen = Console(stderr=True)


@dataclass(frozen=True)
class Weight:
    """What a page fetches."""

    name: str
    version: str
    files: int
    kilobytes: float  # gzipped, in thousands of bytes


def own_weight() -> Weight:
    """Kefu's widget: every script and style but those of the demonstration page."""
    files = [path.read_bytes() for path in sorted(WIDGET.glob("*")) if path.suffix in (".js", ".css")]
    return Weight("Kefu", "", len(files), _gzipped(files))


def peer_weight(package: str, names: tuple[str, ...], npm: str, folder: Path) -> Weight | None:
    """A package from npm's registry; None, and a line on the screen, if it cannot be had."""
    packed = subprocess.run(  # noqa: S603 — the program that `which` found, and names from above
        [npm, "pack", "--json", package], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    if packed.returncode != 0:
        _screen.print(f"{package} is not measured: npm pack says {packed.stderr.strip()[-200:]!r}")
        return None
    told = json.loads(packed.stdout)[0]
    with tarfile.open(folder / told["filename"]) as archive:
        files = [found.read() for name in names if (found := archive.extractfile(f"package/{name}"))]
    return Weight(package, told["version"], len(files), _gzipped(files))


def _gzipped(files: list[bytes]) -> float:
    return sum(len(gzip.compress(content, 9)) for content in files) / 1000


def main() -> None:
    """Weigh, and print the lightest first."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--no-peers", action="store_true")
    chosen = parser.parse_args()
    found = [own_weight()]
    npm = None if chosen.no_peers else shutil.which("npm")
    if npm is None:
        _screen.print("Peers are not measured.")
    else:
        with tempfile.TemporaryDirectory(prefix="kefu-widget-") as folder:
            peers = [peer_weight(name, files, npm, Path(folder)) for name, files in PEERS.items()]
        found += [peer for peer in peers if peer is not None]
    table = Table(title="What a page fetches for the bubble")
    for column in ("", "version", "files", "kB gzipped"):
        table.add_column(column, justify="right" if column in ("files", "kB gzipped") else "left")
    for weight in sorted(found, key=lambda one: one.kilobytes):
        table.add_row(weight.name, weight.version, str(weight.files), f"{weight.kilobytes:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
