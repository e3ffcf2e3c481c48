"""Tests certificates the way clients do: by TLS handshakes on loopback, as strictly as OpenSSL can."""

from __future__ import annotations

import asyncio
import os
import ssl
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from hythe.service.identity import tls
from hythe.service.identity.desk import AZURE_NAMES
from hythe.service.identity.tls import ALWAYS, Intercept, intercept_certificate, server_files


async def shake_hands(certificate: Path, key: Path, ca_pem: str, name: str) -> None:
    """Let a server show a certificate to a strict client that expects a name.  Raises what the client raises."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    client = ssl.create_default_context(cadata=ca_pem)
    client.verify_flags |= ssl.VERIFY_X509_STRICT

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0, ssl=server) as serving:
        port = serving.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client, server_hostname=name)
        assert await asyncio.wait_for(reader.read(), 10) == b"hello"
        writer.close()
        await writer.wait_closed()


def server_of(folder: Path, names: tuple[str, ...] = ()) -> x509.Certificate:
    return x509.load_pem_x509_certificate(server_files(folder, names).certfile.read_bytes())


def authority_of(folder: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())


# --- the service's own ---


async def test_the_chain_passes_strict_checks_under_every_name(tmp_path: Path) -> None:
    files = server_files(tmp_path, ("Box.Example.", "192.0.2.7", "[2001:db8::7]", "*.wild.example", "bücher.example"))
    for name in (*ALWAYS, "box.example", "192.0.2.7", "2001:db8::7", "a.wild.example", "bücher.example"):
        await shake_hands(files.certfile, files.keyfile, files.ca.read_text(), name)


@pytest.mark.parametrize("name", ["other.example", "192.0.2.8", *AZURE_NAMES])
async def test_the_service_has_no_certificate_for_other_names(tmp_path: Path, name: str) -> None:
    files = server_files(tmp_path, ("box.example",))
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        await shake_hands(files.certfile, files.keyfile, files.ca.read_text(), name)


async def test_one_data_dir_vouches_for_no_other(tmp_path: Path) -> None:
    one, other = server_files(tmp_path / "one"), server_files(tmp_path / "other")
    with pytest.raises(ssl.SSLCertVerificationError, match="verify failed"):
        await shake_hands(one.certfile, one.keyfile, other.ca.read_text(), "localhost")
    assert authority_of(tmp_path / "one").subject != authority_of(tmp_path / "other").subject


def test_a_server_certificate_is_good_for_at_most_397_days_and_signs_nothing(tmp_path: Path) -> None:
    certificate = server_of(tmp_path)
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc <= timedelta(days=397)
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    above = authority_of(tmp_path).extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (above.ca, above.path_length) == (True, 0)


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_keys_are_for_the_owner_and_certificates_for_everybody(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        server_files(tmp_path / "data")
    finally:
        os.umask(before)
    modes = {
        str(path.relative_to(tmp_path / "data")): path.stat().st_mode & 0o777 for path in (tmp_path / "data").rglob("*")
    }
    assert modes == {
        "ca.pem": 0o644, "tls": 0o700, "tls/ca.key": 0o600, "tls/server.key": 0o600, "tls/server.pem": 0o644
    }  # fmt: skip


# --- renewal ---


def test_certificates_are_kept_from_start_to_start(tmp_path: Path) -> None:
    certificate, authority = server_of(tmp_path, ("box.example",)), authority_of(tmp_path)
    assert server_of(tmp_path, ("box.example", "localhost")) == certificate
    assert authority_of(tmp_path) == authority


async def test_other_names_make_another_certificate_of_the_same_authority(tmp_path: Path) -> None:
    certificate, authority = server_of(tmp_path, ("box.example",)), authority_of(tmp_path)
    assert server_of(tmp_path, ("other.example",)) != certificate
    files = server_files(tmp_path, ("other.example",))
    assert authority_of(tmp_path) == authority
    await shake_hands(files.certfile, files.keyfile, files.ca.read_text(), "other.example")


@pytest.mark.parametrize(("days", "kept"), [(29, False), (32, True)])
def test_a_certificate_is_renewed_30_days_before_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, kept: bool
) -> None:
    with monkeypatch.context() as then:
        then.setattr(tls, "_SERVER_LIFE", timedelta(days=days))
        certificate = server_of(tmp_path)
    authority = authority_of(tmp_path)
    assert (server_of(tmp_path) == certificate) is kept
    assert authority_of(tmp_path) == authority


async def test_an_authority_that_would_end_before_its_servers_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as then:
        then.setattr(tls, "_AUTHORITY_LIFE", timedelta(days=396))
        server_files(tmp_path)
        authority = authority_of(tmp_path)
    files = server_files(tmp_path)
    assert authority_of(tmp_path) != authority
    await shake_hands(files.certfile, files.keyfile, files.ca.read_text(), "localhost")


@pytest.mark.parametrize("name", ["server.pem", "server.key"])
@pytest.mark.parametrize("damage", ["gone", "empty", "garbage", "another's"])
async def test_a_damaged_server_certificate_or_key_is_made_anew(tmp_path: Path, name: str, damage: str) -> None:
    server_files(tmp_path)
    path = tmp_path / "tls" / name
    if damage == "gone":
        path.unlink()
    elif damage == "another's":
        server_files(tmp_path / "another")
        path.write_bytes((tmp_path / "another" / "tls" / name).read_bytes())
    else:
        path.write_text("x" if damage == "garbage" else "")
    files = server_files(tmp_path)
    await shake_hands(files.certfile, files.keyfile, files.ca.read_text(), "localhost")


@pytest.mark.parametrize("name", ["ca.pem", "tls/ca.key"])
def test_a_damaged_authority_is_never_replaced_silently(tmp_path: Path, name: str) -> None:
    server_files(tmp_path)
    (tmp_path / name).write_text("x")
    with pytest.raises(ValueError, match=r"^cannot read the authority in .*\. Restore them, or remove both to have"):
        server_files(tmp_path)
    server_files(tmp_path / "another")
    (tmp_path / name).write_bytes((tmp_path / "another" / name).read_bytes())
    with pytest.raises(ValueError, match="it is not the key of"):
        server_files(tmp_path)


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".example"])
def test_a_name_that_can_be_in_no_certificate_is_a_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=rf"^cannot put the name '{name}' into a certificate: .*\. Correct it\.$"):
        server_files(tmp_path, (name,))


# --- the one for Azure's names ---


class Kept:
    """Keeps the keys that are made, so that a test can sign with what nobody should have."""

    def __init__(self) -> None:
        self.keys: list[ec.EllipticCurvePrivateKey] = []

    def make(self, curve: ec.EllipticCurve) -> ec.EllipticCurvePrivateKey:
        self.keys.append(_generate(curve))
        return self.keys[-1]


_generate = ec.generate_private_key


@pytest.fixture(scope="module")
def intercept() -> Intercept:
    return intercept_certificate(AZURE_NAMES)


def written(folder: Path, made: Intercept) -> tuple[Path, Path]:
    (folder / "pair.pem").write_text(made.certificate_pem)
    (folder / "pair.key").write_text(made.key_pem)
    return folder / "pair.pem", folder / "pair.key"


async def test_the_intercept_certificate_passes_strict_checks_for_azures_names(
    intercept: Intercept, tmp_path: Path
) -> None:
    for name in AZURE_NAMES:
        await shake_hands(*written(tmp_path, intercept), intercept.ca_pem, name)


@pytest.mark.parametrize(
    "name", ["localhost", "127.0.0.1", "example.com", "azure.com", "portal.azure.com", "x.management.azure.com"]
)
async def test_the_intercept_certificate_is_for_no_other_name(intercept: Intercept, tmp_path: Path, name: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        await shake_hands(*written(tmp_path, intercept), intercept.ca_pem, name)


@pytest.mark.parametrize("name", ["example.com", "azure.com", "portal.azure.com", "localhost", "127.0.0.1", "::1"])
async def test_even_its_authoritys_key_could_not_speak_for_another_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    kept = Kept()
    monkeypatch.setattr(tls.ec, "generate_private_key", kept.make)
    made = intercept_certificate(AZURE_NAMES)
    ca = x509.load_pem_x509_certificate(made.ca_pem.encode())
    stolen = next(key for key in kept.keys if key.public_key() == ca.public_key())
    leaf = kept.make(ec.SECP256R1())
    forged = tls._sign_server("forged", [tls._general_name(name)], leaf, tls._Authority(ca, stolen))
    (tmp_path / "pair.pem").write_bytes(tls._pem(forged))
    (tmp_path / "pair.key").write_bytes(tls._key_pem(leaf))
    with pytest.raises(ssl.SSLCertVerificationError, match="subtree violation"):
        await shake_hands(tmp_path / "pair.pem", tmp_path / "pair.key", made.ca_pem, name)


def test_the_intercept_comes_without_its_authoritys_key(intercept: Intercept) -> None:
    assert intercept.key_pem.count("PRIVATE KEY-----") == 2
    assert "PRIVATE" not in intercept.certificate_pem + intercept.ca_pem
    key = tls.serialization.load_pem_private_key(intercept.key_pem.encode(), password=None)
    ca = x509.load_pem_x509_certificate(intercept.ca_pem.encode())
    assert key.public_key() != ca.public_key()
    assert ca.extensions.get_extension_for_class(x509.NameConstraints).critical


def test_each_run_has_keys_of_its_own(intercept: Intercept) -> None:
    other = intercept_certificate(AZURE_NAMES)
    assert intercept.key_pem != other.key_pem
    assert intercept.ca_pem != other.ca_pem


def test_the_repr_of_an_intercept_shows_no_key(intercept: Intercept) -> None:
    assert "PRIVATE" not in repr(intercept)
    assert intercept.key_pem.splitlines()[1] not in repr(intercept)
    assert AZURE_NAMES[0] in repr(intercept)
