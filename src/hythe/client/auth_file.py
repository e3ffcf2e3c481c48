"""Makes clients from the file that ``hythe sp create --sdk-auth`` and ``az ad sp create-for-rbac --sdk-auth`` write."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec import Struct

from hythe.errors import CredentialError

VARIABLE = "AZURE_AUTH_LOCATION"
_CA_FILE = "ca.pem"


class AuthFile(Struct, frozen=True, kw_only=True, rename="camel"):
    """The members of an auth file that are used.  Its repr hides the secret."""

    client_id: str
    client_secret: str
    tenant_id: str
    subscription_id: str
    active_directory_endpoint_url: str
    resource_manager_endpoint_url: str
    loopback_ca: str | None = msgspec.field(name="-", default=None)
    """The certificate file that lies beside this one, trusted for hosts on this machine only."""

    def __repr__(self) -> str:
        return f"AuthFile(client_id={self.client_id!r}, url={self.resource_manager_endpoint_url!r}, client_secret=***)"


def read_auth_file(path: str | os.PathLike[str] | None = None) -> AuthFile:
    """Read an auth file, by default the one that AZURE_AUTH_LOCATION names.  Raises `CredentialError`."""
    chosen = os.fspath(path) if path is not None else os.environ.get(VARIABLE)
    if not chosen:
        raise CredentialError(
            f"cannot find the auth file: {VARIABLE} is not set. Set it to the file's path or pass auth_path=; "
            "`hythe sp create --sdk-auth` writes such a file."
        )
    file = Path(chosen).expanduser()
    try:
        text = file.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as why:
        raise CredentialError(
            f"cannot read the auth file {str(file)!r}: {why.strerror}. Check {VARIABLE} or auth_path."
        ) from why
    missing = [name for name in AuthFile.__struct_encode_fields__ if name != "-" and not _member(text, name, file)]
    if missing:
        raise CredentialError(
            f"cannot use the auth file {str(file)!r}: it has no {', '.join(missing)}. "
            "Write a new one with `hythe sp create --sdk-auth`."
        )
    auth = msgspec.json.decode(text, type=AuthFile)
    beside = file.parent / _CA_FILE
    return msgspec.structs.replace(auth, loopback_ca=str(beside) if beside.is_file() else None)


def _member(text: bytes, name: str, file: Path) -> str | None:
    """Get one member as text; None if it is missing, empty or no text."""
    try:
        value = msgspec.json.decode(text, type=dict[str, object]).get(name)
    except (msgspec.DecodeError, UnicodeDecodeError) as why:
        raise CredentialError(
            f"cannot use the auth file {str(file)!r}: it is not a JSON object ({why}). "
            "Write a new one with `hythe sp create --sdk-auth`."
        ) from why
    return value if isinstance(value, str) else None


class _Client(Protocol):
    @classmethod
    def from_auth(cls, auth: AuthFile, **options: Any) -> Any:
        """Make the client."""


C = TypeVar("C", bound=_Client)


def get_client_from_auth_file(
    client_class: type[C], auth_path: str | os.PathLike[str] | None = None, **options: Any
) -> C:
    """Make a client, synchronous or asynchronous, with the principal and the addresses of an auth file.

    The path is ``auth_path`` or the value of AZURE_AUTH_LOCATION; ``options`` go to the client as they are.  A
    ``ca.pem`` in the folder of the file is trusted too, but only for addresses on this machine.  Raises
    `CredentialError` for a file that is not there or can't be used.  It is the function of azure.common 1.x.
    """
    client: C = client_class.from_auth(read_auth_file(auth_path), **options)
    return client
