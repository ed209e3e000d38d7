"""Who asks the custodian, and where.

Beside it: the Unix users of the roles, by the configuration or the installation's own. On other
machines: the names in certificates.
"""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass

from pipeline.config.load import Loaded
from pipeline.config.model import Custodian, CustodianPort, Users
from pipeline.errors import SetupError
from runtime.settings import CustodianAt, CustodianListen, TlsFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Uids:
    """User ids of the roles that know one another by the kernel's word."""

    ingest: int
    index: int
    serve: int
    live: int
    operator: int


def uids_of(own: Custodian) -> Uids:
    """By the section [custodian]. SetupError: a user is not there."""
    me = str(os.geteuid())
    users = own.users or Users(ingest=me, index=me, serve=me, live=me, operator=me)
    return Uids(
        ingest=_uid(users.ingest),
        index=_uid(users.index),
        serve=_uid(users.serve),
        live=_uid(users.live),
        operator=_uid(users.operator),
    )


def _uid(name: str) -> int:
    if name.isdigit():
        return int(name)
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        raise SetupError(
            f"There is no user {name!r} on this machine.", f"Make it: useradd --system {name}; or correct its name."
        ) from None


def place_of(loaded: Loaded) -> CustodianAt | None:
    """By [custodian.at]; None: it runs on this machine."""
    at = loaded.config.custodian.at
    return None if at is None else CustodianAt(host=at.host, port=at.port, files=_files(loaded, at))


def listen_of(loaded: Loaded) -> CustodianListen | None:
    """By [custodian.listen]; None: its Unix socket alone."""
    own = loaded.config.custodian.listen
    if own is None:
        return None
    callers = own.callers.model_dump()
    return CustodianListen(host=own.host, port=own.port, files=_files(loaded, own), callers=callers)


def _files(loaded: Loaded, own: CustodianPort) -> TlsFiles:
    resolve = loaded.resolve
    return TlsFiles(ca=resolve(own.tls_ca), certificate=resolve(own.certificate), key=resolve(own.key))
