"""What only an installation's owner may do: principals, images, file shares, the certificate of `hythe run-with`."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec
from msgspec import Struct

from ..wire import faults, ids
from ..wire.faults import Fault
from .answers import Answer, empty, plain
from .call import Call
from .identity.rights import CONTRIBUTOR, ROLES, Role, role_named
from .shares import CannotShare, Shares
from .store import SqlStore, Subscription

T = TypeVar("T")

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LONGEST_NAME = 64


class ImagePort(Protocol):
    """The images of an engine."""

    async def list_images(self) -> list[tuple[str, int]]:
        """Give name and size in bytes of each."""

    async def cached(self, subscription: str) -> list[str]:
        """Give the names of those that a subscription may use."""

    async def import_image(self, archive: Path) -> list[str]:
        """Import an archive, give the names in it.  Raises ValueError."""

    async def remove_image(self, image: str) -> bool:
        """Remove one; False if it is not there."""

    def aliases(self) -> dict[str, str]:
        """Give every name that another image stands for."""

    def alias(self, name: str, image: str | None) -> None:
        """Let an image stand for a name, or end that."""


class _PrincipalAsked(Struct, rename="camel"):
    display_name: str = "hythe-sp"
    subscription_id: str = ""
    role: str = CONTRIBUTOR.name
    """Name or id of a role; empty for none."""
    scopes: list[str] = []
    """What it is assigned over; the subscription if none is named."""


class _SubscriptionAsked(Struct, rename="camel"):
    display_name: str
    subscription_id: str = ""


class _IdentityAsked(Struct):
    id: str
    """ARM id or client id."""


class _ImportAsked(Struct):
    path: str


class _AliasAsked(Struct):
    name: str
    image: str | None = None


class _ShareAsked(Struct, rename="camel"):
    account: str
    share: str = ""
    quota_gb: float = 0.0
    renew: bool = False


class _CopyAsked(Struct, rename="camel"):
    account: str
    share: str
    path: str
    """In the share."""
    local: str
    """On this machine, absolute."""
    into: bool


NewPrincipal = Callable[[str, str, str, Role | None, Sequence[str]], bytes]
"""Port: makes a principal of a name, for a subscription, at an address, with a role over scopes."""


class Admin:
    """Carries out the owner's wishes."""

    def __init__(
        self,
        store: SqlStore,
        new_principal: NewPrincipal,
        intercept: Callable[[], dict[str, object]],
        images: ImagePort | None,
        host_variables: Callable[[str], dict[str, str] | None],
        shares: Shares | None = None,
    ) -> None:
        self._host_variables = host_variables
        self._store = store
        self._new_principal = new_principal
        self._intercept = intercept
        self._images = images
        self._shares = shares

    def create_principal(self, call: Call) -> Answer:
        """Make a service principal and answer with its auth file: the only time its secret is shown."""
        asked = _read(call.body, _PrincipalAsked)
        subscription = asked.subscription_id or self._store.subscriptions()[0].id
        if self._store.subscription(subscription) is None:
            raise faults.subscription_not_found(subscription)
        role = role_named(asked.role) if asked.role else None
        if asked.role and role is None:
            names = ", ".join(each.name for each in ROLES)
            raise Fault(400, "RoleDefinitionDoesNotExist", f"There is no role '{asked.role}'. The roles are: {names}.")
        scopes = asked.scopes or [f"/subscriptions/{subscription}"]
        for scope in scopes:
            self._check_scope(scope)
        document = self._new_principal(asked.display_name, subscription, call.base_url, role, scopes)
        return Answer(status=201, body=document, headers=[("Cache-Control", "no-store")])

    def _check_scope(self, scope: str) -> None:
        found = ids.parse(scope)
        if found is None:
            raise Fault(400, "InvalidScope", f"'{scope}' is no scope. Give /subscriptions/<id> or an id below it.")
        if found.subscription and self._store.subscription(found.subscription) is None:
            raise faults.subscription_not_found(found.subscription)

    def host_identity(self, call: Call) -> Answer:
        """Tell how a program on this machine gets tokens of a user-assigned identity."""
        asked = _read(call.body, _IdentityAsked)
        found = self._host_variables(asked.id)
        if found is None:
            raise Fault(404, "ResourceNotFound", f"There is no user-assigned identity '{asked.id}'.")
        return plain(found, headers=[("Cache-Control", "no-store")])

    # --- subscriptions ---

    def create_subscription(self, call: Call) -> Answer:
        """Make a subscription in the tenant of the first one."""
        asked = _read(call.body, _SubscriptionAsked)
        identity = (asked.subscription_id or str(uuid.uuid4())).lower()
        if not _GUID.fullmatch(identity):
            raise Fault(
                400,
                "InvalidSubscriptionId",
                f"The provided subscription identifier '{identity}' is malformed or invalid.",
            )
        if not asked.display_name.strip() or len(asked.display_name) > _LONGEST_NAME:
            raise faults.invalid_content(f"displayName must have 1 to {_LONGEST_NAME} characters")
        if self._store.subscription(identity) is not None:
            raise Fault(409, "SubscriptionExists", f"The subscription '{identity}' exists already.")
        made = Subscription(id=identity, name=asked.display_name, tenant=self._store.subscriptions()[0].tenant)
        self._store.add_subscription(made)
        return plain({"subscriptionId": made.id, "displayName": made.name, "tenantId": made.tenant}, 201)

    def remove_subscription(self, call: Call) -> Answer:
        """Remove a subscription that is empty and not the first."""
        held = self._store.subscription(call.subscription)
        if held is None:
            raise faults.subscription_not_found(call.subscription)
        if held.id == self._store.subscriptions()[0].id:
            raise Fault(409, "SubscriptionInUse", "cannot remove the first subscription: auth files name it.")
        if any(row.resource_group for row in self._store.listed(None, held.id)):
            raise Fault(
                409,
                "SubscriptionInUse",
                f"cannot remove the subscription '{held.id}': it has resource groups. Delete them first.",
            )
        self._store.remove_subscription(held.id)
        return empty(204)

    def intercept(self) -> Answer:
        """Give certificate and key for Azure's names, and the CA to trust."""
        return plain(self._intercept(), headers=[("Cache-Control", "no-store")])

    @property
    def _port(self) -> ImagePort:
        if self._images is None:
            raise Fault(
                501, "NotSupported",
                "The engine of this service simulates containers and has no images. Start it without --engine sim.",
            )  # fmt: skip
        return self._images

    async def list_images(self) -> Answer:
        """List images and aliases."""
        images = [{"name": name, "size": size} for name, size in await self._port.list_images()]
        return plain({"images": images, "aliases": self._port.aliases()})

    async def import_image(self, call: Call) -> Answer:
        """Import an archive on this machine's disk."""
        path = Path(_read(call.body, _ImportAsked).path)
        if not path.is_absolute() or not path.is_file():
            raise Fault(400, "InvalidImage", f"cannot import {path}: there is no such file on the service's machine.")
        try:
            return plain({"images": await self._port.import_image(path)})
        except ValueError as error:
            raise Fault(400, "InvalidImage", str(error)) from None

    async def remove_image(self, call: Call) -> Answer:
        """Remove an image."""
        if not await self._port.remove_image(call.query.get("name", "")):
            raise Fault(404, "ImageNotFound", f"There is no image '{call.query.get('name', '')}'.")
        return empty(204)

    def alias_image(self, call: Call) -> Answer:
        """Set or end an alias."""
        asked = _read(call.body, _AliasAsked)
        self._port.alias(asked.name, asked.image)
        return plain({"aliases": self._port.aliases()})

    # --- shares ---

    @property
    def _share_port(self) -> Shares:
        if self._shares is None:
            raise Fault(501, "NotSupported", "This service has no file shares.")
        return self._shares

    async def list_shares(self) -> Answer:
        """List the file shares with what they hold."""
        return plain({"shares": await self._share_port.listed()})

    def create_share(self, call: Call) -> Answer:
        """Make a share, or change its quota, and answer with the key of its account."""
        asked = _read(call.body, _ShareAsked)
        return _secret(lambda: self._share_port.create(asked.account, asked.share, asked.quota_gb))

    def share_key(self, call: Call) -> Answer:
        """Answer with the key of an account, a new one if so asked."""
        asked = _read(call.body, _ShareAsked)
        return _secret(lambda: self._share_port.key(asked.account, renew=asked.renew))

    def remove_share(self, call: Call) -> Answer:
        """Remove a share and what it holds."""
        try:
            self._share_port.remove(call.query.get("account", ""), call.query.get("share", ""))
        except CannotShare as error:
            raise _cannot(error) from None
        return empty(204)

    async def copy_share(self, call: Call) -> Answer:
        """Copy files of this machine into a share or out of it."""
        asked = _read(call.body, _CopyAsked)
        shares = self._share_port
        try:
            copied = await shares.copy(asked.account, asked.share, asked.path, asked.local, into=asked.into)
        except CannotShare as error:
            raise _cannot(error) from None
        return plain(copied)


def _secret(give: Callable[[], str]) -> Answer:
    try:
        return plain({"key": give()}, headers=[("Cache-Control", "no-store")])
    except CannotShare as error:
        raise _cannot(error) from None


def _cannot(error: CannotShare) -> Fault:
    return Fault(404 if error.code.endswith("NotFound") else 409 if error.code == "ShareInUse" else 400,
                 error.code, str(error))  # fmt: skip


def _read(body: bytes, type_: type[T]) -> T:
    try:
        return msgspec.json.decode(body or b"{}", type=type_)
    except msgspec.DecodeError as error:
        raise faults.invalid_content(str(error)) from None
