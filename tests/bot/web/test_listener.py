"""The socket that a server listens on."""

from __future__ import annotations

import asyncio
import socket

import pytest

from bot.web.listener import open_listener


def test_small_answers_go_at_once_on_every_connection() -> None:
    async def no_delay() -> int:
        heard: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            del reader
            accepted = writer.get_extra_info("socket")
            heard.set_result(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        listener = open_listener("127.0.0.1", 0)
        async with await asyncio.start_server(answer, sock=listener):
            _, client = await asyncio.open_connection(*listener.getsockname())
            found = await heard
            client.close()
            return found

    assert asyncio.run(no_delay()) == 1


def test_a_port_that_is_taken_is_an_error_and_leaves_no_socket() -> None:
    with open_listener("127.0.0.1", 0) as taken, pytest.raises(OSError, match="in use"):
        open_listener("127.0.0.1", taken.getsockname()[1])
