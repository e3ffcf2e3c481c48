"""The host names of groups: a label, and by its scope a part that makes it somebody's own."""

from __future__ import annotations

import hashlib
import secrets

from ...wire.ids import ResourceId

_LETTERS = "abcdefgh"
_LENGTH = 16


def scoped(label: str, scope: str | None, *, tenant: str, identity: ResourceId, before: str | None) -> str:
    """Give the first labels of a group's host name: ``label`` or ``label.hash``.

    The hash is the same for every group of the tenant, the subscription or the resource group, so a name can be used
    again there and nowhere else; with Noreuse it is random, and stays while the group lives (``before`` is the host
    name that the group has now).
    """
    subscription = identity.subscription.lower()
    folder = identity.resource_group.lower()
    parts = {
        "TenantReuse": (tenant.lower(),),
        "SubscriptionReuse": (tenant.lower(), subscription),
        "ResourceGroupReuse": (tenant.lower(), subscription, folder),
    }
    if scope in parts:
        made = hashlib.sha256("/".join((scope, label, *parts[scope])).encode()).digest()
    elif scope == "Noreuse":
        head, _, rest = (before or "").partition(".")
        hashed = rest.partition(".")[0]
        if head == label and len(hashed) == _LENGTH:
            return f"{label}.{hashed}"
        made = secrets.token_bytes(_LENGTH)
    else:
        return label
    # A letter first, as every label of a host name may have it.
    return f"{label}.{_LETTERS[made[0] % len(_LETTERS)]}{made.hex()[1:_LENGTH]}"
