"""The form of what is posted to a log workspace, its signature, and the posting itself.

The form is that of Azure Monitor's HTTP Data Collector API: an array of records for one table, signed with the
workspace's key.  The workspace writes them to the table ``<Log-Type>_CL`` and adds a letter to the name of each column.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

LOGS, EVENTS = "ContainerInstanceLog", "ContainerEvent"
"""The tables, as Azure's container groups write them."""
API_VERSION = "2016-04-01"
LONGEST_MESSAGE = 32 << 10
"""Bytes of one column that the API takes."""
_PATH = "/api/logs"
_TYPE = "application/json"
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_SECONDS = 5.0
_TOO_MANY, _SERVER = 429, 500

Record = Mapping[str, str | int | None]


class Target(Struct, frozen=True, kw_only=True):
    """A workspace: where it is, and its key in base64."""

    url: str
    """``{workspaceId}`` in it stands for the id."""
    workspace: str
    key: str

    def problem(self) -> str | None:
        """Say why nothing can be posted there, or None."""
        if not _ID.fullmatch(self.workspace):
            return f"'{self.workspace[:64]}' is no id of a workspace"
        try:
            base64.b64decode(self.key, validate=True)
        except ValueError:
            return "the workspace's key is not base64"
        return None


class NotTaken(Exception):
    """A workspace refused records, and would refuse them again."""


class NotNow(Exception):
    """A workspace could not be reached, or asks to be left alone: try again."""


def signature(target: Target, length: int, date: str) -> str:
    """Give the Authorization header of a post of so many bytes at a time (RFC 1123)."""
    text = f"POST\n{length}\n{_TYPE}\nx-ms-date:{date}\n{_PATH}"
    digest = hmac.digest(base64.b64decode(target.key), text.encode(), "sha256")
    return f"SharedKey {target.workspace}:{base64.b64encode(digest).decode()}"


def post(target: Target, table: str, records: Sequence[Record], now: datetime) -> None:
    """Post records to a table; blocks, for some seconds at most.  Raises `NotTaken` or `NotNow`."""
    import http.client  # where nothing is posted nothing is loaded

    body = msgspec.json.encode(records)
    date = format_datetime(now.astimezone(UTC), usegmt=True)
    headers = {
        "Content-Type": _TYPE,
        "Authorization": signature(target, len(body), date),
        "Log-Type": table,
        "x-ms-date": date,
        "time-generated-field": "TimeGenerated",
    }
    where = urlsplit(target.url.replace("{workspaceId}", target.workspace))
    kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
    connection = kind(where.netloc, timeout=_SECONDS)
    try:
        connection.request("POST", f"{where.path.rstrip('/')}{_PATH}?api-version={API_VERSION}", body, headers)
        answer = connection.getresponse()
        said = answer.read(500)
    except (OSError, http.client.HTTPException) as error:
        raise NotNow(f"{where.netloc} can't be reached: {error}") from None
    finally:
        connection.close()
    if answer.status == _TOO_MANY or answer.status >= _SERVER:
        raise NotNow(f"{where.netloc} answered {answer.status}")
    if not 200 <= answer.status < 300:  # noqa: PLR2004 - success
        raise NotTaken(f"{where.netloc} answered {answer.status}: {said.decode(errors='replace')}")
