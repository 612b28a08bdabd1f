"""Clients that keep their connections: one that times call after call, and one that keeps many connections busy."""

from __future__ import annotations

import select
import socket
import time
from itertools import islice
from typing import TYPE_CHECKING

from bench.calls import ANSWER_BYTES, make_requests

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_S = 10.0


class Timer:
    """A client of one kept-alive connection that times its calls, one at a time."""

    def __init__(self, address: str) -> None:
        self._sock = _connect(address)
        self._requests = make_requests()

    def time_calls(self, count: int) -> list[float]:
        """Make so many calls and return what each took, in seconds."""
        sock, clock, taken = self._sock, time.perf_counter, []
        for request in islice(self._requests, count):
            began = clock()
            sock.sendall(request)
            missing = ANSWER_BYTES - len(sock.recv(65536))
            while missing:
                missing -= len(sock.recv(missing))
            taken.append(clock() - began)
        return taken

    def close(self) -> None:
        """Hang up."""
        self._sock.close()


def keep_busy(address: str, *, connections: int, seconds: float) -> tuple[int, float]:
    """Keep a call under way on each connection; return how many were answered, and in how many seconds."""
    socks = [_connect(address) for _ in range(connections)]
    by_number = {sock.fileno(): sock for sock in socks}
    epoll = select.epoll()
    for sock in socks:
        epoll.register(sock, select.EPOLLIN)
    try:
        return _drive(epoll, by_number, make_requests(), seconds)
    finally:
        epoll.close()
        for sock in socks:
            sock.close()


def _drive(
    epoll: select.epoll, socks: dict[int, socket.socket], requests: Iterator[bytes], seconds: float
) -> tuple[int, float]:
    missing = dict.fromkeys(socks, ANSWER_BYTES)
    answered = 0
    for sock in socks.values():
        sock.sendall(next(requests))
    began = now = time.perf_counter()
    while missing:
        events = epoll.poll(PATIENCE_S)
        if not events:
            raise TimeoutError(f"no answer within {PATIENCE_S:g} s")
        now = time.perf_counter()
        for number, _ in events:
            sock = socks[number]
            missing[number] -= len(sock.recv(65536))
            if missing[number] > 0:
                continue
            answered += 1
            if now - began < seconds:
                missing[number] = ANSWER_BYTES
                sock.sendall(next(requests))
            else:
                del missing[number]
    return answered, now - began


def _connect(address: str) -> socket.socket:
    host, port = address.rsplit(":", 1)
    sock = socket.create_connection((host, int(port)), timeout=PATIENCE_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock
