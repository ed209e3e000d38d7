"""A worker's connections lead to the address that was chosen for it, whichever it names."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import socket
import sys
from asyncio.subprocess import Process

from runtime.sandbox.mediator import mediated, take_listener

_CHILD = """
import errno, json, socket, sys
from runtime.sandbox.decoder import confine_client
sock = socket.socket(fileno=0)
confine_client(sock)
def outcome(attempt):
    try:
        return attempt()
    except OSError as error:
        return error.errno
def ask(place):
    with socket.socket() as found:
        found.connect(place)
        return found.recv(10).decode()
def fast_open():
    with socket.socket() as found:
        found.sendto(b"password", socket.MSG_FASTOPEN, ("127.0.0.1", int(sys.argv[1])))
def message():
    with socket.socket() as found:
        found.sendmsg([b"password"], [], socket.MSG_FASTOPEN, ("127.0.0.1", int(sys.argv[1])))
elsewhere = ("127.0.0.1", int(sys.argv[1]))
said = [outcome(lambda: ask(elsewhere)), outcome(fast_open), outcome(message), outcome(lambda: ask(("192.0.2.1", 80)))]
said += [outcome(lambda: ask(elsewhere)), outcome(lambda: socket.socket(type=socket.SOCK_DGRAM).close())]
said += [outcome(lambda: socket.create_server(("127.0.0.1", 0)).close()), outcome(lambda: open("/etc/passwd").close())]
sock.send(json.dumps(said).encode())
"""


async def started(port: int) -> tuple[Process, socket.socket]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with theirs:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _CHILD,
            str(port),
            stdin=theirs.fileno(),
            env={"PYTHONPATH": os.pathsep.join(sys.path)},
        )
    return child, ours


async def test_every_connection_leads_to_the_chosen_address() -> None:
    reached: list[str] = []

    def serve(name: str, words: bytes) -> socket.socket:
        sock = socket.create_server(("127.0.0.1", 0))
        sock.setblocking(False)

        async def accept() -> None:
            while True:
                peer, _ = await asyncio.get_running_loop().sock_accept(sock)
                reached.append(name)
                peer.send(words)
                peer.close()

        tasks.append(asyncio.create_task(accept()))
        return sock

    async def connect() -> socket.socket:
        found = socket.socket()
        found.setblocking(False)
        await asyncio.get_running_loop().sock_connect(found, camera.getsockname())
        return found

    tasks: list[asyncio.Task[None]] = []
    with serve("camera", b"camera") as camera, serve("stranger", b"stranger") as stranger:
        child, ours = await started(stranger.getsockname()[1])
        listener = await take_listener(ours)
        assert listener is not None
        async with mediated(listener, connect, most=2):
            said = json.loads(await asyncio.get_running_loop().sock_recv(ours, 10_000))
            await child.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        ours.close()
    assert said[:4] == ["camera", errno.EPERM, errno.EPERM, "camera"]
    assert said[4:] == [errno.EACCES, errno.EPERM, errno.EPERM, errno.EPERM]
    assert reached == ["camera", "camera"]


async def test_worker_that_dies_before_is_no_listener() -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    assert await take_listener(ours) is None
    ours.close()
