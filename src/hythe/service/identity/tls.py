"""Makes certificates: one authority per data dir, its server certificate, and a throw-away pair for Azure's names.

Everything made here passes the strict checks of Python 3.13 and OpenSSL 3: keyUsage, key identifiers, a path
length, and at most 397 days for a server.
"""

from __future__ import annotations

import ssl
import tempfile
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct

from .files import PUBLIC, private_folder, write

ALWAYS = ("localhost", "127.0.0.1", "::1", "aci.dsts.localhost")
"""Names of every server certificate.  ADAL asks no stranger about a host with ``.dsts.`` in it."""

_BACKDATED = timedelta(hours=1)  # clients whose clock is a little behind
_AUTHORITY_LIFE = timedelta(days=3653)
_SERVER_LIFE = timedelta(days=397)
_RENEW_BEFORE = timedelta(days=30)
_CURVE = ec.SECP256R1
_LONGEST_COMMON_NAME = 64
_MOST_CERTIFICATES = 256


class ServerFiles(Struct, frozen=True, kw_only=True):
    """Where a server finds its certificate and key, and a client the authority."""

    certfile: Path
    keyfile: Path
    ca: Path


class Intercept(Struct, frozen=True, kw_only=True):
    """A certificate for names that belong to somebody else, trusted by whoever is told to trust ``ca_pem``."""

    names: tuple[str, ...]
    certificate_pem: str
    key_pem: str
    ca_pem: str

    def __repr__(self) -> str:
        return f"Intercept(names={self.names!r}, key_pem=***)"


class _Authority(Struct, frozen=True):
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def server_files(data_dir: Path, names: Sequence[str] = ()) -> ServerFiles:
    """Make or renew what a server needs.  ``names`` are further host names or addresses.  Raises ValueError.

    To be called at every start: a certificate is kept while it has the right names, was signed by this data dir's
    authority and has 30 days left.
    """
    folder = private_folder(data_dir / "tls")
    authority = _load_authority(data_dir) or _new_authority(data_dir)
    files = ServerFiles(certfile=folder / "server.pem", keyfile=folder / "server.key", ca=data_dir / "ca.pem")
    wanted = [_general_name(name) for name in dict.fromkeys([*ALWAYS, *names])]
    if not _still_good(files, authority, wanted):
        key = ec.generate_private_key(_CURVE())
        certificate = _sign_server("localhost", wanted, key, authority)
        write(files.keyfile, _key_pem(key))
        write(files.certfile, _pem(certificate), PUBLIC)
    return files


def intercept_certificate(names: Sequence[str]) -> Intercept:
    """Make a certificate for exactly these names, signed by an authority of its own that nobody has the key of.

    The authority is good for these names only (a critical name constraint), and its key is gone when this returns:
    trusting it lends nobody the power to speak for any other host.
    """
    wanted = [_general_name(name) for name in names]
    key = ec.generate_private_key(_CURVE())
    everywhere = [x509.IPAddress(ip_network("0.0.0.0/0")), x509.IPAddress(ip_network("::/0"))]
    constraint = x509.NameConstraints(permitted_subtrees=wanted, excluded_subtrees=everywhere)
    authority = _Authority(_sign_authority("Hythe for one run", key, _SERVER_LIFE + _BACKDATED, constraint), key)
    leaf = ec.generate_private_key(_CURVE())
    certificate = _sign_server("Hythe in place of Azure", wanted, leaf, authority)
    return Intercept(
        names=tuple(names),
        certificate_pem=_pem(certificate).decode(),
        key_pem=_key_pem(leaf).decode(),
        ca_pem=_pem(authority.certificate).decode(),
    )


class Certificates:
    """Makes certificates for the host names of groups, each when it is first asked for, kept in memory."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._made: OrderedDict[str, ssl.SSLContext] = OrderedDict()

    def context(self, name: str) -> ssl.SSLContext:
        """Give the context of a server that speaks for a name.  Raises ValueError."""
        known = self._made.get(name)
        if known is not None:
            self._made.move_to_end(name)
            return known
        authority = _load_authority(self._data_dir) or _new_authority(self._data_dir)
        key = ec.generate_private_key(_CURVE())
        certificate = _sign_server(name[:_LONGEST_COMMON_NAME], [_general_name(name)], key, authority)
        made = self._made[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile(dir=private_folder(self._data_dir / "tls")) as pair:  # 0600
            pair.write(_pem(certificate) + _key_pem(key))
            pair.flush()
            made.load_cert_chain(pair.name)
        if len(self._made) > _MOST_CERTIFICATES:
            self._made.popitem(last=False)
        return made


def _load_authority(data_dir: Path) -> _Authority | None:
    """Read the authority; None if there is none yet or it ends before a server certificate would."""
    certfile, keyfile = data_dir / "ca.pem", data_dir / "tls" / "ca.key"
    if not certfile.exists() or not keyfile.exists():
        return None
    try:
        certificate = x509.load_pem_x509_certificate(certfile.read_bytes())
        key = serialization.load_pem_private_key(keyfile.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"cannot read the authority in {certfile} and {keyfile}: {error}. "
            "Restore them, or remove both to have a new one made."
        ) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise ValueError(
            f"cannot use {keyfile}: it is not the key of {certfile}. "
            "Restore them, or remove both to have a new authority made."
        )
    ends = certificate.not_valid_after_utc
    return None if ends < datetime.now(UTC) + _SERVER_LIFE else _Authority(certificate, key)


def _new_authority(data_dir: Path) -> _Authority:
    key = ec.generate_private_key(_CURVE())
    authority = _Authority(_sign_authority("Hythe local authority", key, _AUTHORITY_LIFE, None), key)
    # a start that dies between the two leaves a key without its certificate: drop the old one first
    (data_dir / "ca.pem").unlink(missing_ok=True)
    write(data_dir / "tls" / "ca.key", _key_pem(key))
    write(data_dir / "ca.pem", _pem(authority.certificate), PUBLIC)
    return authority


def _still_good(files: ServerFiles, authority: _Authority, wanted: Sequence[x509.GeneralName]) -> bool:
    """Tell whether the certificate can be kept; one that is missing, damaged or somebody else's can't."""
    try:
        certificate = x509.load_pem_x509_certificate(files.certfile.read_bytes())
        key = serialization.load_pem_private_key(files.keyfile.read_bytes(), password=None)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        certificate.verify_directly_issued_by(authority.certificate)
    except (OSError, ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return (
        key.public_key() == certificate.public_key()
        and set(names) == set(wanted)
        and certificate.not_valid_after_utc - datetime.now(UTC) > _RENEW_BEFORE
    )


def _sign_authority(
    name: str, key: ec.EllipticCurvePrivateKey, life: timedelta, constraint: x509.NameConstraints | None
) -> x509.Certificate:
    subject = _subject(name, key)
    usage = {"key_cert_sign": True, "crl_sign": True}
    builder = (
        _begin(subject, subject, key, life)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(**usage), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    )
    if constraint is not None:
        builder = builder.add_extension(constraint, critical=True)
    return builder.sign(key, hashes.SHA256())


def _sign_server(
    name: str, names: Sequence[x509.GeneralName], key: ec.EllipticCurvePrivateKey, authority: _Authority
) -> x509.Certificate:
    above = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        _begin(subject, authority.certificate.subject, key, _SERVER_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(above), critical=False)
        .sign(authority.key, hashes.SHA256())
    )


def _begin(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, life: timedelta
) -> x509.CertificateBuilder:
    start = datetime.now(UTC) - _BACKDATED
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _subject(name: str, key: ec.EllipticCurvePrivateKey) -> x509.Name:
    """Name an authority so that no two have the same name: programs that trust several pick by name."""
    number = x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest.hex()[:12]
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Hythe"),
         x509.NameAttribute(NameOID.COMMON_NAME, f"{name} {number}")]
    )  # fmt: skip


def _key_usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    address: IPv4Address | IPv6Address
    try:
        address = ip_address(name.strip("[]"))
    except ValueError:
        try:
            return x509.DNSName(name.rstrip(".").lower().encode("idna").decode("ascii"))
        except UnicodeError as error:
            raise ValueError(f"cannot put the name {name!r} into a certificate: {error}. Correct it.") from None
    return x509.IPAddress(address)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
