"""Tests the tokens of a service: which are believed, which are not and why, and the key that signs them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from hythe.service.identity.issuer import (
    LIFE,
    ExpiredToken,
    InvalidToken,
    Issuer,
    WrongTenantToken,
    signing_key,
)
from hythe.service.store import Principal
from hythe.wire.faults import Fault

from .conftest import TENANT

OTHER = "eeeeeeee-1111-4222-8333-444455556666"
WHO = Principal(
    app_id="app", object_id="object", tenant=TENANT, display_name="me", secret_hash="scrypt$", created_at=0.0
)


class Clock:
    def __init__(self) -> None:
        self.now = 1_900_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="session")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def foreign_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer(key: rsa.RSAPrivateKey, clock: Clock) -> Issuer:
    return Issuer(key, TENANT, clock=clock)


def issue(issuer: Issuer, principal: Principal = WHO) -> str:
    return issuer.issue(principal, "https://localhost", "https://localhost/", "2.0")[0]


def payload(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def part(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def refused(issuer: Issuer, token: str) -> type[Fault]:
    """Give the fault that a token raises, the first time and the second."""
    with pytest.raises(Fault) as first:
        issuer.verify(token)
    with pytest.raises(type(first.value)):
        issuer.verify(token)
    assert first.value.status == 401
    return type(first.value)


# --- good tokens ---


def test_a_token_tells_who_bears_it_as_often_as_it_is_shown(issuer: Issuer) -> None:
    token = issue(issuer)
    for _ in range(2):
        caller = issuer.verify(token)
        assert (caller.app_id, caller.object_id, caller.tenant) == ("app", "object", TENANT)


def test_a_token_outlives_the_process_that_issued_it(issuer: Issuer, key: rsa.RSAPrivateKey, clock: Clock) -> None:
    assert Issuer(key, TENANT.upper(), clock=clock).verify(issue(issuer)).app_id == "app"


def test_no_two_tokens_are_the_same(issuer: Issuer) -> None:
    assert issue(issuer) != issue(issuer)


def test_a_clock_that_was_set_back_a_little_does_not_matter(issuer: Issuer, clock: Clock) -> None:
    token = issue(issuer)
    clock.now -= 299
    assert issuer.verify(token).app_id == "app"


# --- others ---


def test_a_token_expires_in_the_second_that_it_names(issuer: Issuer, clock: Clock) -> None:
    token, expires = issuer.issue(WHO, "a", "i", "2.0")
    assert expires == clock.now + LIFE
    clock.now = expires - 0.5
    assert issuer.verify(token).app_id == "app"
    clock.now = expires
    assert refused(issuer, token) is ExpiredToken


def test_an_expired_token_that_was_never_seen_is_refused_with_both_times(issuer: Issuer, clock: Clock) -> None:
    token = issue(issuer)
    clock.now = datetime(2031, 2, 3, 16, 5, 6, tzinfo=UTC).timestamp()
    with pytest.raises(ExpiredToken) as refusal:
        issuer.verify(token)
    assert refusal.value.code == "ExpiredAuthenticationToken"
    assert "current UTC time '02/03/2031 04:05:06 PM'" in refusal.value.message


def test_a_token_from_the_future_is_refused(issuer: Issuer, clock: Clock) -> None:
    token = issue(issuer)
    clock.now -= 301
    assert refused(issuer, token) is InvalidToken


def test_a_token_that_somebody_else_signed_in_our_name_is_refused(
    issuer: Issuer, foreign_key: rsa.RSAPrivateKey, clock: Clock
) -> None:
    assert refused(issuer, issue(Issuer(foreign_key, TENANT, clock=clock))) is InvalidToken


def test_a_token_of_another_tenant_is_told_so(issuer: Issuer, foreign_key: rsa.RSAPrivateKey, clock: Clock) -> None:
    stranger = Principal(
        app_id="app", object_id="object", tenant=OTHER, display_name="me", secret_hash="", created_at=0.0
    )
    for made in (issue(issuer, stranger), issue(Issuer(foreign_key, OTHER, clock=clock), stranger)):
        assert refused(issuer, made) is WrongTenantToken
        with pytest.raises(WrongTenantToken, match=f"must match the tenant '{TENANT}'"):
            issuer.verify(made)


def test_a_token_without_a_signature_is_refused(issuer: Issuer) -> None:
    claims = payload(issue(issuer))
    assert refused(issuer, jwt.encode(claims, None, algorithm="none")) is InvalidToken
    for name in ("none", "None", "NONE", ""):
        for signature in ("", part(b"x")):
            forged = f"{part({'alg': name, 'typ': 'JWT'})}.{part(claims)}.{signature}"
            assert refused(issuer, forged) is InvalidToken


def test_the_public_key_is_no_password_for_another_algorithm(issuer: Issuer, key: rsa.RSAPrivateKey) -> None:
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    said = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(payload(issue(issuer)))}"
    forged = f"{said}.{part(hmac.digest(public, said.encode(), hashlib.sha256))}"
    assert refused(issuer, forged) is InvalidToken


def test_a_token_signed_with_our_key_in_another_way_is_refused(issuer: Issuer, key: rsa.RSAPrivateKey) -> None:
    for algorithm in ("RS512", "PS256"):
        assert refused(issuer, jwt.encode(payload(issue(issuer)), key, algorithm=algorithm)) is InvalidToken


@pytest.mark.parametrize("claim", ["appid", "oid", "tid", "exp", "nbf"])
def test_a_token_must_say_everything(issuer: Issuer, key: rsa.RSAPrivateKey, claim: str) -> None:
    claims = payload(issue(issuer))
    for changed in ({name: claims[name] for name in claims if name != claim}, claims | {claim: ["x"]}):
        assert refused(issuer, jwt.encode(changed, key, algorithm="RS256")) is InvalidToken


def test_a_changed_token_is_refused_though_the_unchanged_was_seen(issuer: Issuer) -> None:
    token = issue(issuer)
    issuer.verify(token)
    header, _, signature = token.split(".")
    other = part(payload(token) | {"appid": "owner"})
    assert refused(issuer, f"{header}.{other}.{signature}") is InvalidToken
    assert refused(issuer, token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")) is InvalidToken


@pytest.mark.parametrize(
    "token",
    ["", "x", "..", "a.b.c", "a.b.c.d", "é", "\0", "x" * 20_000, f"{part({})}.{part([])}.x", f"x.{part({'tid': 1})}.x"],
    ids=lambda token: repr(token[:20]),
)
def test_garbage_is_refused(issuer: Issuer, token: str) -> None:
    assert refused(issuer, token) is InvalidToken


def test_no_refusal_repeats_the_token(issuer: Issuer, clock: Clock) -> None:
    token = issue(issuer)
    clock.now += LIFE
    for shown in (token, "hidden-garbage"):
        with pytest.raises(Fault) as refusal:
            issuer.verify(shown)
        assert shown not in str(refusal.value) + repr(refusal.value) + refusal.value.body.decode()


# --- the key ---


def test_the_published_key_has_no_private_part(issuer: Issuer) -> None:
    (published,) = json.loads(issuer.key_set())["keys"]
    assert published.keys() == {"kty", "use", "alg", "kid", "n", "e"}


def test_the_signing_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    made = signing_key(tmp_path)
    path = tmp_path / "tls" / "token.key"
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert signing_key(tmp_path).private_numbers() == made.private_numbers()


def test_a_damaged_signing_key_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "tls" / "token.key"
    path.parent.mkdir()
    path.write_text("-----BEGIN PRIVATE KEY-----\nx\n")
    with pytest.raises(ValueError, match=r"^cannot read the signing key .*token\.key: .* Restore it, or remove it\.$"):
        signing_key(tmp_path)
    path.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    with pytest.raises(ValueError, match="it is not an RSA key"):
        signing_key(tmp_path)
