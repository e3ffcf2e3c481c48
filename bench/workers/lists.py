"""List 10,000 groups once, as one of three clients, and print the seconds and the peak of memory in MB.

python lists.py hythe|microsofts|requests URL
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"


def hythe(url: str) -> Any:
    """Make our client and the call."""
    from hythe import ContainerInstanceManagementClient, StaticTokenCredential

    client = ContainerInstanceManagementClient(StaticTokenCredential("t"), SUBSCRIPTION, url)
    assert not list(client.location.list_usage("westus"))  # first the connection, and what is imported for it
    return lambda: sum(len(group.containers or ()) for group in client.container_groups.list())


def microsofts(url: str) -> Any:
    """Make Microsoft's client and the call; by plain HTTP, which it has to be told to allow."""
    from azure.core.credentials import AccessToken
    from azure.mgmt.containerinstance import ContainerInstanceManagementClient

    class Credential:
        def get_token(self, *_: str, **__: Any) -> AccessToken:
            return AccessToken("t", 32503680000)

    client = ContainerInstanceManagementClient(Credential(), SUBSCRIPTION, url, credential_scopes=["x/.default"])
    assert not list(client.location.list_usage("westus", enforce_https=False))
    return lambda: sum(len(group.containers) for group in client.container_groups.list(enforce_https=False))


def requests(url: str) -> Any:
    """Make the least that a program without a library would do."""
    import requests as library

    path = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ContainerInstance/containerGroups?api-version=2023-05-01"

    def call() -> int:
        count, link = 0, url + path
        while link:
            page = json.loads(library.get(link, headers={"Authorization": "Bearer t"}, timeout=300).content)
            count += sum(len(group["properties"]["containers"]) for group in page["value"])
            link = page.get("nextLink")
        return count

    return call


call = {"hythe": hythe, "microsofts": microsofts, "requests": requests}[sys.argv[1]](sys.argv[2])
begun = time.perf_counter()
count = call()
took = time.perf_counter() - begun
assert count == 20_000, count
# not getrusage: its peak is that of the parent too
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(took, int(peak.split()[1]) / 1024)
