"""What code that took a process over tries first: run under a policy, or without one, it prints what succeeded.

``python -m tests.support.sandbox.attacks POLICY KEY-FILE PORT [WORDS]`` prints a JSON object: attack -> 0 or errno.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from runtime.sandbox import kernel
from runtime.sandbox.decoder import confine
from runtime.sandbox.role import RolePolicy, confine_role
from runtime.sandbox.syscalls import number

_LIBC = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWUSER = 0x10000000


def _call(name: str, *arguments: object) -> None:
    ctypes.set_errno(0)
    if _LIBC.syscall(number(name, kernel.MACHINE), *arguments) < 0:
        raise OSError(ctypes.get_errno(), name)


def _fork() -> None:
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)


def _exec() -> None:
    os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)


def _connect(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        pass


def _open_socket(family: int, kind: int) -> Callable[[], None]:
    return lambda: socket.socket(family, kind).close()


def _executable_memory() -> None:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def _read_parent() -> None:
    """Its memory, by process_vm_readv: of length 0, which still asks for permission."""
    _call("process_vm_readv", os.getppid(), None, ctypes.c_size_t(0), None, ctypes.c_size_t(0), ctypes.c_size_t(0))


def attacks(key: Path, port: int) -> dict[str, Callable[[], object]]:
    """By name; each raises OSError when it is refused."""
    return {
        "read a key": key.read_bytes,
        "write a file": lambda: key.with_name("written").write_bytes(b"x"),
        "write an own file": lambda: (key.parent / "own" / "written").write_bytes(b"x"),
        "list a directory": lambda: list(key.parent.iterdir()),
        "read another process's environment": Path(f"/proc/{os.getppid()}/environ").read_bytes,
        "fork": _fork,
        "execute": _exec,
        "execute this program": lambda: subprocess.run([sys.executable, "-c", "0"], check=True),
        "connect": lambda: _connect(port),
        "open a TCP socket": _open_socket(socket.AF_INET, socket.SOCK_STREAM),
        "open a UDP socket": _open_socket(socket.AF_INET6, socket.SOCK_DGRAM),
        "open a Unix socket": _open_socket(socket.AF_UNIX, socket.SOCK_STREAM),
        "open a netlink socket": _open_socket(socket.AF_NETLINK, socket.SOCK_RAW),
        "trace": lambda: _call("ptrace", 0, 0, 0, 0),
        "signal another process": lambda: os.kill(os.getppid(), 0),
        "read another process's memory": _read_parent,
        "map executable memory": _executable_memory,
        "make a user namespace": lambda: _call("unshare", _CLONE_NEWUSER),
        "make an anonymous file": lambda: os.close(os.memfd_create("x")),
        "load a program into the kernel": lambda: _call("bpf", 0, None, 0),
    }


def tried(key: Path, port: int) -> dict[str, int]:
    """What became of each: 0, or the errno that refused it."""
    outcomes = {}
    for name, attack in attacks(key, port).items():
        try:
            attack()
        except OSError as error:
            outcomes[name] = error.errno or -1
        else:
            outcomes[name] = 0
    return outcomes


def outcomes(policy: str, directory: Path) -> dict[str, int]:
    """Of all of them in a process of their own, under a policy: "decoder", "role", "workers" or "none"."""
    key = directory / "keyring"
    key.write_bytes(b"secret")
    (directory / "own").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        words = [sys.executable, "-m", "tests.support.sandbox.attacks", policy, str(key), str(server.getsockname()[1])]
        done = subprocess.run(words, stdout=subprocess.PIPE, check=True)
    found: dict[str, int] = json.loads(done.stdout)
    return found


def main(policy: str, key: str, port: str) -> None:
    """One process, one policy."""
    socket.getaddrinfo("127.0.0.1", 1)  # its tables are read before files are out of reach
    if policy == "decoder":
        confine()
    elif policy != "none":
        confine_role(
            RolePolicy(writes=(Path(key).parent / "own",), closed=(Path(key).parent,), workers=policy == "workers")
        )
    os.write(1, json.dumps(tried(Path(key), int(port))).encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
