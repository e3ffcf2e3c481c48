"""Finds the service of this machine by its data dir and talks to it as its owner, for the command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from msgspec import Struct

from hythe.client.auth_file import AuthFile, read_auth_file
from hythe.client.reaching import answering
from hythe.client.request_log import note, shown
from hythe.errors import ConnectionFailed, CredentialError, HytheError, ServiceError, UnexpectedAnswer

if TYPE_CHECKING:
    import ssl

HOME = "HYTHE_HOME"
_SERVICE_FILE = "service.json"
_AUTH_FILE = "my.azureauth"
_BUNDLE = "ca-bundle.pem"
_CA = "ca.pem"
_TIMEOUT = 300.0  # an import of images unpacks gigabytes
_FIRST_ERROR = 400


class LocalService(Struct, frozen=True, kw_only=True):
    """What a service writes about itself when it starts."""

    url: str
    pid: int
    tenant: str
    subscription: str
    installation: str
    engine: str


class _Token(Struct):
    access_token: str

    def __repr__(self) -> str:
        return "_Token(access_token=***)"


class _Error(Struct):
    code: str
    message: str


class _Failure(Struct):
    error: _Error


class _OAuthFailure(Struct):
    error: str
    error_description: str


def data_dir(option: str | None) -> Path:
    """Choose the data dir: the option, HYTHE_HOME, /var/lib/hythe for root, a folder at home for others."""
    chosen = option or os.environ.get(HOME)
    if chosen:
        return Path(chosen).expanduser().absolute()
    return Path("/var/lib/hythe") if os.geteuid() == 0 else Path.home() / ".local" / "share" / "hythe"


def auth_file(data_dir: Path) -> Path:
    """Name the auth file of the owner."""
    return data_dir / _AUTH_FILE


def ca_bundle(data_dir: Path) -> Path:
    """Name the file with the system's authorities and Hythe's."""
    return data_dir / _BUNDLE


def ca(data_dir: Path) -> Path:
    """Name the file with Hythe's own authority."""
    return data_dir / _CA


def read_local(data_dir: Path) -> LocalService:
    """Read what the service of a data dir wrote about itself.  Raises `HytheError`."""
    path = data_dir / _SERVICE_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=LocalService)
    except (FileNotFoundError, NotADirectoryError):
        raise HytheError(
            f"cannot find a service in {data_dir}: none runs there. Start one with `hythe up`, or name its data dir "
            f"by --data-dir or {HOME}."
        ) from None
    except OSError as why:
        raise HytheError(f"cannot read {path}: {why.strerror}. Run this as the user that the service runs as.") from why
    except (msgspec.DecodeError, UnicodeDecodeError) as why:
        raise HytheError(f"cannot read {path}: {why}. Start the service again with `hythe up`.") from why


def admin(
    service: LocalService, data_dir: Path, method: str, path: str, body: bytes | None = None, *, doing: str = ""
) -> bytes:
    """Send one request as the owner and return the body of its answer.  Raises `HytheError`, which says ``doing``.

    Goes straight to the service, whatever proxies the environment names, and trusts its own authority only.
    """
    owner = read_auth_file(auth_file(data_dir))
    context = trust(data_dir)
    headers = {"Authorization": f"Bearer {_token(service, owner, context)}"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    status, answer = _send(service, context, method, path, headers, body)
    if status >= _FIRST_ERROR:
        raise _failure(doing or f"{method} {path.partition('?')[0]}", status, answer)
    return answer


def trust(data_dir: Path) -> ssl.SSLContext:
    """Make a TLS context for which only the service of this data dir is the right one.  Raises `HytheError`."""
    import ssl

    try:
        return ssl.create_default_context(cafile=str(ca(data_dir)))
    except (OSError, ssl.SSLError) as why:
        raise ConnectionFailed(
            f"cannot trust the service: its authority {ca(data_dir)} can't be read ({why}). "
            "Start the service again with `hythe up`.",
            reason="untrusted",
        ) from why


def _token(service: LocalService, owner: AuthFile, context: ssl.SSLContext) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": owner.client_id,
        "client_secret": owner.client_secret,
        "scope": f"{service.url}/.default",
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    path = f"/{quote(owner.tenant_id, safe='')}/oauth2/v2.0/token"
    status, answer = _send(service, context, "POST", path, headers, urlencode(form).encode())
    try:
        if status < _FIRST_ERROR:
            return msgspec.json.decode(answer, type=_Token).access_token
        said = msgspec.json.decode(answer, type=_OAuthFailure).error_description
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise UnexpectedAnswer(
            f"cannot sign in: what answers at {service.url} is no Hythe. Start the service with `hythe up`."
        ) from None
    raise CredentialError(f"cannot sign in with the auth file of the service: {said}")


def _send(
    service: LocalService, context: ssl.SSLContext, method: str, path: str, headers: dict[str, str], body: bytes | None
) -> tuple[int, bytes]:
    """Send one request on a connection of its own; redirects are not followed."""
    import http.client

    address = urlsplit(service.url)
    connection = http.client.HTTPSConnection(
        address.hostname or "localhost", address.port or 443, timeout=_TIMEOUT, context=context
    )
    try:
        with answering(service.url):
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            content = answer.read()
        note("%s %s: %s, as the owner", method, shown(service.url + path), answer.status)
        return answer.status, content
    finally:
        connection.close()


def _failure(doing: str, status: int, answer: bytes) -> HytheError:
    try:
        error = msgspec.json.decode(answer, type=_Failure).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return UnexpectedAnswer(f"cannot {doing}: the service answered {status} without saying why. See its log.")
    return ServiceError(doing, status=status, code=error.code, message=error.message)
