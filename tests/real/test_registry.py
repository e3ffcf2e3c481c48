"""A registry that asks for credentials: whose images they are afterwards, and what containerd knows them by."""

from __future__ import annotations

import base64
import hashlib
import json
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hythe.errors import ServiceError
from hythe.models import ContainerGroup, ImageRegistryCredential

from .conftest import Running, page, web
from .test_life import put

pytestmark = pytest.mark.containers
USER, PASSWORD = "ann", "p4Zw-registry-password"


class Registry(ThreadingHTTPServer):
    """Serves one image, `page:1`, to whoever knows the password."""

    daemon_threads = True

    def __init__(self, archive: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        with tarfile.open(archive) as tar:
            self.blobs = {
                "sha256:" + Path(each.name).name: tar.extractfile(each).read()  # type: ignore[union-attr]
                for each in tar
                if each.isfile() and each.name.startswith("blobs/sha256/")
            }
            index = json.load(tar.extractfile("index.json"))  # type: ignore[arg-type]
        # An image of its own: what everybody has already is nobody's secret.
        manifest = json.loads(self.blobs[index["manifests"][0]["digest"]])
        config = json.loads(self.blobs[manifest["config"]["digest"]]) | {"author": "ann"}
        manifest["config"] |= {"digest": self.keep(config), "size": len(json.dumps(config))}
        self.digest = self.keep(manifest)
        self.failing = False
        """It answers 503 to everything."""
        self.image = f"127.0.0.1:{self.server_port}/page"

    def keep(self, document: dict[str, Any]) -> str:
        text = json.dumps(document).encode()
        digest = "sha256:" + hashlib.sha256(text).hexdigest()
        self.blobs[digest] = text
        return digest


class Handler(BaseHTTPRequestHandler):
    """The few requests of the distribution protocol that a pull makes."""

    server: Registry

    def do_GET(self) -> None:
        """Answer."""
        wanted = self.path.rpartition("/")[2]
        if self.server.failing:
            self.send_error(503)
            return
        known = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {known}":
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="tests"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        digest = self.server.digest if wanted == "1" else wanted
        blob = self.server.blobs.get(digest, b"")
        self.send_response(200 if blob else 404)
        kind = "application/octet-stream"
        if "/manifests/" in self.path:
            kind = "application/vnd.oci.image.manifest.v1+json"
            self.send_header("Docker-Content-Digest", digest)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(blob)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(blob)

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def registry(real: Running) -> Iterator[Registry]:
    made = Registry(next((real.data_dir / "cache").glob("helloworld-*.tar")))
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield made
    finally:
        made.shutdown()
        thread.join()
        made.server_close()


def of(image: str, server: str | None = None, password: str = PASSWORD) -> ContainerGroup:
    what = web()
    what.containers[0].image = image
    if server:
        what.image_registry_credentials = [ImageRegistryCredential(server=server, username=USER, password=password)]
    return what


def test_an_image_behind_a_password(fresh: Running, registry: Registry) -> None:
    fresh.settings += f'[engine.images]\nlocal_registries = ["127.0.0.1:{registry.server_port}"]\n'
    fresh.up()
    folder, server = fresh.folder("rg"), f"127.0.0.1:{registry.server_port}"
    for refused in (of(f"{registry.image}:1"), of(f"{registry.image}:1", server, "wrong"),
                    of(f"{registry.image}:1", "127.0.0.1")):  # fmt: skip
        with pytest.raises(ServiceError, match="registry credential") as why:
            put(fresh, folder, "web", refused)
        assert why.value.code == "InaccessibleImage"

    made = put(fresh, folder, "web", of(f"{registry.image}:1", server))
    assert b"<h1>" in page(made.ip_address.ip)

    # containerd knows the image by four names; the first, without credentials, is free for this subscription only
    put(fresh, folder, "again", of(f"{registry.image}:1"))
    kept = json.loads((fresh.data_dir / "engine" / "images.json").read_text())
    (identity,) = kept["private"]
    assert kept["private"] == {identity: [fresh.facts["subscription"]]}
    assert f"{registry.image}@{registry.digest}" in "\n".join(fresh.ctr("images", "ls", "-q"))
    for path in fresh.data_dir.glob("service.log*"):
        assert PASSWORD.encode() not in path.read_bytes()

    fresh.end_service()
    kept["private"] = {identity: ["another subscription"]}
    (fresh.data_dir / "engine" / "images.json").write_text(json.dumps(kept))
    fresh.up()
    for name in (f"{registry.image}:1", f"{registry.image}@{registry.digest}", identity, identity[7:19]):
        with pytest.raises(ServiceError, match="registry credential"):
            put(fresh, folder, "third", of(name))
    assert put(fresh, folder, "third", of(f"{registry.image}@{registry.digest}", server)).ip_address.ip


def test_a_registry_that_fails_and_one_on_this_machine(real: Running, registry: Registry) -> None:
    folder = real.folder("registries")
    registry.failing = True
    with pytest.raises(ServiceError, match=r"from the docker registry '127\.0\.0\.1:") as failed:
        put(real, folder, "web", of(f"{registry.image}:1"))
    registry.failing = False
    with pytest.raises(ServiceError, match=r"local_registries = \[\"localhost:\d+\"\]") as near:
        put(real, folder, "web", of(f"localhost:{registry.server_port}/page:1"))  # by this name it is not allowed

    assert (failed.value.status, failed.value.code) == (409, "RegistryErrorResponse")
    assert (near.value.status, near.value.code) == (400, "InaccessibleImage")
