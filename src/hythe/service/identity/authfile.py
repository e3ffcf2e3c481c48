"""Writes auth files: the JSON of `az ad sp create-for-rbac --sdk-auth`, with this service's addresses in it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from .files import write

NAME = "my.azureauth"

_OF_AZURE = {
    "activeDirectoryGraphResourceId": "https://graph.windows.net/",
    "sqlManagementEndpointUrl": "https://management.core.windows.net:8443/",
    "galleryEndpointUrl": "https://gallery.azure.com/",
    "managementEndpointUrl": "https://management.core.windows.net/",
}
"""Members that readers expect to be there; a service that runs containers has no address of its own for them."""


def sdk_auth(*, client_id: str, client_secret: str, subscription: str, tenant: str, url: str) -> bytes:
    """Write the document for a principal, its members in the order that az writes them."""
    base = url.rstrip("/")
    document = {
        "clientId": client_id,
        "clientSecret": client_secret,
        "subscriptionId": subscription,
        "tenantId": tenant,
        "activeDirectoryEndpointUrl": base,
        "resourceManagerEndpointUrl": f"{base}/",
        **_OF_AZURE,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def write_auth_file(data_dir: Path, document: bytes) -> Path:
    """Write `<data-dir>/my.azureauth`, for its owner only, in one step."""
    path = data_dir / NAME
    write(path, document)
    return path


def readdress_auth_file(data_dir: Path, url: str) -> None:
    """Write the service's present address into `<data-dir>/my.azureauth`, if the file is there and names another."""
    path = data_dir / NAME
    try:
        document = msgspec.json.decode(path.read_bytes(), type=dict[str, str | None])
    except FileNotFoundError:
        return
    except msgspec.DecodeError as error:
        raise ValueError(f"cannot read {path}: {error}. Restore it from a copy.") from None
    base = url.rstrip("/")
    moved = document | {"activeDirectoryEndpointUrl": base, "resourceManagerEndpointUrl": f"{base}/"}
    if moved != document:
        write_auth_file(data_dir, msgspec.json.format(msgspec.json.encode(moved), indent=2) + b"\n")
