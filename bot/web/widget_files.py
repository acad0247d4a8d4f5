"""The widget's files for browsers: read once, compressed once, and named by what is in them, so that they may be kept."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response

FOLDER = Path(__file__).parent / "widget"
LAUNCHER = "widget.js"
_VERSION_MARK = b"__VERSION__"
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
}
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"


@dataclass(frozen=True)
class StaticFile:
    """A file as it is sent."""

    content: bytes
    compressed: bytes
    media_type: str
    tag: str

    def response(self, headers: Headers, *, for_ever: bool) -> Response:
        """The file for a browser that sent `headers`; 304 if it has it."""
        answer = {
            "etag": self.tag,
            "cache-control": _FOR_EVER if for_ever else _ASK_AGAIN,
            "vary": "accept-encoding",
            "cross-origin-resource-policy": "cross-origin",
        }
        if headers.get("if-none-match") == self.tag:
            return Response(status_code=304, headers=answer)
        if "gzip" in headers.get("accept-encoding", ""):
            answer["content-encoding"] = "gzip"
            return Response(self.compressed, media_type=self.media_type, headers=answer)
        return Response(self.content, media_type=self.media_type, headers=answer)


def static_file(path: Path, content: bytes | None = None) -> StaticFile:
    """The file at `path`, or `content` in its place."""
    data = path.read_bytes() if content is None else content
    tag = f'"{hashlib.sha256(data).hexdigest()[:20]}"'
    return StaticFile(data, gzip.compress(data, 9, mtime=0), _TYPES[path.suffix.lower()], tag)


class WidgetFiles:
    """The files of the widget's folder, without its subfolders."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """Read them all."""
        paths = sorted(path for path in folder.iterdir() if path.suffix in {".js", ".css"})
        whole = hashlib.sha256(b"\0".join(path.read_bytes() for path in paths))
        self.version = whole.hexdigest()[:12]
        self._files = {path.name: static_file(path) for path in paths if path.name != LAUNCHER}
        start = (folder / LAUNCHER).read_bytes().replace(_VERSION_MARK, self.version.encode())
        self._launcher = static_file(folder / LAUNCHER, start)

    def launcher(self, headers: Headers) -> Response:
        """What a site's script tag loads. It names the version, so a browser asks for it each time."""
        return self._launcher.response(headers, for_ever=False)

    def file(self, version: str, name: str, headers: Headers) -> Response | None:
        """A file of the widget; None if there is none. A page that still asks for an older version gets this one."""
        found = self._files.get(name)
        return None if found is None else found.response(headers, for_ever=version == self.version)

    @property
    def compressed_bytes(self) -> int:
        """How much a browser loads when it has nothing yet."""
        return sum(len(file.compressed) for file in [*self._files.values(), self._launcher])
