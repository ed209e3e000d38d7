"""The policy of a role: what it needs of the machine, and no more. Applied before it reads a byte of others'.

Files: the program and the system to read, the role's own directories to write, and nothing else of the data
directory (Landlock). System calls: none that load code into the kernel, look into other processes, or change the
machine (seccomp). A role without workers starts no process at all. Where the kernel lacks one of them the role runs
without it, and its status says so.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runtime.sandbox import kernel
from runtime.sandbox.bpf import ABSENT, ALLOW, REFUSE, Arg, Rule, program

SWITCH: Final = "TALLENNE_SANDBOX"
"""``off`` in the environment leaves it out, to find out whether it is what hinders."""

_PROGRAM: Final = Path(__file__).parents[2]
"""Where our own packages lie. An editable installation finds them by a hook, and ``sys.path`` does not name them."""
_SYSTEM: Final = ("/usr", "/lib", "/lib64", "/bin", "/etc", "/sys", "/run/systemd", "/run/resolvconf")
_DEVICES: Final = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_LOADERS: Final = ("/lib64/ld-linux*", "/lib/ld-linux*", "/lib/ld-musl*")
_WRITE: Final = 0xFFFF & ~kernel.EXECUTE
_LANDLOCK_SINCE: Final = 2  # the first version denies every rename to another directory
_THREAD: Final = 0x00010000  # CLONE_THREAD
_NAMESPACES: Final = tuple(1 << bit for bit in (7, 17, 25, 26, 27, 28, 29, 30))  # CLONE_NEW*
_FAMILIES: Final = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK)
_LOW: Final = 0xFFFFFFFF

_REFUSED: Final = (
    *("ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp"),
    *("mount", "umount2", "pivot_root", "chroot", "unshare", "setns", "open_tree", "move_mount"),
    *("fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "mknod", "mknodat", "open_by_handle_at"),
    *("bpf", "perf_event_open", "userfaultfd", "init_module", "finit_module", "delete_module"),
    *("kexec_load", "kexec_file_load", "reboot", "swapon", "swapoff", "acct", "quotactl", "syslog", "vhangup"),
    *("keyctl", "add_key", "request_key", "personality", "iopl", "ioperm", "modify_ldt", "lookup_dcookie"),
    *("settimeofday", "clock_settime", "sethostname", "setdomainname"),
    *("move_pages", "migrate_pages", "fanotify_init"),
)
_NOT_THERE: Final = ("io_uring_setup", "io_uring_enter", "io_uring_register", "clone3")


@dataclass(frozen=True, slots=True, kw_only=True)
class RolePolicy:
    """reads: files and directories, beside the program and the system; writes: directories of its own

    closed: no right to read reaches into these, unless ``reads`` or ``writes`` name what is in them
    workers: it starts processes of this program
    """

    reads: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()
    closed: tuple[Path, ...] = ()
    workers: bool = False


def confine_role(policy: RolePolicy) -> None:
    """From now on, for this process and all that it starts. What holds: ``held.held_now()``."""
    if os.environ.get(SWITCH) == "off":
        return
    for directory in policy.writes:
        with contextlib.suppress(OSError):  # the role itself says what is wrong with it
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not kernel.no_new_privileges():
        return
    if kernel.threads() == 1 and kernel.landlock_version() >= _LANDLOCK_SINCE:
        kernel.restrict(rights(policy), ports=None, scoped=kernel.SIGNALS)
    kernel.filter_system_calls(program(rules(workers=policy.workers), ALLOW, kernel.MACHINE))


def rights(policy: RolePolicy) -> dict[Path, int]:
    """By path, for Landlock."""
    found: dict[Path, int] = {}

    def allow(path: Path, which: int) -> None:
        found[path] = found.get(path, 0) | which

    closed = [path.resolve() for path in policy.closed]
    for text in _SYSTEM:  # whole, since files there are replaced while we run, /etc/resolv.conf for one
        allow(Path(text).resolve(), kernel.READ)
    for path in (_PROGRAM, *(Path(text) for text in (sys.prefix, sys.base_prefix, *filter(None, sys.path)))):
        for each, listed in _around(path.resolve(), closed):
            allow(each, kernel.READ_DIR if listed else kernel.READ)
    for path in _of_the_kernel():
        allow(path, kernel.READ)
    for path in policy.reads:
        allow(path.resolve(), kernel.READ)
    for path in policy.writes:
        allow(path.resolve(), _WRITE)
    for text in _DEVICES:
        allow(Path(text), kernel.READ_FILE | kernel.WRITE_FILE)
    if policy.workers:
        for path in (Path(sys.executable), *(found for text in _LOADERS for found in Path("/").glob(text[1:]))):
            allow(path.resolve(), kernel.EXECUTE | kernel.READ_FILE)
    return found


def _of_the_kernel() -> Iterator[Path]:
    """/proc without other processes: their environments may name secrets."""
    with contextlib.suppress(OSError):
        yield from (path for path in Path("/proc").iterdir() if not path.name.isdigit() and not path.is_symlink())
    yield Path(f"/proc/{os.getpid()}")


def _around(path: Path, closed: Sequence[Path]) -> Iterator[tuple[Path, bool]]:
    """What is at ``path`` but for ``closed``; True: a directory above one of these, of which only names may be read."""
    if any(path.is_relative_to(each) for each in closed):
        return
    if not any(each.is_relative_to(path) for each in closed):
        yield path, False
        return
    yield path, True
    with contextlib.suppress(OSError):
        for child in path.iterdir():
            yield from _around(child, closed)


def rules(*, workers: bool) -> tuple[Rule, ...]:
    """For seccomp; what they do not name is allowed."""
    families = tuple((Arg(0, family, _LOW),) for family in _FAMILIES)
    found = [
        *(Rule(name, REFUSE) for name in _REFUSED),
        *(Rule(name, ABSENT) for name in _NOT_THERE),
        Rule("socket", ALLOW, families, otherwise=REFUSE),
    ]
    if workers:
        return (*found, Rule("clone", REFUSE, tuple((Arg(0, flag, flag),) for flag in _NAMESPACES)))
    thread = ((Arg(0, _THREAD, _THREAD),),)
    return (
        *found,
        *(Rule(name, REFUSE) for name in ("fork", "vfork", "execve", "execveat")),
        Rule("clone", ALLOW, thread, otherwise=REFUSE),
    )
