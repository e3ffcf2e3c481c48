"""What is measured: a service of Hythe's own, Docker from Debian, and Microsoft's clients in their environment."""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import venv
from pathlib import Path
from statistics import median
from typing import IO, Any, Self

ROOT = Path(__file__).parents[1]
HYTHE = [sys.executable, "-m", "hythe"]
PINS = ROOT / "tests" / "real" / "clients" / "current.txt"


def figure(
    what: str, values: list[float] | float, unit: str, limit: float | None = None, at_least: float | None = None
) -> dict[str, Any]:
    """Make one line of the table, of one value or the median of many."""
    many = values if isinstance(values, list) else [values]
    made: dict[str, Any] = {"what": what, "value": round(median(many), 4), "unit": unit}
    if len(many) > 1:
        made |= {"least": round(min(many), 4), "most": round(max(many), 4), "runs": len(many)}
    bounds = {"limit": limit, "at_least": at_least}
    return made | {name: bound for name, bound in bounds.items() if bound is not None}


class Service:
    """A service with a data dir of its own, kept for its images; ``settings`` is its hythe.toml."""

    def __init__(self, name: str = "bench", settings: str = "") -> None:
        self.data_dir = ROOT / ".cache" / name
        self.settings = settings
        self.environment = os.environ | {"HYTHE_HOME": str(self.data_dir)}

    def __enter__(self) -> Self:
        self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.data_dir / "hythe.toml").write_text(self.settings)
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))
            port = held.getsockname()[1]
        self._hythe("up", "--detach", "--port", str(port))
        self.facts: dict[str, str] = json.loads(self._hythe("env", "--json"))
        return self

    def __exit__(self, *_: object) -> None:
        self._hythe("down")

    def _hythe(self, *arguments: str) -> str:
        return subprocess.run(
            [*HYTHE, *arguments], env=self.environment, check=True, stdout=subprocess.PIPE, text=True
        ).stdout

    @property
    def pid(self) -> int:
        """The process of the service."""
        return int((self.data_dir / "lock").read_text())

    @property
    def containerd_pid(self) -> int:
        """The process of its containerd."""
        installation = (self.data_dir / "installation").read_text().strip()
        return int(Path(f"/run/hythe/{installation}/containerd.pid").read_text().split()[0])


class Docker:
    """Debian's Docker, started for this run with a folder of its own; runs the page server of Hythe's samples."""

    IMAGE = "bench/page:1"

    def __init__(self, archive: Path) -> None:
        self.archive = archive

    def __enter__(self) -> Self:
        if shutil.which("dockerd") is None:
            subprocess.run(["apt-get", "install", "-y", "-q", "--no-install-recommends", "docker.io"], check=True,
                           stdout=subprocess.DEVNULL)  # fmt: skip
        self.folder = Path(tempfile.mkdtemp(prefix="hythe-bench-"))
        self.host = f"unix://{self.folder}/docker.sock"
        self.log: IO[bytes] = (self.folder / "log").open("wb")
        self.process = subprocess.Popen(
            ["dockerd", "--host", self.host, "--data-root", self.folder / "data", "--exec-root", self.folder / "run",
             "--pidfile", self.folder / "pid", "--default-ulimit", "nofile=20000:20000"],
            stdout=self.log, stderr=self.log,
        )  # fmt: skip
        try:
            self._wait()
            self._load()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _wait(self) -> None:
        deadline = time.monotonic() + 60
        while subprocess.run(self.command("info"), capture_output=True, check=False).returncode:
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError(f"dockerd does not start: {(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.1)

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(60)
        self.log.close()
        subprocess.run(["umount", "--lazy", "--recursive", self.folder / "data"], check=False, capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def command(self, *arguments: str) -> list[str]:
        """Give the command line of the client."""
        return ["docker", "--host", self.host, *arguments]

    def _load(self) -> None:
        """Load the image that Hythe made: the same layers and command, with the index that `docker load` asks for."""
        blobs: dict[str, bytes] = {}
        with tarfile.open(self.archive) as layout:
            for member in layout:
                content = layout.extractfile(member)
                if content is not None:
                    blobs[member.name] = content.read()

        def path(descriptor: dict[str, str]) -> str:
            return "blobs/" + descriptor["digest"].replace(":", "/")

        manifest = json.loads(blobs[path(json.loads(blobs["index.json"])["manifests"][0])])
        index = {
            "Config": path(manifest["config"]),
            "Layers": [path(layer) for layer in manifest["layers"]],
            "RepoTags": [self.IMAGE],
        }
        blobs["manifest.json"] = json.dumps([index]).encode()
        loaded = self.folder / "image.tar"
        with tarfile.open(loaded, "w") as out:
            for name in ("manifest.json", index["Config"], *index["Layers"]):
                info = tarfile.TarInfo(name)
                info.size = len(blobs[name])
                out.addfile(info, io.BytesIO(blobs[name]))
        subprocess.run(self.command("load", "--input", str(loaded)), check=True, stdout=subprocess.DEVNULL)

    def start(self) -> str:
        """Run `docker run -d -p` and give the container's id."""
        command = self.command("run", "-d", "-p", "80", self.IMAGE)
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def remove(self, *containers: str) -> float:
        """Time `docker rm -f`."""
        begun = time.perf_counter()
        subprocess.run(self.command("rm", "-f", *containers), check=True, capture_output=True)
        return time.perf_counter() - begun

    def run(self) -> float:
        """Time `docker run -d -p`; the container is removed after the clock stopped."""
        begun = time.perf_counter()
        started = self.start()
        took = time.perf_counter() - begun
        self.remove(started)
        return took


def microsofts() -> Path:
    """Give the Python of an environment with Microsoft's current clients."""
    folder = ROOT / ".cache" / "bench-clients"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True, clear=True, symlinks=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", "-r", PINS], check=True)
        (folder / "ready").touch()
    return python


class Worker:
    """A program that does one thing for each line that it is sent, and answers with the seconds that it took."""

    def __init__(self, python: Path | str, name: str, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [python, Path(__file__).parent / "workers" / f"{name}.py"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate(timeout=60)

    def once(self) -> float:
        """Have it done once."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())
