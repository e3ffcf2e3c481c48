"""Signs the assertions by which a service principal with a certificate shows who it is."""

from __future__ import annotations

import base64
import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from hythe.errors import CredentialError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

_LIFE = 600
_EXPECTED = "Give a PEM file with an RSA key and its certificate, or a PKCS#12 file."


class Certificate:
    """A key and the thumbprint of its certificate."""

    def __init__(self, key: RSAPrivateKey, thumbprint: bytes) -> None:
        self._key = key
        self._thumbprint = thumbprint

    def assertion(self, client_id: str, audience: str, now: float) -> str:
        """Write a JSON web token that proves the key, good for ten minutes, for one token endpoint."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        header = {"alg": "RS256", "typ": "JWT", "x5t": _base64(self._thumbprint)}
        claims = {
            "aud": audience,
            "iss": client_id,
            "sub": client_id,
            "jti": str(uuid.uuid4()),
            "nbf": int(now),
            "exp": int(now) + _LIFE,
        }
        signed = ".".join(_base64(msgspec.json.encode(part)) for part in (header, claims))
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_base64(signature)}"


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def read_certificate(
    path: str | os.PathLike[str] | None, data: bytes | None, password: str | bytes | None
) -> Certificate:
    """Read a key with its certificate.  Raises `CredentialError`."""
    try:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12
        from cryptography.x509 import load_pem_x509_certificate
    except ImportError as why:
        raise CredentialError(
            "cannot use a certificate: the package cryptography is not installed. pip install hythe[certificates]"
        ) from why
    if (path is None) == (data is None):
        raise CredentialError("cannot use a certificate: give either certificate_path or certificate_data")
    secret = password.encode() if isinstance(password, str) else password
    try:
        content = data if data is not None else Path(os.fspath(path or "")).expanduser().read_bytes()
        if b"-----BEGIN" in content:
            key, certificate = load_pem_private_key(content, secret), load_pem_x509_certificate(_certificate(content))
        else:
            loaded = pkcs12.load_pkcs12(content, secret)
            if loaded.cert is None or loaded.key is None:
                raise ValueError("the key or the certificate is missing")
            key, certificate = loaded.key, loaded.cert.certificate
    except OSError as why:
        raise CredentialError(f"cannot read the certificate {str(path)!r}: {why.strerror}. {_EXPECTED}") from why
    except (ValueError, TypeError) as why:
        raise CredentialError(f"cannot use the certificate: {why}. {_EXPECTED}") from why
    if not isinstance(key, RSAPrivateKey):
        raise CredentialError(f"cannot use the certificate: its key is not of RSA. {_EXPECTED}")
    return Certificate(key, certificate.fingerprint(hashes.SHA1()))  # noqa: S303  the contract's x5t is that digest


def _certificate(content: bytes) -> bytes:
    begun = content.find(b"-----BEGIN CERTIFICATE-----")
    if begun < 0:
        raise ValueError("there is no certificate beside the key")
    return content[begun:]
