"""Asks the az CLI and reads what it says.  Pure but for finding the program, and telling that it is asked."""

from __future__ import annotations

import shutil
from datetime import datetime

import msgspec
from msgspec import Struct

from hythe.client.request_log import note
from hythe.errors import CredentialError

from .tokens import AccessToken


class AzAccount(Struct, frozen=True, rename="camel"):
    """The subscription that the az CLI uses."""

    id: str
    tenant_id: str = ""
    name: str = ""
    environment_name: str = "AzureCloud"


class _AzToken(Struct, rename="camel"):
    access_token: str
    expires_on: str = ""
    epoch: int | None = msgspec.field(name="expires_on", default=None)


class Ran(Struct, frozen=True):
    """What a program said and how it ended."""

    code: int
    out: bytes
    err: bytes


def program(command: list[str]) -> list[str]:
    """Put the path of the program at the front.  Raises `CredentialError` if it is not installed."""
    note("asking %s", " ".join(command[:3]))  # what follows names tenant and scope
    found = shutil.which(command[0])
    if found is None:
        raise CredentialError(f"cannot use the login of {command[0]}: it is not installed (not on PATH)")
    return [found, *command[1:]]


def az_token(scope: str, tenant: str) -> list[str]:
    """Write the command that gives a token."""
    command = ["az", "account", "get-access-token", "--output", "json", "--scope", scope]
    return [*command, "--tenant", tenant] if tenant else command


def read_az_token(ran: Ran) -> AccessToken:
    """Read the token.  Raises `CredentialError` with what az said."""
    _check(ran)
    try:
        said = msgspec.json.decode(ran.out, type=_AzToken)
        # az writes the local time, and the seconds of the epoch since 2.54
        expires = said.epoch or int(datetime.fromisoformat(said.expires_on).timestamp())
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as why:
        raise CredentialError("cannot use the login of az: what it printed is no token. Update the az CLI.") from why
    return AccessToken(said.access_token, expires)


def read_account(ran: Ran) -> AzAccount:
    """Read which subscription is used.  Raises `CredentialError` with what az said."""
    _check(ran)
    try:
        return msgspec.json.decode(ran.out, type=AzAccount)
    except (msgspec.DecodeError, UnicodeDecodeError) as why:
        raise CredentialError("cannot use the login of az: what it printed is no account. Update the az CLI.") from why


def _check(ran: Ran) -> None:
    if ran.code:
        lines = ran.err.decode("utf-8", "replace").strip().splitlines() or [f"it ended with {ran.code}"]
        raise CredentialError(f"cannot use the login of az: {lines[-1]} Run `az login` first.")
