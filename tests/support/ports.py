"""Which processes of a tree listen where."""

from __future__ import annotations

import os

import psutil


def tree(pid: int | None = None) -> list[psutil.Process]:
    """A process and everything below it."""
    top = psutil.Process(pid or os.getpid())
    return [top, *top.children(recursive=True)]


def listening(processes: list[psutil.Process]) -> list[tuple[str, str, int]]:
    """(process name, address, port) of every TCP and UDP socket that waits for strangers."""
    found = []
    for process in processes:
        try:
            connections = process.net_connections(kind="inet")
        except psutil.NoSuchProcess:
            continue
        for one in connections:
            if one.status == psutil.CONN_LISTEN or (one.type == 2 and not one.raddr):
                found.append((process.name(), one.laddr.ip, one.laddr.port))
    return sorted(set(found))
