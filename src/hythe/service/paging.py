"""Pages of lists: where the next one begins is written into its link, so that nothing has to be remembered."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import urlencode

from ..wire.faults import Fault
from .call import Call

SIZE = 1000
"""Most resources on one page."""
_TOKEN = "$skiptoken"  # noqa: S105  (that is what OData calls it)


def next_link(call: Call, last_key: str) -> str:
    """Give the URL of the page after the one that ends with a key: the caller's own host, path and parameters."""
    token = base64.urlsafe_b64encode(last_key.encode()).rstrip(b"=").decode()
    query = {name: value for name, value in call.query.items() if name != _TOKEN}
    return f"{call.base_url}{call.path}?{urlencode(query | {_TOKEN: token}, safe='$')}"


def key_after(query: Mapping[str, str]) -> str:
    """Give the key after which a page begins, empty for the first.  Raises `Fault` for a token that is none of ours."""
    token = query.get(_TOKEN, "")
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise Fault(400, "InvalidSkipToken", f"The skip token '{token}' of the next link is invalid.") from None
