"""Writes the file of all authorities that clients should trust: the system's and Hythe's.

The CA variables of most programs replace the system's authorities instead of adding to them, so a file with Hythe's
alone would break pip and git in the same shell.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterable
from pathlib import Path

from .files import PUBLIC, write

MARK = b"# Authorities of this system and of Hythe; written anew at every start of Hythe.\n"
"""First line of every bundle: a bundle is never taken for the system's own file."""

_KNOWN = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Alpine, Arch
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # Fedora, RHEL
    "/etc/pki/tls/certs/ca-bundle.crt",  # older RHEL
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # macOS
)
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def bundle(data_dir: Path) -> Path:
    """Write `<data-dir>/ca-bundle.pem` in one step and name it."""
    path = data_dir / "ca-bundle.pem"
    certificates = dict.fromkeys([*_system(), *_read(data_dir / "ca.pem")])
    write(path, MARK + b"".join(each + b"\n" for each in certificates), PUBLIC)
    return path


def _system() -> list[bytes]:
    """Collect what SSL_CERT_FILE names and the first of the system's own files that has something in it."""
    paths = ssl.get_default_verify_paths()
    named = os.environ.get(paths.openssl_cafile_env)
    found = _read(Path(named)) if named else []
    return found + _first(Path(path) for path in (paths.openssl_cafile, *_KNOWN))


def _first(paths: Iterable[Path]) -> list[bytes]:
    return next((found for found in map(_read, paths) if found), [])


def _read(path: Path) -> list[bytes]:
    """Read the certificates of a file; none if it can't be read or is a bundle of Hythe's."""
    try:
        text = path.read_bytes()
    except OSError:
        return []
    return [] if text.startswith(MARK) else _CERTIFICATE.findall(text)
