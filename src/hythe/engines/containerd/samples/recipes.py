"""Says what is in each sample image and takes it from Debian packages."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .archive import Config, Tree, files_below

ROOTFS = Path(__file__).with_name("rootfs")
_PATH = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
_PYTHON_PACKAGES = ("python3-minimal", "libpython3-stdlib")
_GIT_PACKAGES = ("git",)
_BUILD_SECONDS = 600
_KEEP_GIT = re.compile(
    r"(?:lib64/ld-|lib/ld-|(?:usr/)?lib/[^/]+/(?:ld-|lib[^/]+\.so)|usr/bin/git$|usr/lib/git-core/git-remote-https?$)"
)
# What Python needs of its packages and of those that they pull in (dpkg, tar, perl's leavings: not needed).
_KEEP = re.compile(
    r"(?:lib64/ld-|lib/ld-|lib/[^/]+/(?:ld-|lib[^/]+\.so)"
    r"|usr/lib/[^/]+/lib(?:ssl|crypto|ffi|sqlite3|mpdec|uuid|db-5)[^/]*\.so"
    r"|usr/bin/python3|usr/lib/python3\.\d+/|etc/python3|etc/mime\.types$)"
)
_DROP = re.compile(
    r"/(?:test|tests|idlelib|lib2to3|ensurepip|turtledemo|pydoc_data)/"
    r"|/lib(?:mvec|memusage|pcprofile)\."
)


class CannotBuild(Exception):
    """Says why a sample image can't be made here, and what to do."""


@dataclass(frozen=True)
class Recipe:
    """How one image is made."""

    folder: str
    """The folder of its own files below `ROOTFS`, or empty."""
    packages: tuple[str, ...]
    """The packages whose installed versions tell whether it must be made anew."""
    make: Callable[[], tuple[list[Tree], Config]]


def _program(name: str, package: str) -> bytes:
    path = shutil.which(name) or shutil.which(name, path=_PATH["PATH"])
    if path is None:
        raise CannotBuild(f"cannot build the sample images: {name} is missing; install it: apt-get install {package}")
    return Path(path).read_bytes()


def _busybox() -> Tree:
    """Make the layer that the samples share: busybox under all its names, and the few files that name look-ups need."""
    tree = Tree()
    tree.file("bin/busybox", _program("busybox", "busybox-static"), 0o755)
    applets = subprocess.run(["busybox", "--list"], capture_output=True, text=True, check=True, timeout=30).stdout
    for applet in applets.split():
        if applet != "busybox":
            tree.link(f"bin/{applet}", "busybox")
    tree.file("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n")
    tree.file("etc/group", b"root:x:0:\nnogroup:x:65534:\n")
    tree.file("etc/nsswitch.conf", b"passwd: files\ngroup: files\nhosts: files dns\n")
    for folder in ("dev", "proc", "run", "sys", "var", "usr"):
        tree.directory(folder)
    tree.directory("root", 0o700)
    tree.directory("tmp", 0o1777)
    return tree


def _pause() -> tuple[list[Tree], Config]:
    tree = Tree()
    tree.file("catatonit", _program("catatonit", "catatonit"), 0o755)
    return [tree], Config(entrypoint=("/catatonit", "-P"))


def _own(folder: str, target: str) -> Tree:
    """Make a layer of a sample's own files; what begins with ``#!`` can be run."""
    tree = Tree()
    for name, content in files_below(ROOTFS / folder):
        tree.file(f"{target}/{name}", content, 0o755 if content.startswith(b"#!") else 0o644)
    return tree


def _helloworld() -> tuple[list[Tree], Config]:
    return [_busybox(), _own("helloworld", "")], Config(command=("/start",), environment=_PATH, ports=(80,))


def _sidecar() -> tuple[list[Tree], Config]:
    return [_busybox(), _own("sidecar", "")], Config(command=("/start",), environment=_PATH)


def _wordcount() -> tuple[list[Tree], Config]:
    environment = _PATH | {"PYTHONUNBUFFERED": "1", "LANG": "C.UTF-8"}
    command = ("python", "wordcount.py")
    layers = [_busybox(), _python(), _own("wordcount", "app")]
    return layers, Config(command=command, environment=environment, workdir="/app")


def _python() -> Tree:
    """Make a layer with Debian's Python, of what mmdebstrap gathers."""
    tree = _picked(_gather(_PYTHON_PACKAGES), lambda name: bool(_KEEP.match(name)) and not _DROP.search(name))
    tree.link("usr/bin/python", "python3")
    return tree


def _git() -> tuple[list[Tree], Config]:
    """Make the image in which repositories are cloned: git for HTTP, and nothing else that a repository could use."""
    return [_busybox(), _picked(_gather(_GIT_PACKAGES), lambda name: bool(_KEEP_GIT.match(name)))], Config(
        command=("git",), environment=_PATH
    )


def _picked(archive: bytes, keep: Callable[[str], bool]) -> Tree:
    """Make a layer of some files of an archive."""
    tree = Tree()
    with tarfile.open(fileobj=io.BytesIO(archive)) as gathered:
        for member in gathered:
            name = member.name.removeprefix("./")
            if not keep(name):
                continue
            if member.issym():
                tree.link(name, member.linkname)
            elif (member.isfile() or member.islnk()) and (file := gathered.extractfile(member)) is not None:
                tree.file(name, file.read(), member.mode & 0o755)
    return tree


def _gather(packages: tuple[str, ...]) -> bytes:
    """Let mmdebstrap unpack packages and all that they depend on; give the tar."""
    what = f"cannot build an image with {packages[0]}"
    if shutil.which("mmdebstrap") is None:
        raise CannotBuild(f"{what}: mmdebstrap is missing; run `hythe doctor`")
    command = ["mmdebstrap", "--quiet", "--variant=extract", f"--include={','.join(packages)}"]
    command += ["--dpkgopt=path-exclude=/usr/share/*", _codename(), "-", *_mirrors()]
    done = subprocess.run(command, capture_output=True, timeout=_BUILD_SECONDS, check=False)
    if done.returncode:
        why = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise CannotBuild(f"{what}: mmdebstrap failed ({why[-1]}); see that `apt-get update` works, then try again")
    return done.stdout


def _codename() -> str:
    """Name this machine's Debian release."""
    release = Path("/etc/os-release")
    found = re.search(r"^VERSION_CODENAME=\"?(\w+)", release.read_text(), re.M) if release.exists() else None
    return found[1] if found else "bookworm"


def _mirrors() -> list[str]:
    """Say where this machine gets Debian from; nothing lets mmdebstrap choose."""
    form = "$(ORIGIN) $(REPO_URI) $(CODENAME) $(COMPONENT)"
    try:
        listed = subprocess.run(
            ["apt-get", "indextargets", "--format", form, "Created-By: Packages"],
            capture_output=True, text=True, check=True, timeout=30,
        ).stdout  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return []
    found = re.findall(r"^Debian (\S+ \S+ main)$", listed, re.M)
    return [f"deb {mirror}" for mirror in dict.fromkeys(found)]


RECIPES = {
    "hythe.local/pause:1": Recipe("", ("catatonit",), _pause),
    "hythe.local/samples/helloworld:1": Recipe("helloworld", ("busybox-static",), _helloworld),
    "hythe.local/samples/sidecar:1": Recipe("sidecar", ("busybox-static",), _sidecar),
    "hythe.local/samples/wordcount:1": Recipe("wordcount", ("busybox-static", "python3.11-minimal"), _wordcount),
    "hythe.local/tools/git:1": Recipe("", ("busybox-static", "git"), _git),
}
