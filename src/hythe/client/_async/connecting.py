"""Finds the service to talk to: the one of this machine, one that is named, or Azure."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from hythe.client import local
from hythe.client.addresses import safe_base
from hythe.client.auth_file import VARIABLE, read_auth_file
from hythe.client.clouds import PUBLIC, Cloud, cloud
from hythe.client.documents import error_of, unreadable
from hythe.client.transport import Request
from hythe.client.trust import Trust
from hythe.errors import CredentialError, HytheError

from ._io import Clock, Transport, close
from .container_instances import ContainerInstanceManagementClient
from .credentials import Ca
from .exchange import exchange
from .surroundings import DefaultCredential, EnvironmentCredential, az_account, has_secret
from .transport import HttpTransport

_SUBSCRIPTION = "AZURE_SUBSCRIPTION_ID"
_METADATA = "/metadata/endpoints?api-version=2022-09-01"


class _Authentication(Struct, rename="camel"):
    login_endpoint: str
    audiences: list[str]


class _Metadata(Struct, rename="camel"):
    authentication: _Authentication
    resource_manager: str | None = None
    name: str | None = None


async def discover_cloud(url: str, *, ca: Ca | None = None, transport: Transport | None = None) -> Cloud:
    """Read what a Resource Manager says about itself at ``/metadata/endpoints``: Hythe, Azure, Azure Stack.

    Raises `HytheError`.
    """
    base = safe_base(url, "the address of a cloud")
    doing = f"read the metadata of {base}"
    own = transport or HttpTransport(trust=Trust.of(ca), timeout=30.0)
    try:
        request = Request(method="GET", url=base + _METADATA, headers={"accept": "application/json"})
        answer = await exchange(own, request, Clock())
    finally:
        if transport is None:
            await close(own)
    error = error_of(answer, doing)
    if error:
        raise error
    try:
        said = _read_metadata(answer.body)
        return Cloud(
            name=said.name or base, resource_manager=(said.resource_manager or base).rstrip("/"),
            # of ADFS the tenant is named too, and whoever signs in names the tenant
            authority=said.authentication.login_endpoint.rstrip("/").removesuffix("/adfs"),
            audience=said.authentication.audiences[0],
        )  # fmt: skip
    except (msgspec.DecodeError, UnicodeDecodeError, IndexError) as why:
        raise unreadable(doing, why) from why


def _read_metadata(body: bytes) -> _Metadata:
    """Read one cloud; older services give a list of one."""
    if body.lstrip().startswith(b"["):
        return msgspec.json.decode(body, type=list[_Metadata])[0]
    return msgspec.json.decode(body, type=_Metadata)


async def connect(
    to: str | os.PathLike[str] | Cloud | None = None,
    *,
    subscription_id: str | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    **options: Any,
) -> ContainerInstanceManagementClient:
    """Make a client for the service that is there; ``client.connected_to`` says which it is and how it was found.

    Without ``to`` the first of these: the auth file that AZURE_AUTH_LOCATION names; the service of this machine
    (``data_dir``, HYTHE_HOME, or the usual folder); Azure, with AZURE_CLIENT_ID and AZURE_SUBSCRIPTION_ID or the az
    CLI's login.  AZURE_CLIENT_ID with a secret or certificate is a service principal's, without one a managed
    identity's.  ``to`` chooses: ``"local"``, ``"azure"``, a cloud or its name, the path of an auth file, or an https
    address.  ``options`` go to the client.  Raises `CredentialError` that says what was looked for.
    """
    if to is None:
        return await _first(subscription_id, data_dir, options)
    name = "" if isinstance(to, Cloud) else os.fspath(to)
    if name == "local":
        return _local(data_dir, subscription_id, options)
    if name and "://" not in name and (os.sep in name or Path(name).expanduser().is_file()):
        return _auth_file(name, subscription_id, options)
    if "://" in name:
        found = await discover_cloud(name, ca=options.get("ca"), transport=options.get("transport"))
    else:
        found = cloud(to)
    return await _azure(found, subscription_id, options)


async def _first(
    subscription_id: str | None, data_dir: str | os.PathLike[str] | None, options: dict[str, Any]
) -> ContainerInstanceManagementClient:
    if data_dir is None and os.environ.get(VARIABLE):
        return _auth_file(None, subscription_id, options)
    reasons = []
    try:
        return _local(data_dir, subscription_id, options)
    except HytheError as why:
        if data_dir is not None:
            raise
        reasons.append(str(why))
    try:
        return await _azure(None, subscription_id, options)
    except CredentialError as why:
        reasons.append(str(why))
    lines = "".join(f"\n  - {reason.splitlines()[0]}" for reason in reasons)
    raise CredentialError(f"cannot connect: there is neither a service on this machine nor a login to Azure.{lines}")


def _auth_file(
    path: str | None, subscription_id: str | None, options: dict[str, Any]
) -> ContainerInstanceManagementClient:
    auth = read_auth_file(path)
    if subscription_id is not None:
        auth = msgspec.structs.replace(auth, subscription_id=subscription_id)
    made = ContainerInstanceManagementClient.from_auth(auth, **options)
    made.connected_to += f", by the auth file {path or os.environ[VARIABLE]}"
    return made


def _local(
    data_dir: str | os.PathLike[str] | None, subscription_id: str | None, options: dict[str, Any]
) -> ContainerInstanceManagementClient:
    where = local.data_dir(None if data_dir is None else os.fspath(data_dir))
    service = local.read_local(where)
    if not _lives(service.pid):
        raise HytheError(
            f"cannot connect to the service of {where}: it is not running (process {service.pid} is gone). "
            "Start it with `hythe up`."
        )
    made = _auth_file(os.fspath(local.auth_file(where)), subscription_id, options)
    made.connected_to = f"Hythe on this machine at {service.url}, data dir {where}"
    return made


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


async def _azure(
    chosen: Cloud | None, subscription_id: str | None, options: dict[str, Any]
) -> ContainerInstanceManagementClient:
    subscription = subscription_id or os.environ.get(_SUBSCRIPTION)
    how = "AZURE_SUBSCRIPTION_ID" if subscription_id is None else "the subscription given"
    if subscription is None:
        account = await az_account()
        subscription, how = account.id, f"the az CLI's login ({account.name or account.id})"
        if chosen is None:
            chosen = cloud(account.environment_name)
    known = chosen or PUBLIC
    credential = options.pop("credential", None)
    if credential is None:
        # AZURE_CLIENT_ID without a secret names a managed identity.
        ways = EnvironmentCredential if os.environ.get("AZURE_CLIENT_ID") and has_secret() else DefaultCredential
        credential = ways(authority=known.authority, ca=options.get("ca"))
    made = ContainerInstanceManagementClient(
        credential, subscription, known.resource_manager, **{"credential_scopes": known.scopes, **options}
    )
    made.connected_to = f"{known.name} at {known.resource_manager}, subscription {subscription}, by {how}"
    return made
