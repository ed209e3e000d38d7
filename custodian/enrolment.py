"""Enrolment: a recorder pins the custodian's signer, and the custodian stores the recorder's public key."""

from __future__ import annotations

from pathlib import Path

from custodian.client import CustodianClient
from custodian.errors import CustodianMisuseError
from storage.keys.identity import RecorderIdentity


async def load_or_enrol(path: Path, name: str, client: CustodianClient) -> RecorderIdentity:
    """The identity in ``path``, made and enrolled when there is none yet. Needs the custodian only then.

    Raises PrivateFileError, CustodianAwayError, CustodianMisuseError.
    """
    identity = RecorderIdentity.load(path)
    if identity is None:
        custodian = await client.identity()
        identity = RecorderIdentity.create(custodian.signer)
        await client.enrol(identity.recorder_id, name, identity.public_key)
        identity.save(path)
    return identity


async def enrol_again(identity: RecorderIdentity, name: str, client: CustodianClient) -> None:
    """After a catalogue was rebuilt, or when in doubt: harmless for a recorder that is enrolled.

    CustodianMisuseError when the custodian is not the one that this recorder was enrolled with.
    """
    custodian = await client.identity()
    if custodian.signer != identity.pinned_signer:
        raise CustodianMisuseError(
            "The custodian is not the one that this recorder was enrolled with.",
            "If its signing key was replaced on purpose, remove the recorder's identity file: it then enrols anew.",
        )
    await client.enrol(identity.recorder_id, name, identity.public_key)
