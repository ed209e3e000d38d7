"""The files of the work tree, or of one commit, as text."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]
_NO_SOURCE = ("tests",)

Tree = Mapping[str, str]
"""Path from the repository's root, with slashes, to the file's text. Python files only."""


def work_tree() -> Tree:
    """Files that git knows or would add."""
    names = _git("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.py").decode().split("\0")
    return {name: (ROOT / name).read_text(encoding="utf-8") for name in sorted(names) if (ROOT / name).is_file()}


def revision(name: str) -> Tree:
    """Files of a commit. CalledProcessError when git does not know it."""
    with tarfile.open(fileobj=io.BytesIO(_git("archive", name))) as archive:
        members = sorted((member.name, member) for member in archive if member.isfile() and member.name.endswith(".py"))
        return {path: archive.extractfile(member).read().decode() for path, member in members}  # type: ignore[union-attr]


def source(tree: Tree) -> Tree:
    """Without the tests."""
    return {path: text for path, text in tree.items() if package_of(path) not in _NO_SOURCE}


def package_of(path: str) -> str:
    """The top-level folder."""
    return path.partition("/")[0]


def folder_of(path: str) -> str:
    return str(PurePosixPath(path).parent)


def module_of(path: str) -> str:
    """``api/footage/__init__.py`` is ``api.footage``."""
    return path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def modules(tree: Tree) -> Iterator[tuple[str, str]]:
    """(path, text) of modules that hold more than a docstring and re-exports."""
    for path, text in tree.items():
        if not path.endswith(("__init__.py", "__main__.py")) and text.strip():
            yield path, text


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True).stdout
