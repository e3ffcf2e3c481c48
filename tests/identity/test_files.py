"""Tests the files of a data dir: their modes, that they are written whole, the bundle and the auth file."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from hythe.client.auth_file import read_auth_file
from hythe.service.identity import bundle as module
from hythe.service.identity.authfile import readdress_auth_file, sdk_auth, write_auth_file
from hythe.service.identity.bundle import MARK, bundle
from hythe.service.identity.files import PRIVATE, PUBLIC, private_folder, write
from hythe.service.identity.tls import intercept_certificate, server_files

TEN = [
    "clientId", "clientSecret", "subscriptionId", "tenantId", "activeDirectoryEndpointUrl",
    "resourceManagerEndpointUrl", "activeDirectoryGraphResourceId", "sqlManagementEndpointUrl", "galleryEndpointUrl",
    "managementEndpointUrl",
]  # fmt: skip
"""What az writes, in its order."""


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


# --- writing ---


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_modes_are_what_was_asked_for_whatever_the_umask(tmp_path: Path) -> None:
    write(tmp_path / "private", b"x")
    write(tmp_path / "public", b"x", PUBLIC)
    assert (mode(tmp_path / "private"), mode(tmp_path / "public")) == (0o600, 0o644) == (PRIVATE, PUBLIC)


def test_a_file_that_others_could_read_becomes_private(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o666)
    write(path, b"new")
    assert (path.read_bytes(), mode(path)) == (b"new", 0o600)


def test_a_reader_keeps_what_it_has_open(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write(path, b"old")
    with path.open("rb") as reader:
        write(path, b"new and longer")
        assert reader.read() == b"old"


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write(path, b"old")

    def full(_: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        write(path, b"new")
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"old"]


def test_a_private_folder_becomes_private_if_it_was_not(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    for name in ("open", "new/deep"):
        assert mode(private_folder(tmp_path / name)) == 0o700


# --- the bundle of authorities ---


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the system's own file of authorities."""
    path = tmp_path / "system.crt"
    path.write_text(f"# a comment\n{intercept_certificate(('system.example',)).ca_pem}")
    nowhere = ssl.get_default_verify_paths()._replace(openssl_cafile=str(tmp_path / "nowhere"))
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nowhere)
    monkeypatch.setattr(module, "_KNOWN", (str(tmp_path / "not-there"), str(path)))
    return path


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    server_files(tmp_path / "data")
    return tmp_path / "data"


def trusted(path: Path) -> set[bytes]:
    """Give every authority that OpenSSL finds in a file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(path)
    return set(context.get_ca_certs(binary_form=True))


def test_the_bundle_has_the_systems_authorities_and_hythes(data_dir: Path, system: Path) -> None:
    path = bundle(data_dir)
    assert path == data_dir / "ca-bundle.pem"
    assert mode(path) == 0o644
    assert path.read_bytes().startswith(MARK)
    assert trusted(path) == trusted(system) | trusted(data_dir / "ca.pem")


def test_the_bundle_of_this_very_machine_can_be_loaded(data_dir: Path) -> None:
    found = trusted(bundle(data_dir))
    assert trusted(data_dir / "ca.pem") < found, "there are others too"


def test_what_the_environment_names_is_added(
    data_dir: Path, system: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = tmp_path / "company.pem"
    company.write_text(intercept_certificate(("company.example",)).ca_pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(company))
    assert trusted(bundle(data_dir)) == trusted(system) | trusted(company) | trusted(data_dir / "ca.pem")


def test_the_bundle_never_contains_itself_or_another_ones(
    data_dir: Path, system: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = bundle(data_dir).read_bytes()
    monkeypatch.setenv("SSL_CERT_FILE", str(data_dir / "ca-bundle.pem"))
    for _ in range(3):
        assert bundle(data_dir).read_bytes() == first
    server_files(tmp_path / "other")
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle(tmp_path / "other")))
    assert bundle(data_dir).read_bytes() == first
    monkeypatch.setattr(module, "_KNOWN", (str(tmp_path / "other" / "ca-bundle.pem"), str(system)))
    assert bundle(data_dir).read_bytes() == first


def test_a_bundle_forgets_an_authority_that_was_replaced(data_dir: Path, system: Path) -> None:
    before = trusted(data_dir / "ca.pem")
    bundle(data_dir)
    (data_dir / "ca.pem").unlink()
    (data_dir / "tls" / "ca.key").unlink()
    server_files(data_dir)
    assert not before & trusted(bundle(data_dir))


def test_a_file_that_is_not_there_or_can_not_be_read_is_passed_over(
    data_dir: Path, system: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for odd in (tmp_path / "missing.pem", tmp_path):
        monkeypatch.setenv("SSL_CERT_FILE", str(odd))
        assert trusted(bundle(data_dir)) == trusted(system) | trusted(data_dir / "ca.pem")


def test_no_private_key_gets_into_the_bundle(
    data_dir: Path, system: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = intercept_certificate(("company.example",))
    (tmp_path / "both.pem").write_text(made.key_pem + made.certificate_pem + made.key_pem + made.ca_pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "both.pem"))
    text = bundle(data_dir).read_text()
    assert made.ca_pem.strip() in text
    assert "PRIVATE" not in text


# --- the auth file ---


def document(url: str = "https://localhost:8443") -> bytes:
    return sdk_auth(client_id="id", client_secret="hush", subscription="sub", tenant="ten", url=url)


def test_an_auth_file_has_the_ten_members_of_az_in_their_order() -> None:
    for url in ("https://localhost:8443", "https://localhost:8443/"):
        said = json.loads(document(url))
        assert list(said) == TEN
        assert [said[name] for name in TEN[:6]] == [
            "id", "hush", "sub", "ten", "https://localhost:8443", "https://localhost:8443/",
        ]  # fmt: skip
        assert all(said[name].startswith("https://") for name in TEN[4:])


@pytest.mark.usefixtures("umask")
def test_the_auth_file_is_the_owners_and_our_library_reads_it(tmp_path: Path) -> None:
    path = write_auth_file(tmp_path, document())
    assert mode(path) == 0o600
    read = read_auth_file(path)
    assert (read.client_id, read.client_secret, read.tenant_id, read.subscription_id) == ("id", "hush", "ten", "sub")
    assert "hush" not in repr(read)


def test_a_new_address_changes_the_addresses_of_the_service_only(tmp_path: Path) -> None:
    path = write_auth_file(tmp_path, document())
    path.chmod(0o644)
    readdress_auth_file(tmp_path, "https://localhost:9000/")
    assert path.read_bytes() == document("https://localhost:9000")
    assert mode(path) == 0o600


def test_members_that_somebody_added_stay(tmp_path: Path) -> None:
    write_auth_file(tmp_path, json.dumps(json.loads(document()) | {"note": "mine", "empty": None}).encode())
    readdress_auth_file(tmp_path, "https://localhost:9000")
    said = json.loads((tmp_path / "my.azureauth").read_text())
    assert (said["note"], said["empty"], said["clientSecret"]) == ("mine", None, "hush")
    assert said["resourceManagerEndpointUrl"] == "https://localhost:9000/"


def test_a_file_with_the_right_address_is_left_alone(tmp_path: Path) -> None:
    path = write_auth_file(tmp_path, document())
    before = path.stat().st_ino
    readdress_auth_file(tmp_path, "https://localhost:8443")
    assert path.stat().st_ino == before


def test_a_file_that_was_removed_is_not_made_again(tmp_path: Path) -> None:
    readdress_auth_file(tmp_path, "https://localhost:9000")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"clientSecret": "hush", "x": 1}'])
def test_a_damaged_auth_file_is_a_sentence_and_stays_as_it_is(tmp_path: Path, text: str) -> None:
    (tmp_path / "my.azureauth").write_text(text)
    with pytest.raises(ValueError, match=r"^cannot read .*my\.azureauth: .*\. Restore it from a copy\.$") as refusal:
        readdress_auth_file(tmp_path, "https://localhost:9000")
    assert "hush" not in str(refusal.value)
    assert (tmp_path / "my.azureauth").read_text() == text
