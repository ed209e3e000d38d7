"""Lets the chain go on after a restoration: the restored database ends before the newest signed head.

Were new entries numbered from the database's last one, they would look as if they replaced what was signed. They go on
behind the newest head instead, after an entry that the custodian's key vouches for. Call it while no custodian runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from custodian.audit.chain import START, SignedHead, resumed_message
from custodian.audit.log import grown
from runtime import sql
from runtime.database import wrapped_errors

_PACKAGE: Final = "custodian.audit"


async def resume(
    conn: asyncpg.Connection, heads: Iterable[SignedHead], signing: Ed25519PrivateKey, *, now_ns: int
) -> int:
    """``conn``: of the owner; ``heads``: of all places. How many entries are lost; 0: none, nothing was done.

    BrokenAuditError: the chain, or the newest head, does not hold. The database errors of runtime/errors.py.
    """
    signer = signing.public_key().public_bytes_raw()
    left = await grown(conn, START, signer=signer)
    newest = max(heads, key=lambda head: head.link.seq, default=None)
    if newest is None or newest.link.seq <= left.seq:
        return 0
    newest.check(signer)
    detail = {"lost": newest.link.seq - left.seq, "signature": signing.sign(resumed_message(left, newest.link)).hex()}
    with wrapped_errors():
        await conn.execute(
            sql.load(_PACKAGE, "resume_chain"), newest.link.seq + 1, now_ns, newest.link.hash, json.dumps(detail)
        )
    return newest.link.seq - left.seq
