"""The floor of recording: receive the same bytes, and do to them only what cannot be left out.

It sweeps plain non-blocking sockets four times a second, encrypts whatever came in 64 KiB chunks, appends that to a
file that it uses again and again, and sends each 10 s of it with one PUT whose body goes by sendfile. It parses
nothing, keeps no time, frames no MP4, signs nothing, survives nothing. Recording in Python cannot cost less.
With ``hash`` it also takes the SHA-256 of what it sends, as sealed objects and S3 require.

Runs as a child of frame/process.py. Parameters: ``urls``, ``seal``, ``hash`` (bool), ``spool`` (directory or null),
``put`` ("host:port" or null), ``segment_s``.
"""

from __future__ import annotations

import hashlib
import os
import select
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from benchmarks.frame.side import read_parameters, say

SWEEP_S = 0.25
CHUNK = 65536
BUFFER = 4 << 20


@dataclass(slots=True)
class Camera:
    """One open stream and the file it goes to."""

    connection: socket.socket
    descriptor: int = -1
    length: int = 0
    received: int = 0
    began: float = 0.0
    digest: Any = None  # of the file; None: not asked for


def play(url: str) -> socket.socket:
    """The shortest RTSP conversation that starts an interleaved stream from a camera that asks for no password."""
    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname, parts.port or 554), timeout=10)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    answer = _ask(connection, f"DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n")
    control = [line for line in answer.splitlines() if line.startswith("a=control:")][-1].partition(":")[2]
    track = control if "://" in control else f"{url.rstrip('/')}/{control}"
    transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"
    answer = _ask(connection, f"SETUP {track} RTSP/1.0\r\nCSeq: 2\r\n{transport}\r\n\r\n")
    lines = [line for line in answer.splitlines() if line.lower().startswith("session:")]
    session = lines[0].partition(":")[2].split(";")[0].strip()
    connection.sendall(f"PLAY {url} RTSP/1.0\r\nCSeq: 3\r\nSession: {session}\r\n\r\n".encode())
    connection.setblocking(False)
    return connection


def _ask(connection: socket.socket, request: str) -> str:
    """One request, one reply with its body; nothing else comes before PLAY."""
    connection.sendall(request.encode())
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode().lower().splitlines()
    length = next((int(line.split(":")[1]) for line in lines if line.startswith("content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return (head + b"\r\n\r\n" + body).decode()


class Floor:
    """All cameras of the floor, in one thread."""

    def __init__(self, parameters: dict[str, Any]) -> None:
        self._cameras = [Camera(play(url)) for url in parameters["urls"]]
        self._seal = AESGCM(os.urandom(32)) if parameters["seal"] else None
        self._spool = Path(parameters["spool"]) if parameters["spool"] else None
        self._put = parameters["put"].rpartition(":")[::2] if parameters["put"] else None
        self._segment_s = parameters["segment_s"]
        self._buffer = memoryview(bytearray(BUFFER))
        self._sealed = memoryview(bytearray(BUFFER + 16 * (BUFFER // CHUNK)))
        self._store: socket.socket | None = None
        self._counter = 0
        self.puts = 0
        for number, camera in enumerate(self._cameras):
            camera.began = time.monotonic() - self._segment_s * number / len(self._cameras)
            camera.digest = hashlib.sha256() if parameters["hash"] else None
            if self._spool is not None:
                camera.descriptor = os.open(self._spool / f"floor-{number}", os.O_RDWR | os.O_CREAT, 0o600)

    @property
    def received(self) -> list[int]:
        """Bytes received so far, per camera."""
        return [camera.received for camera in self._cameras]

    def sweep(self) -> None:
        """Take what has come for every camera."""
        for camera in self._cameras:
            try:
                length = camera.connection.recv_into(self._buffer)
            except BlockingIOError:
                continue
            if length == 0:
                raise SystemExit("the camera hung up")
            camera.received += length
            self._keep(camera, length)
            if self._spool is not None and time.monotonic() - camera.began >= self._segment_s:
                self._finish(camera)

    def _keep(self, camera: Camera, length: int) -> None:
        taken = self._buffer[:length]
        if self._seal is not None:
            at = 0
            for start in range(0, length, CHUNK):
                piece = taken[start : start + CHUNK]
                self._counter += 1
                nonce = self._counter.to_bytes(12, "big")
                at += self._seal.encrypt_into(nonce, piece, b"", self._sealed[at : at + len(piece) + 16])
            taken = self._sealed[:at]
        if camera.digest is not None:
            camera.digest.update(taken)
        if camera.descriptor >= 0:
            camera.length += os.pwrite(camera.descriptor, taken, camera.length)

    def _finish(self, camera: Camera) -> None:
        if self._put is not None:
            self._send(camera)
        camera.length = 0
        camera.digest = camera.digest and hashlib.sha256()
        camera.began += self._segment_s

    def _send(self, camera: Camera) -> None:
        assert self._put is not None
        if self._store is None:
            self._store = socket.create_connection((self._put[0], int(self._put[1])), timeout=10)
            self._store.settimeout(None)  # a timeout would make sendfile() return early
        self._counter += 1
        head = f"PUT /floor/{self._counter} HTTP/1.1\r\nHost: floor\r\nContent-Length: {camera.length}\r\n"
        if camera.digest is not None:
            head += f"x-amz-content-sha256: {camera.digest.hexdigest()}\r\n"
        head += "\r\n"
        self._store.sendall(head.encode(), socket.MSG_MORE)
        sent = 0
        while sent < camera.length:
            sent += os.sendfile(self._store.fileno(), camera.descriptor, sent, camera.length - sent)
        if not self._store.recv(4096).startswith(b"HTTP/1.1 200"):
            raise SystemExit("the sink refused")
        self.puts += 1


def main() -> None:
    """Sweep until stdin says stop."""
    floor = Floor(read_parameters())
    say("ready", {"cameras": len(floor.received)})
    while True:
        began = time.monotonic()
        floor.sweep()
        pause = max(0.0, SWEEP_S - (time.monotonic() - began))
        if select.select([sys.stdin], [], [], pause)[0]:
            word = sys.stdin.readline().strip()
            if word != "report":
                return
            say("report", {"received_bytes": floor.received, "puts": floor.puts})


if __name__ == "__main__":
    main()
