"""Certificates: what they say, and that a change, a hole and a swap show."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.ids import CameraId, HourKeyId, SiteId
from domain.time import HOUR_NS
from storage.catalogue.certificates import (
    FIRST,
    CameraHour,
    Certificate,
    Order,
    check_chain,
    erasure_body,
    expiry_body,
)
from storage.catalogue.errors import BrokenCertificateError

KEY = Ed25519PrivateKey.generate()
SIGNER = KEY.public_key().public_bytes_raw()
HOUR = 1_790_000_000 * 10**9 // HOUR_NS * HOUR_NS
SITE, CAMERAS = SiteId(uuid.uuid4()), [CameraId(uuid.UUID(int=number)) for number in (1, 2)]


def hour(camera: int, number: int, segments: int = 3) -> CameraHour:
    start_ns = HOUR + number * HOUR_NS
    return CameraHour(
        hour_key_id=HourKeyId(uuid.uuid4()),
        camera_id=CAMERAS[camera],
        camera=f"Camera {camera}",
        site_id=SITE,
        site="Gym",
        hour_ns=start_ns,
        segments=segments,
        size_bytes=1000 * segments,
        first_ns=start_ns if segments else None,
        last_ns=start_ns + 30 if segments else None,
    )


def chain(count: int) -> list[Certificate]:
    made: list[Certificate] = []
    for number in range(1, count + 1):
        body = expiry_body(
            [hour(0, 0), hour(0, 1), hour(1, 0, 0)],
            number=number,
            previous=made[-1].sha256 if made else FIRST,
            issued_ns=HOUR,
            expires_hour_ns=HOUR,
            dropped_ns=HOUR,
            confirmed_by=None,
            signer=SIGNER,
        )
        made.append(Certificate(number=number, kind="expiry", body=body, signature=KEY.sign(body), issued_ns=HOUR))
    return made


def test_body_counts_by_camera_and_names_the_keys() -> None:
    said = chain(1)[0].said()
    assert (said["camera_hours"], said["segments"], said["size_bytes"]) == (3, 6, 6000)
    assert [camera["camera"] for camera in said["cameras"]] == ["Camera 0", "Camera 1"]
    assert [len(camera["hours"]) for camera in said["cameras"]] == [2, 1]
    assert "start" in said["cameras"][0]["hours"][0]
    assert "start" not in said["cameras"][1]["hours"][0]  # nothing was recorded in it


def test_chain_holds_and_goes_on_from_any_place() -> None:
    made = chain(3)
    assert check_chain(made, SIGNER) == made[-1].sha256
    assert check_chain(made[1:], SIGNER, made[0].sha256) == made[-1].sha256


def test_change_hole_swap_and_another_signer_show() -> None:
    made = chain(3)
    changed = replace(made[1], body=made[1].body.replace(b"Gym", b"Gyn"))
    with pytest.raises(BrokenCertificateError, match="Certificate 2 is not signed"):
        check_chain([made[0], changed, made[2]], SIGNER)
    with pytest.raises(BrokenCertificateError, match="Certificate 3 does not follow"):
        check_chain([made[0], made[2]], SIGNER)
    with pytest.raises(BrokenCertificateError, match="another number"):
        check_chain([replace(made[0], number=2)], SIGNER)
    stranger = Ed25519PrivateKey.generate()
    forged = replace(made[0], signature=stranger.sign(made[0].body))
    with pytest.raises(BrokenCertificateError, match="not signed"):
        check_chain([forged], SIGNER)


FIRST_PERSON, SECOND_PERSON = uuid.uuid4(), uuid.uuid4()
ORDER = Order(
    erasure_id=uuid.uuid4(),
    asked_by=FIRST_PERSON,
    asked_ns=HOUR,
    decided_by=SECOND_PERSON,
    decided_ns=HOUR + HOUR_NS,
)


def erasure(after: Certificate) -> Certificate:
    body = erasure_body(
        [hour(0, 0)],
        [ORDER],
        number=after.number + 1,
        previous=after.sha256,
        issued_ns=HOUR,
        keyring_hours=[HOUR + HOUR_NS],
        signer=SIGNER,
    )
    return Certificate(number=after.number + 1, kind="erasure", body=body, signature=KEY.sign(body), issued_ns=HOUR)


def test_erasure_follows_expiry_in_one_chain_and_says_who_decided() -> None:
    (expired,) = chain(1)
    erased = erasure(expired)
    check_chain([expired, erased], SIGNER)
    said = erased.said()
    assert (said["kind"], said["camera_hours"], said["segments"], len(said["keyring_hours"])) == ("erasure", 1, 3, 1)
    assert said["orders"] == [ORDER.said()]
    people = said["orders"][0]["ordered_by"], said["orders"][0]["approved_by"]
    assert people == (f"staff:{FIRST_PERSON}", f"staff:{SECOND_PERSON}")
    with pytest.raises(BrokenCertificateError):
        check_chain([erased], SIGNER)
