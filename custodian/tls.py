"""Callers on other machines: TLS 1.3 on which both ends show a certificate, and what is wrong where it fails.

A custodian's certificate names its host, a caller's its own name, which the custodian's configuration lists. Both are
signed by the installation's own authority (`tallenne certificates`), and good for one end only. Where a connection
fails, the caller's error says which of the two certificates is at fault, and how.
"""

from __future__ import annotations

import asyncio
import datetime
import ssl
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID

from custodian.errors import CertificateError
from runtime.private_files import check_private
from runtime.settings import CustodianAt, CustodianPlace, TlsFiles

HANDSHAKE_S: Final = 10.0
_EXPIRED, _NOT_YET, _NAME, _ADDRESS = 10, 9, 62, 64
_UNKNOWN: Final = (2, 7, 18, 19, 20, 21)
"""X509_V_ERR_* (openssl-verification-options(1)): issuers that are unknown here, or that sign themselves."""

_RENEW: Final = "Make new ones with `tallenne certificates`, and look at both machines' clocks."
_SAME: Final = "Both ends take the certificates and the authority of one folder of `tallenne certificates`."


def server_context(files: TlsFiles) -> ssl.SSLContext:
    """For the custodian: who shows no certificate of the authority's gets no further. CertificateError."""
    context = _context(ssl.PROTOCOL_TLS_SERVER, files)
    # A session that is taken up again is not verified again: it would outlive its certificate (RFC 8446 2.2, 4.6.1).
    context.num_tickets = 0
    return context


def client_context(files: TlsFiles) -> ssl.SSLContext:
    """For a caller: the custodian's certificate names the host that is asked. CertificateError.

    What the custodian would refuse is found here: its end of asyncio's TLS says nothing, and closes.
    """
    context = _context(ssl.PROTOCOL_TLS_CLIENT, files)
    mine = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    now = datetime.datetime.now(datetime.UTC)
    if not mine.not_valid_before_utc <= now <= mine.not_valid_after_utc:
        span = f"{mine.not_valid_before_utc:%Y-%m-%d} to {mine.not_valid_after_utc:%Y-%m-%d}"
        raise CertificateError(f"{files.certificate} is out of date: it is good from {span}.", _RENEW)
    if not any(_signed(mine, by) for by in x509.load_pem_x509_certificates(files.ca.read_bytes())):
        raise CertificateError(f"{files.ca} did not sign {files.certificate}.", _SAME)
    if not _is_a_callers(mine):
        raise CertificateError(
            f"{files.certificate} is a custodian's.", "Make a caller's: `tallenne certificates caller FOLDER NAME`."
        )
    return context


def _signed(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _is_a_callers(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return ExtendedKeyUsageOID.CLIENT_AUTH in usage


def _context(protocol: int, files: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    for path in (files.ca, files.certificate, files.key):
        _require(path, private=path == files.key)
    try:
        context.load_verify_locations(files.ca)
        context.load_cert_chain(files.certificate, files.key)
    except ssl.SSLError as exc:
        raise CertificateError(
            f"{files.certificate}, {files.key} and {files.ca} are no certificate with its key and its authority"
            f" ({exc.reason}).",
            _SAME,
        ) from exc
    return context


def _require(path: Path, *, private: bool) -> None:
    try:
        status = path.stat()
    except OSError as exc:
        raise CertificateError(
            f"{path} cannot be read ({exc.strerror}).", "Make it with `tallenne certificates`, or correct its name."
        ) from exc
    if private:
        check_private(path, status)


def shown(place: CustodianPlace) -> str:
    """Where the custodian is asked, for a person."""
    return f"{place.host}:{place.port}" if isinstance(place, CustodianAt) else str(place)


def name_of(writer: asyncio.StreamWriter) -> str:
    """The caller's name by its certificate, which was verified; "" for one that has not exactly one name."""
    names = [
        value for kind, value in (writer.get_extra_info("peercert") or {}).get("subjectAltName", ()) if kind == "DNS"
    ]
    return names[0] if len(names) == 1 else ""


def good_until_s(writer: asyncio.StreamWriter) -> float:
    """When the caller's certificate ends (UTC)."""
    certificate = writer.get_extra_info("peercert") or {}
    return float(ssl.cert_time_to_seconds(certificate["notAfter"])) if "notAfter" in certificate else 0.0


def why_refused(error: OSError) -> str:
    """Why a caller's handshake failed, for the log. Nothing in it is the caller's own words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is refused ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or type(error).__name__).lower().replace("_", " ")
        return "it shows no certificate" if "did not return a certificate" in reason else reason
    return "it was silent for too long" if isinstance(error, ConnectionAbortedError) else "it closed the connection"


def explained(error: OSError, at: CustodianAt) -> CertificateError | None:
    """What is wrong with which certificate; None where TLS has nothing to do with it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _theirs(error, at)
    return refused(at, error.reason or type(error).__name__) if isinstance(error, ssl.SSLError) else None


def refused(at: CustodianAt, why: str = "it closed the connection") -> CertificateError:
    """The custodian took the connection and gave no answer: our certificate is not good enough for it."""
    return CertificateError(f"The custodian at {shown(at)} refuses {at.files.certificate} ({why}).", _SAME)


def _theirs(error: ssl.SSLCertVerificationError, at: CustodianAt) -> CertificateError:
    code, where = error.verify_code, f"the custodian at {shown(at)}"
    if code in (_NAME, _ADDRESS):
        return CertificateError(
            f"The certificate of {where} is not for {at.host!r}.",
            f"Name the host that it was made for, or make one with `tallenne certificates custodian FOLDER {at.host}`.",
        )
    if code in (_EXPIRED, _NOT_YET):
        what = "is out of date" if code == _EXPIRED else "is not valid yet"
        return CertificateError(f"The certificate of {where} {what}.", _RENEW)
    if code in _UNKNOWN:
        return CertificateError(f"{at.files.ca} did not sign the certificate of {where}.", _SAME)
    return CertificateError(f"The certificate of {where} is refused ({error.verify_message}).", _SAME)
