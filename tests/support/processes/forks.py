"""Processes forked from one that has imported everything already: cheap enough to be killed by the hundred.

``python -m tests.support.processes.forks MODULE...`` imports the modules and reads orders, a JSON line each: module,
argument, environment, output. The child arms the failpoints that its environment names and calls ``start(argument)``
of the module. A JSON line comes back with its return code, as subprocess has it. Children end when this process does.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import os
import selectors
import signal
import sys
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pipeline.embedded.process import die_with_parent
from runtime.failpoints import LOG_VARIABLE, VARIABLE, Failpoints
from tests.support.faults.failpoints import users


def arm(specification: str, log: str = "") -> None:
    """Failpoints in this process from now on, though its modules were imported without."""
    hit = Failpoints(specification, log).hit
    for module in users():
        module.hit = hit  # type: ignore[attr-defined]


class Forks:
    """Orders for the process that forks."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._waiting: dict[int, asyncio.Future[int]] = {}
        self._number = 0

    async def run(self, module: str, argument: str, environment: dict[str, str], output: Path) -> int:
        """Until the child ends; its return code, negative for a signal."""
        self._number += 1
        number = self._number
        order = {"id": number, "module": module, "argument": argument, "env": environment, "output": str(output)}
        done = self._waiting[number] = asyncio.get_running_loop().create_future()
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        return await done

    async def listen(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            told = json.loads(line)
            waiting = self._waiting.pop(told["id"])
            if not waiting.done():  # nobody waits any more when a test has failed
                waiting.set_result(told["code"])
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(RuntimeError("the process that forks has ended"))


@asynccontextmanager
async def forks(*modules: str) -> AsyncIterator[Forks]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.processes.forks", *modules),
        env={key: value for key, value in os.environ.items() if key not in (VARIABLE, LOG_VARIABLE)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=die_with_parent,
    )
    made = Forks(process)
    listening = asyncio.create_task(made.listen())
    try:
        yield made
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
        await listening


def _serve(modules: list[str]) -> None:
    for module in modules:
        importlib.import_module(module)
    gc.freeze()  # what the children share stays shared: looking for garbage would write to all of it
    waiting: dict[int, tuple[int, int]] = {}  # pidfd: order, pid
    with selectors.DefaultSelector() as selector:
        selector.register(sys.stdin.buffer.raw, selectors.EVENT_READ)
        rest = b""
        while True:
            for key, _ in selector.select():
                if key.fd in waiting:
                    selector.unregister(key.fd)
                    _tell(*waiting.pop(key.fd))
                    os.close(key.fd)
                    continue
                data = os.read(key.fd, 1 << 16)
                if not data:
                    return
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    order = json.loads(line)
                    pid = _forked(order)
                    descriptor = os.pidfd_open(pid)
                    waiting[descriptor] = order["id"], pid
                    selector.register(descriptor, selectors.EVENT_READ)


def _tell(number: int, pid: int) -> None:
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.write(1, json.dumps({"id": number, "code": code}).encode() + b"\n")


def _forked(order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        die_with_parent()
        output = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.closerange(3, 256)
        os.environ.update(order["env"])
        if os.environ.get(VARIABLE):
            arm(os.environ[VARIABLE], os.environ.get(LOG_VARIABLE, ""))
        importlib.import_module(order["module"]).start(order["argument"])
        code = 0
    except BaseException:  # noqa: BLE001 - nothing of the parent's may go on in the child
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _serve(sys.argv[1:])
