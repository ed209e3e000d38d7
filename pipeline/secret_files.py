"""Secrets in files of their own, mode 0600, made at first start. Never in arguments, never in the configuration."""

from __future__ import annotations

import secrets
import stat
from pathlib import Path

from pipeline.errors import SetupError
from runtime.private_files import make_private


def secret(path: Path) -> str:
    """The secret in ``path``; a fresh random one is put there first when the file does not exist."""
    make_private(path, f"{secrets.token_urlsafe(32)}\n".encode())
    return read_secret(path)


def read_secret(path: Path) -> str:
    """Refused when others may read the file, when it is empty, or not there."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text().strip()
    except OSError as exc:
        raise SetupError(f"The secret file {path} cannot be read: {exc.strerror}.", "Put the secret there.") from exc
    except ValueError as exc:  # no UTF-8, or a name that is none
        raise SetupError(f"The secret file {str(path)!r} holds no text.", "Put the secret there, as UTF-8.") from exc
    if mode & 0o077:
        raise SetupError(f"The secret file {path} can be read by others.", f"Run: chmod 600 {path}")
    if not text:
        raise SetupError(f"The secret file {path} is empty.", "Put the secret there.")
    return text
