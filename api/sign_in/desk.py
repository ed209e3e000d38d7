"""Who asks the custodian for what is more than a look: at their desk, for a stated purpose, within their scope."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from api.footage.cache import ClipCache
from api.footage.opening import FootageDep
from api.http.problems import Problem, not_found
from api.records import Records, RecordsDep
from api.sign_in.purposes import StatedForMembers
from api.sign_in.scope import Scope, load_scope
from api.sign_in.sessions import Session, SignedIn, require
from custodian.client import CustodianClient
from custodian.errors import CustodianMisuseError, LookRefusedError

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Who works on it, what for, and what they may see."""

    records: Records
    custodian: CustodianClient
    opened_clips: ClipCache
    session: Session
    purpose_id: UUID
    scope: Scope


def desk_of(right: tuple[str, ...]) -> Callable[..., Awaitable[Desk]]:
    """Return the dependency that gives the desk of those who have ``right``: else 404, and 403 without a purpose."""

    async def desk(records: RecordsDep, footage: FootageDep, session: SignedIn, purpose: StatedForMembers) -> Desk:
        """The dependency itself."""
        require(session, right)
        return Desk(
            records=records,
            custodian=footage.custodian,
            opened_clips=footage.cache,
            session=session,
            purpose_id=purpose.purpose_id,
            scope=await load_scope(records, session, right),
        )

    return desk


async def asked(answer: Awaitable[_T], problem: str) -> _T:
    """The custodian's answer. Its refusals: 404, or 409 with ``problem`` as the type."""
    try:
        return await answer
    except LookRefusedError:
        raise not_found() from None
    except CustodianMisuseError as exc:
        raise Problem(409, problem, exc.what, exc.remedy) from None
