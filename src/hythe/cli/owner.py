"""Asks the service of this machine what only its owner may ask."""

from __future__ import annotations

import click
import msgspec

from ..client import local
from ..errors import ServiceError
from .exits import NOT_FOUND, Said

_NOT_FOUND = 404

data_dir_option = click.option("--data-dir", metavar="DIR", help="The service's data dir (default: HYTHE_HOME).")


def ask_owner(data_dir: str | None, doing: str, method: str, path: str, body: object = None) -> bytes:
    """Send a request with the owner's auth file; ``doing`` begins the sentence of an error."""
    where = local.data_dir(data_dir)
    encoded = msgspec.json.encode(body) if body is not None else None
    try:
        return local.admin(local.read_local(where), where, method, path, encoded, doing=doing)
    except ServiceError as error:
        parent = click.get_current_context().parent
        if error.status != _NOT_FOUND or parent is None:
            raise
        noun = "subscription" if error.code == "SubscriptionNotFound" else parent.info_name
        raise Said(f"{error} `hythe {noun} ls` shows those that there are.", NOT_FOUND) from None
