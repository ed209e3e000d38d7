"""Sealing and ranged opening beside bare AES-256-GCM at the same chunk size, interleaved, in CPU time of one thread."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from benchmarks.frame.sealing import CHUNK_LOG2, SEGMENT_BYTES, Keys, fragments, make_keys, payload_key, seal, stream
from benchmarks.frame.statistics import median
from storage.sealed import PayloadKey, RangeOpener

_CHUNK = 1 << CHUNK_LOG2
_GULP = 1 << 20


def open_ranges(key: PayloadKey, sealed: bytes) -> int:
    """Open the whole object in ranges of 1 MiB, tail first; bytes released."""
    view = memoryview(sealed)
    opener = RangeOpener(key, len(sealed))
    start, end = opener.tail_range
    opener.accept_tail(view[start:end])
    released = 0
    for at in range(0, opener.plain_len, _GULP):
        start, end = opener.sealed_range(at, at + _GULP)
        released += len(opener.open(at, at + _GULP, view[start:end]))
    return released


def bare_seal(aead: AESGCM, pieces: list[memoryview], out: memoryview) -> None:
    """Nothing but the cipher, chunk by chunk, into one buffer that is used again."""
    for number, piece in enumerate(pieces):
        aead.encrypt_into(number.to_bytes(12, "big"), piece, None, out[: len(piece) + 16])


def bare_encrypt(aead: AESGCM, pieces: list[memoryview]) -> None:
    """The same by the call that hands out each sealed chunk as an object of its own, which is let go at once."""
    for number, piece in enumerate(pieces):
        aead.encrypt(number.to_bytes(12, "big"), piece, None)


def seal_as_written(keys: Keys, pieces: list[bytes]) -> int:
    """As ingest does, but for the writing: chunks are counted and let go."""
    return sum(len(chunk) for chunks in stream(keys, pieces) for chunk in chunks)


def bare_open(aead: AESGCM, chunks: list[bytes], out: memoryview) -> None:
    """Nothing but the cipher, into one buffer that is used again."""
    for number, chunk in enumerate(chunks):
        aead.decrypt_into(number.to_bytes(12, "big"), chunk, None, out[: len(chunk) - 16])


def measure(rounds: int) -> tuple[dict[str, float], list[dict[str, Any]]]:
    """(headline, cases). Every round runs each kind once; the medians are compared.

    seal_ratio leaves the hash out of ours and compares with the leanest cipher loop there is; seal_ratio_handed_out
    with the loop whose chunks can be passed on, as ours are; seal_ratio_with_hash leaves nothing out.
    """
    keys, pieces = make_keys(), fragments()
    whole = memoryview(b"".join(pieces))
    bare_pieces = [whole[at : at + _CHUNK] for at in range(0, len(whole), _CHUNK)]
    aead, scratch = AESGCM(os.urandom(32)), memoryview(bytearray(_CHUNK + 16))
    bare_chunks = [aead.encrypt(number.to_bytes(12, "big"), piece, None) for number, piece in enumerate(bare_pieces)]
    sealed = b"".join(seal(keys, pieces))
    key = payload_key(keys, sealed)

    def hash_alone() -> None:
        """Hash the same bytes and do nothing else."""
        digest = hashlib.sha256()
        for chunk in bare_chunks:
            digest.update(chunk)

    kinds: dict[str, Callable[[], object]] = {
        "sealing": lambda: seal_as_written(keys, pieces),
        "bare AES sealing": lambda: bare_seal(aead, bare_pieces, scratch),
        "bare AES sealing, chunk by chunk handed out": lambda: bare_encrypt(aead, bare_pieces),
        "bare SHA-256 of the same bytes": hash_alone,
        "opening by ranges": lambda: open_ranges(key, sealed),
        "bare AES opening": lambda: bare_open(aead, bare_chunks, scratch),
    }
    took: dict[str, list[float]] = {name: [] for name in kinds}
    for number in range(rounds + 1):
        for name, work in kinds.items():
            work()  # untimed: the caches then hold its own bytes, not those that its neighbour left there or shares
            began = time.thread_time()
            work()
            if number:
                took[name].append(time.thread_time() - began)
    cost = {name: median(values) for name, values in took.items()}
    without_hash = cost["sealing"] - cost["bare SHA-256 of the same bytes"]
    headline = {
        "seal_ratio": cost["bare AES sealing"] / without_hash,
        "seal_ratio_handed_out": cost["bare AES sealing, chunk by chunk handed out"] / without_hash,
        "seal_ratio_with_hash": cost["bare AES sealing"] / cost["sealing"],
        "open_ratio": cost["bare AES opening"] / cost["opening by ranges"],
    }
    cost["sealing, hash apart"] = without_hash
    cases = [{"name": name, "ms": cost[name] * 1e3, "mib_per_s": SEGMENT_BYTES / cost[name] / 2**20} for name in cost]
    return headline, cases
