"""The vendor behind the hops, a process of its own: `python -m bench.vendor` prints its address and answers whole requests at once."""

from __future__ import annotations

import select
import socket
import sys

from bench.calls import REQUEST_BYTES, make_answers


def serve() -> None:
    """Answer until killed."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=64)
    sys.stdout.write("{}:{}\n".format(*listening.getsockname()))
    sys.stdout.flush()
    answers = make_answers()
    epoll = select.epoll()
    epoll.register(listening, select.EPOLLIN)
    clients: dict[int, socket.socket] = {}
    missing: dict[int, int] = {}
    while True:
        for number, _ in epoll.poll():
            if number == listening.fileno():
                client, _ = listening.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                epoll.register(client, select.EPOLLIN)
                clients[client.fileno()], missing[client.fileno()] = client, REQUEST_BYTES
                continue
            try:
                data = clients[number].recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                clients.pop(number).close()
                continue
            missing[number] -= len(data)
            if missing[number] == 0:
                missing[number] = REQUEST_BYTES
                clients[number].sendall(next(answers))


if __name__ == "__main__":
    serve()
