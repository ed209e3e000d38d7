"""Compiles scan.c: ``python -m ingest.native.build``. ``./run`` and ``./test`` do this; without it Python takes over.

With the system's compiler, $CC or cc; else with that of the package ziglang, which is installed for this in a temporary
directory, checked against its hash, and removed.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ingest.native.library import SOURCE, library_path

LOCK: Final = Path(__file__).with_name("ziglang.lock")
_FLAGS: Final = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")
_COMPILE_S: Final = 120
_INSTALL_S: Final = 300


def main() -> int:
    """0: the library is there, compiled now or before; 1: it is not."""
    target = library_path()
    if target.exists():
        return 0
    said = []
    for name, found in (("the system's compiler", _system), ("the package ziglang", ziglang)):
        try:
            with found() as compiler:
                compile_with(compiler, target)
        except (OSError, subprocess.SubprocessError) as error:
            said.append(f"{name}: {_reason(error)}")
        else:
            print(f"Packets of cameras are taken by compiled code, made with {name}.", file=sys.stderr)
            return 0
    print(
        f"Packets of cameras are taken by Python, at more cost: nothing could be compiled ({'; '.join(said)}).",
        file=sys.stderr,
    )
    return 1


@contextmanager
def _system() -> Iterator[Sequence[str]]:
    compiler = system_compiler()
    if compiler is None:
        raise FileNotFoundError("there is none")
    yield compiler


def system_compiler() -> Sequence[str] | None:
    """$CC, or cc; None: there is none."""
    named = shlex.split(os.environ.get("CC", "cc"))
    return named if named and shutil.which(named[0]) else None


def compile_with(compiler: Sequence[str], target: Path, *flags: str, source: Path = SOURCE) -> None:
    """Put the library in place whole, or not at all. OSError; SubprocessError: the compiler refuses."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        made = Path(scratch) / target.name
        _run([*compiler, *_FLAGS, *flags, "-o", str(made), str(source)], _COMPILE_S, Path(scratch))
        made.replace(target)


@contextmanager
def ziglang() -> Iterator[Sequence[str]]:
    """The compiler of the package ziglang, installed as long as the block runs. OSError, SubprocessError."""
    with tempfile.TemporaryDirectory() as scratch:
        packages = Path(scratch) / "packages"
        pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--no-deps", "-q"]
        _run([*pip, "--require-hashes", "--target", str(packages), "-r", str(LOCK)], _INSTALL_S, Path(scratch))
        yield [str(packages / "ziglang" / "zig"), "cc"]


def _run(command: Sequence[str], timeout_s: float, scratch: Path) -> None:
    """Caches of the compiler stay in ``scratch``."""
    caches = {name: str(scratch) for name in ("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR", "TMPDIR")}
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=timeout_s, env={**os.environ, **caches})


def _reason(error: Exception) -> str:
    lines = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
    return lines[-1][:200] if lines else type(error).__name__


if __name__ == "__main__":
    sys.exit(main())
