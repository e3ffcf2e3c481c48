"""Keeps the secrets of groups: encrypted with AES-GCM, under a key that is not in the database."""

from __future__ import annotations

import hmac
import os
from base64 import b64encode
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


class Vault:
    """Encrypts and decrypts; what belongs to one resource can't be read as another's."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._key = key

    def seal(self, plain: bytes, owner: str) -> bytes:
        """Encrypt for one owner."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, plain, owner.encode())

    def derive(self, purpose: str, owner: str) -> str:
        """Give a key of 64 bytes in base64, the same each time, that nobody can guess without the vault's."""
        return b64encode(hmac.digest(self._key, f"{purpose}\n{owner}".encode(), "sha512")).decode()

    def open(self, sealed: bytes, owner: str) -> bytes:
        """Decrypt what was sealed for this owner.  Raises ValueError."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], owner.encode())
        except InvalidTag:
            raise ValueError(
                f"cannot decrypt the secrets of {owner}: the key is not the one they were encrypted with. "
                "Set HYTHE_KEY_FILE to the right key file."
            ) from None


def load_key(data_dir: Path) -> bytes:
    """Read the key that HYTHE_KEY_FILE names, else `<data-dir>/secrets.key`, made on first use (0600)."""
    named = os.environ.get("HYTHE_KEY_FILE")
    path = Path(named) if named else data_dir / "secrets.key"
    if not path.exists() and not named:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(AESGCM.generate_key(256))
    try:
        key = path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot read the key file {path}: {error.strerror}") from None
    if len(key) not in (16, 24, 32):
        raise ValueError(f"cannot use the key file {path}: it must hold 16, 24 or 32 bytes, not {len(key)}.")
    return key
