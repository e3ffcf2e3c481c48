"""What only the owner of an installation may ask, and whether the service is well."""

from __future__ import annotations

from ..answers import Answer, plain
from ..call import Call
from .api import Api


def health(api: Api, call: Call) -> Answer:
    """Tell that the service answers, and with which engine."""
    return plain(api.health)


def create_principal(api: Api, call: Call) -> Answer:
    """Make a service principal."""
    return api.admin.create_principal(call)


def host_identity(api: Api, call: Call) -> Answer:
    """Tell how a program on this machine gets tokens of an identity."""
    return api.admin.host_identity(call)


def create_subscription(api: Api, call: Call) -> Answer:
    """Make a subscription."""
    return api.admin.create_subscription(call)


def remove_subscription(api: Api, call: Call) -> Answer:
    """Remove a subscription that is empty."""
    return api.admin.remove_subscription(call)


def intercept(api: Api, call: Call) -> Answer:
    """Give a certificate for Azure's names that lasts for one run."""
    return api.admin.intercept()


async def list_images(api: Api, call: Call) -> Answer:
    """List the images."""
    return await api.admin.list_images()


async def import_image(api: Api, call: Call) -> Answer:
    """Import an archive that lies on this machine."""
    return await api.admin.import_image(call)


async def remove_image(api: Api, call: Call) -> Answer:
    """Remove an image."""
    return await api.admin.remove_image(call)


def alias_image(api: Api, call: Call) -> Answer:
    """Let an image stand for another name."""
    return api.admin.alias_image(call)


async def list_shares(api: Api, call: Call) -> Answer:
    """List the file shares."""
    return await api.admin.list_shares()


def create_share(api: Api, call: Call) -> Answer:
    """Make a file share."""
    return api.admin.create_share(call)


def remove_share(api: Api, call: Call) -> Answer:
    """Remove a file share."""
    return api.admin.remove_share(call)


def share_key(api: Api, call: Call) -> Answer:
    """Give the key of a storage account."""
    return api.admin.share_key(call)


async def copy_share(api: Api, call: Call) -> Answer:
    """Copy files into or out of a share."""
    return await api.admin.copy_share(call)
