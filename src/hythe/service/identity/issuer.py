"""Signs tokens and checks them: RS256 and nothing else, under a key that never leaves the data dir."""

from __future__ import annotations

import base64
import hashlib
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import jwt
import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from msgspec import Struct

from ...wire.faults import Fault
from ..call import Caller
from ..store.records import Principal
from .files import private_folder, write

LIFE = 3600
_LEEWAY = 300  # a machine's clock may be set back while a token is in use
_REMEMBERED = 4096
_MOST = 16 << 10
_BITS = 2048


class InvalidToken(Fault):
    """Says that a token is not one of this service's."""

    def __init__(self) -> None:
        super().__init__(401, "InvalidAuthenticationToken", "The access token is invalid.")


class ExpiredToken(Fault):
    """Says that a token was good once."""

    def __init__(self, expired: float, now: float) -> None:
        super().__init__(
            401,
            "ExpiredAuthenticationToken",
            f"The access token expiry UTC time '{_moment(expired)}' is earlier than current UTC time '{_moment(now)}'.",
        )


class WrongTenantToken(Fault):
    """Says that a token belongs to another directory, for example to Azure's own."""

    def __init__(self, tenant: str) -> None:
        super().__init__(
            401,
            "InvalidAuthenticationTokenTenant",
            "The access token is from the wrong issuer. It must match the tenant "
            f"'{tenant}' associated with this subscription. Sign in at this service to get a valid token.",
        )


class _Claims(Struct):
    """What a token of ours says about its bearer."""

    tid: str
    appid: str
    oid: str
    exp: int
    nbf: int


class _TenantClaim(Struct):
    tid: str


class Issuer:
    """Issues and verifies the tokens of one tenant."""

    def __init__(self, key: rsa.RSAPrivateKey, tenant: str, *, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._public = key.public_key()
        self._tenant = tenant
        self._clock = clock
        self._verified: OrderedDict[bytes, tuple[int, Caller]] = OrderedDict()
        numbers = self._public.public_numbers()
        self._n, self._e = _number(numbers.n), _number(numbers.e)
        thumbprint = f'{{"e":"{self._e}","kty":"RSA","n":"{self._n}"}}'.encode()
        self._kid = _text(hashlib.sha256(thumbprint).digest())

    def issue(self, principal: Principal, audience: str, issuer: str, version: str) -> tuple[str, int]:
        """Sign a token; give it with the second of the epoch in which it expires."""
        now = int(self._clock())
        claims: dict[str, str | int] = {
            "aud": audience,
            "iss": issuer,
            "iat": now,
            "nbf": now,
            "exp": now + LIFE,
            "appid": principal.app_id,
            "azp": principal.app_id,
            "idtyp": "app",
            "oid": principal.object_id,
            "sub": principal.object_id,
            "tid": principal.tenant,
            "uti": uuid.uuid4().hex,
            "ver": version,
        }
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self._kid}), now + LIFE

    def verify(self, token: str) -> Caller:
        """Tell whose token it is.  Raises `InvalidToken`, `ExpiredToken` or `WrongTenantToken`, which are faults."""
        if len(token) > _MOST:
            raise InvalidToken
        try:
            mark = hashlib.sha256(token.encode("ascii")).digest()
        except UnicodeEncodeError:
            raise InvalidToken from None
        now = self._clock()
        known = self._verified.get(mark)
        if known is None:
            known = self._verified[mark] = self._read(token, now)
            if len(self._verified) > _REMEMBERED:
                self._verified.popitem(last=False)
        else:
            self._verified.move_to_end(mark)
        expires, caller = known
        if expires <= now:
            del self._verified[mark]
            raise ExpiredToken(expires, now)
        return caller

    def _read(self, token: str, now: float) -> tuple[int, Caller]:
        checks = {"verify_aud": False, "verify_exp": False, "verify_nbf": False, "verify_iat": False}
        try:
            raw = jwt.decode(token, self._public, algorithms=["RS256"], options=checks)  # type: ignore[arg-type]
            claims = msgspec.convert(raw, _Claims)
        except (jwt.PyJWTError, msgspec.ValidationError):
            raise self._refusal(token) from None
        if claims.nbf > now + _LEEWAY:
            raise InvalidToken
        if claims.tid.lower() != self._tenant.lower():
            raise WrongTenantToken(self._tenant)
        return claims.exp, Caller(app_id=claims.appid, object_id=claims.oid, tenant=claims.tid)

    def _refusal(self, token: str) -> Fault:
        """Say why a token that we did not sign is no good; what it claims only chooses between two refusals."""
        try:
            payload = token.split(".")[1]
            claimed = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=="), type=_TenantClaim)
        except (IndexError, ValueError):  # msgspec's errors are ValueErrors
            return InvalidToken()
        return InvalidToken() if claimed.tid.lower() == self._tenant.lower() else WrongTenantToken(self._tenant)

    def key_set(self) -> bytes:
        """Give the public key as a JSON Web Key Set."""
        key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self._kid, "n": self._n, "e": self._e}
        return msgspec.json.encode({"keys": [key]})


def signing_key(data_dir: Path) -> rsa.RSAPrivateKey:
    """Read `<data-dir>/tls/token.key`, made on first use (0600).  Raises ValueError with a sentence."""
    path = private_folder(data_dir / "tls") / "token.key"
    if not path.exists():
        made = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
        pem = made.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        write(path, pem)
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise ValueError(f"cannot read the signing key {path}: {error}. Restore it, or remove it.") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError(f"cannot sign with {path}: it is not an RSA key. Restore it, or remove it.")
    return key


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _number(value: int) -> str:
    return _text(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%m/%d/%Y %I:%M:%S %p}"
