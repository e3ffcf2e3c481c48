"""Serves a list of 10,000 container groups on loopback, in one response or in pages, the same bytes to everybody."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

GROUPS, PAGE = 10_000, 1_000


def _container(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "properties": {
            "image": "registry.example/shop/web:1.4.2",
            "command": ["/bin/sh", "-c", "exec web --listen 0.0.0.0:80"],
            "ports": [{"protocol": "TCP", "port": 80}],
            "environmentVariables": [{"name": "MODE", "value": "production"}, {"name": "TOKEN"}],
            "resources": {"requests": {"memoryInGB": 1.5, "cpu": 1.0}},
            "volumeMounts": [{"name": "data", "mountPath": "/data", "readOnly": False}],
        },
    }


def _group(number: int) -> dict[str, Any]:
    name = f"group-{number}"
    home = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/shop/providers"
    return {
        "properties": {
            "sku": "Standard", "provisioningState": "Succeeded",
            "containers": [_container("web"), _container("helper")], "initContainers": [],
            "imageRegistryCredentials": [{"server": "registry.example", "username": "reader"}],
            "restartPolicy": "Always",
            "ipAddress": {"ports": [{"protocol": "TCP", "port": 80}], "ip": "20.1.2.3", "type": "Public",
                          "dnsNameLabel": name, "fqdn": f"{name}.westus.azurecontainer.io"},
            "osType": "Linux", "volumes": [{"name": "data", "emptyDir": {}}],
        },
        "id": f"{home}/Microsoft.ContainerInstance/containerGroups/{name}",
        "name": name, "type": "Microsoft.ContainerInstance/containerGroups", "location": "westus",
        "tags": {"team": "shop", "number": str(number)},
    }  # fmt: skip


class Canned:
    """Is the server.  ``url`` answers a list at once, ``url/pages`` in pages."""

    def __enter__(self) -> Self:
        whole = json.dumps({"value": [_group(number) for number in range(GROUPS)]}).encode()
        bodies = {"": whole}

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path, _, query = self.path.partition("?")
                start = query.rpartition("skip=")[2] if "skip=" in query else "0"
                body = (
                    b'{"value": []}'
                    if path.endswith("/usages")
                    else bodies.get("" if not path.startswith("/pages/") else f"page {start}", b"")
                )
                self.send_response(200)
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        for start in range(0, GROUPS, PAGE):
            groups = [_group(number) for number in range(start, start + PAGE)]
            link = f"{self.url}/pages/next?api-version=2023-05-01&skip={start + PAGE}"
            last = start + PAGE >= GROUPS
            bodies[f"page {start}"] = json.dumps({"value": groups, **({} if last else {"nextLink": link})}).encode()
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
