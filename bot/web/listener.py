"""The socket that a server listens on."""

from __future__ import annotations

import socket


def open_listener(host: str, port: int, *, backlog: int = 128) -> socket.socket:
    """A TCP socket that listens; port 0 takes a free one.

    It says that it is TCP: asyncio lets small answers go at once (TCP_NODELAY) only on connections of a socket that does.
    Otherwise each answer but the first of a connection waits 40 ms for the client's delayed acknowledgement (Nagle 1984, RFC 896).

    Raises:
        OSError: the port is taken, or may not be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(backlog)
    except OSError:
        listener.close()
        raise
    return listener
