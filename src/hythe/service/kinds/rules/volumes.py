"""What volumes, mounts and config maps must be.  Pure.

Azure's codes are known only for duplicate volumes; the other codes follow the same pattern, the rules are Azure's
where they are documented and the kubelet's elsewhere.  No name here can lead a path out of its folder: names of
volumes, shares, files and directories are checked letter by letter.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from ....models import AzureFileVolume, Container, ContainerGroup, GitRepoVolume, Volume
from ....wire.faults import Detail
from .containers import AnyContainer
from .names import named

_MASK = "***"

_MOST_VOLUMES = 20
_LONGEST_PATH = 4096
_FILE = re.compile(r"(?!\.\.)(?!\.$)[-._a-zA-Z0-9]{1,253}")
_ACCOUNT = re.compile(r"[a-z0-9]{3,24}")
_SHARE = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")
_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+@-]{0,255}")
_NOT_OVER = ("/proc", "/sys")
_CONFIG_MAPS = PurePosixPath("/mnt/configmap")

_Say = Callable[[str, str, str], Detail]


def share_named(account: str, share: str) -> bool:
    """Tell whether a storage account and a share may have these names."""
    return _ACCOUNT.fullmatch(account) is not None and _SHARE.fullmatch(share) is not None


def volume_problems(group: ContainerGroup, name: str) -> Iterator[Detail]:
    """Check the volumes of a group, how its containers mount them, and their config maps."""

    def say(code: str, message: str, target: str) -> Detail:
        return Detail(code=code, message=f"{message} in container group '{name}'.", target=f"properties.{target}")

    volumes = group.volumes or []
    if len(volumes) > _MOST_VOLUMES:
        yield Detail(
            code="TooManyVolumes",
            message=f"The container group '{name}' has {len(volumes)} volumes. It can have at most {_MOST_VOLUMES}.",
            target="properties.volumes",
        )
    for held, times in Counter(one.name for one in volumes).items():
        if times > 1:
            yield Detail(
                code="DuplicateVolumes", message=f"Duplicate volumes '{held}' are found.", target="properties.volumes"
            )
    for index, volume in enumerate(volumes):
        yield from _volume(volume, f"volumes[{index}]", say)
    known = {one.name for one in volumes}
    for index, one in enumerate(group.containers or ()):
        yield from _mounts(one, known, f"containers[{index}].properties", say)
        yield from _config_map(one, f"containers[{index}].properties.configMap", say)
    for index, init in enumerate(group.init_containers or ()):
        yield from _mounts(init, known, f"initContainers[{index}].properties", say)


def _volume(volume: Volume, where: str, say: _Say) -> Iterator[Detail]:
    if not named(volume.name) or "--" in volume.name:
        yield say(
            "InvalidVolumeName",
            f"The volume name '{volume.name}' must have no more than 63 characters, only lowercase letters, numbers "
            "and hyphens, no hyphen at an end and no two in a row",
            f"{where}.name",
        )
    sources = (volume.azure_file, volume.empty_dir, volume.secret, volume.git_repo, volume.secret_reference)
    if sum(source is not None for source in sources) != 1:
        yield say(
            "InvalidVolume",
            f"The volume '{volume.name}' must have exactly one of 'azureFile', 'emptyDir', 'gitRepo' and 'secret'",
            where,
        )
    if volume.empty_dir:
        yield say("InvalidVolume", f"The 'emptyDir' of volume '{volume.name}' can have no members", f"{where}.emptyDir")
    if volume.secret_reference is not None:
        yield say(
            "FeatureNotSupported",
            f"The volume '{volume.name}' asks for secrets of a key vault, which this service does not offer",
            f"{where}.secretReference",
        )
    for key, value in (volume.secret or {}).items():
        if not _FILE.fullmatch(key):
            yield say("InvalidSecretVolume", f"The file name '{key}' in volume '{volume.name}' is invalid",
                      f"{where}.secret")  # fmt: skip
        if not _base64(value):
            yield say(
                "InvalidSecretVolume",
                f"The value of '{key}' in volume '{volume.name}' is not valid Base64",
                f"{where}.secret.{key}",
            )
    if volume.git_repo is not None:
        yield from _git_repo(volume.git_repo, volume.name, f"{where}.gitRepo", say)
    if volume.azure_file is not None:
        yield from _azure_file(volume.azure_file, volume.name, f"{where}.azureFile", say)


def _base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _git_repo(source: GitRepoVolume, name: str, where: str, say: _Say) -> Iterator[Detail]:
    code = "InvalidGitRepoVolume"
    try:
        url = urlsplit(source.repository)
        good = url.scheme in ("http", "https") and bool(url.hostname) and bool(url.path.strip("/"))
        good = good and url.port != 0 and not any(ord(each) <= ord(" ") or each == "\\" for each in source.repository)
    except ValueError:
        url, good = urlsplit(""), False
    if not good:
        yield say(
            code,
            f"The repository of volume '{name}' must be an 'http://' or 'https://' URL of a git repository",
            f"{where}.repository",
        )
    elif url.username == _MASK:
        yield say(
            code,
            f"The repository of volume '{name}' has '{_MASK}' where its user and password were: answers never show "
            "them, write them again",
            f"{where}.repository",
        )
    if source.revision and not (_REVISION.fullmatch(source.revision) and ".." not in source.revision):
        yield say(
            code,
            f"The revision of volume '{name}' must be a commit hash, or the name of a branch or a tag",
            f"{where}.revision",
        )
    directory = source.directory
    if directory and directory != "." and _clean(directory, absolute=False) is None:
        yield say(
            code,
            f"The directory '{directory}' of volume '{name}' must be a relative path without '..'",
            f"{where}.directory",
        )


def _azure_file(source: AzureFileVolume, name: str, where: str, say: _Say) -> Iterator[Detail]:
    if not share_named(source.storage_account_name, source.share_name):
        yield say(
            "InvalidAzureFileVolume",
            f"The storage account '{source.storage_account_name}' or the share '{source.share_name}' of volume "
            f"'{name}' is not named right: 3 to 24 lowercase letters and numbers for an account, 3 to 63 lowercase "
            "letters, numbers and single hyphens for a share",
            where,
        )
    if source.storage_account_key_reference or source.user_assigned_identity_client_id:
        yield say(
            "FeatureNotSupported",
            f"The volume '{name}' asks for a share without a storage account key, which this service does not offer",
            where,
        )
    elif not source.storage_account_key:
        yield say(
            "StorageAccountKeyNotSpecified",
            f"The 'storageAccountKey' of volume '{name}' is not specified; answers never show it, write it again",
            f"{where}.storageAccountKey",
        )


def _clean(path: str, *, absolute: bool) -> PurePosixPath | None:
    """Give a path in its shortest form, or None for one that may not be used."""
    if not path or len(path) > _LONGEST_PATH or path.startswith("/") != absolute:
        return None
    if ".." in path.split("/") or ":" in path or any(ord(letter) < ord(" ") for letter in path):
        return None
    return PurePosixPath(path if not absolute else "/" + path.strip("/"))


def _mounts(one: AnyContainer, known: set[str], where: str, say: _Say) -> Iterator[Detail]:
    used: set[PurePosixPath] = set()
    for held, times in Counter(mount.name for mount in one.volume_mounts or ()).items():
        if times > 1:
            yield say(
                "DuplicateVolumeMounts",
                f"The volume '{held}' is mounted more than once in container '{one.name}'",
                f"{where}.volumeMounts",
            )
    for index, mount in enumerate(one.volume_mounts or ()):
        target = f"{where}.volumeMounts[{index}]"
        if mount.name not in known:
            yield say(
                "VolumeNotFound",
                f"The volume '{mount.name}' that container '{one.name}' mounts is not one of the volumes",
                f"{target}.name",
            )
        path = _clean(mount.mount_path, absolute=True)
        if path is None or not _mountable(path):
            yield say(
                "InvalidMountPath",
                f"The mount path '{mount.mount_path}' in container '{one.name}' is invalid: it must be an absolute "
                "path without ':' and '..', and not '/', '/dev', or in '/proc', '/sys' or '/mnt/configmap',",
                f"{target}.mountPath",
            )
        elif path in used:
            yield say(
                "DuplicateMountPaths",
                f"The mount path '{mount.mount_path}' is used more than once in container '{one.name}'",
                f"{target}.mountPath",
            )
        else:
            used.add(path)


def _mountable(path: PurePosixPath) -> bool:
    if str(path) in ("/", "/dev"):
        return False
    return not any(path.is_relative_to(place) for place in (*_NOT_OVER, _CONFIG_MAPS))


def _config_map(one: Container, where: str, say: _Say) -> Iterator[Detail]:
    pairs = (one.config_map.key_value_pairs if one.config_map else None) or {}
    for key in pairs:
        if not _FILE.fullmatch(key):
            yield say(
                "InvalidConfigMap",
                f"The file name '{key}' in the config map of container '{one.name}' is invalid: it can contain only "
                "letters, numbers, '-', '_' and '.', and not begin with '..',",
                f"{where}.keyValuePairs",
            )
