"""What rights containers may have.  Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

import msgspec

from ....models import ContainerGroup, SecurityContextDefinition
from ....wire.faults import Detail
from .containers import AnyContainer

_NAMES = (
    "ALL AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH "
    "FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN "
    "NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT "
    "SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG "
    "WAKE_ALARM"
)
_CAPABILITIES = frozenset(_NAMES.split())
_LARGEST_ID = 2**31 - 1
_LARGEST_PROFILE = 256 << 10


def right_problems(group: ContainerGroup, name: str) -> Iterator[Detail]:
    """Check the security context of every container."""
    for path, one in _every(group):
        rights = one.security_context
        for word, wrong in _wrong(rights) if rights is not None else ():
            yield Detail(
                code="InvalidSecurityContext",
                message=f"The security context of container '{one.name}' in container group '{name}' is invalid. "
                f"{wrong}",
                target=f"{path}.securityContext.{word}",
            )


def power_problems(group: ContainerGroup, name: str) -> Iterator[Detail]:
    """Refuse what gives a container power over the machine; for a service that does not allow it."""
    for path, one in _every(group):
        rights = one.security_context
        if rights is None:
            continue
        added = rights.capabilities.add if rights.capabilities else None
        for asked, what, word in (
            (rights.privileged, "to be privileged", "privileged"),
            (added, "for added capabilities", "capabilities.add"),
        ):
            if asked:
                yield Detail(
                    code="PrivilegedContainerNotAllowed",
                    message=f"The container '{one.name}' in container group '{name}' asks {what}, which this service "
                    "does not allow. Its owner can allow it: service.allow_privileged.",
                    target=f"{path}.securityContext.{word}",
                )


def privileged(group: ContainerGroup) -> bool:
    """Tell whether any container is privileged."""
    return any(one.security_context is not None and one.security_context.privileged for _, one in _every(group))


def _every(group: ContainerGroup) -> Iterator[tuple[str, AnyContainer]]:
    for index, one in enumerate(group.containers or ()):
        yield f"properties.containers[{index}].properties", one
    for index, init in enumerate(group.init_containers or ()):
        yield f"properties.initContainers[{index}].properties", init


def _wrong(rights: SecurityContextDefinition) -> Iterator[tuple[str, str]]:
    for word, value in (("runAsUser", rights.run_as_user), ("runAsGroup", rights.run_as_group)):
        if value is not None and not 0 <= value <= _LARGEST_ID:
            yield word, f"The '{word}' must be between 0 and {_LARGEST_ID}."
    if rights.run_as_group is not None and rights.run_as_user is None:
        yield "runAsGroup", "A 'runAsGroup' needs a 'runAsUser'."
    if rights.privileged and rights.allow_privilege_escalation is False:
        yield "allowPrivilegeEscalation", "A privileged container cannot go without privilege escalation."
    capabilities = rights.capabilities
    if capabilities is not None:
        for word, names in (("add", capabilities.add), ("drop", capabilities.drop)):
            unknown = [each for each in names or () if each.upper().removeprefix("CAP_") not in _CAPABILITIES]
            if unknown:
                yield f"capabilities.{word}", f"There are no capabilities '{','.join(unknown)}'."
    if rights.seccomp_profile:
        if rights.privileged:
            yield "seccompProfile", "A privileged container has no seccomp profile."
        wrong = _wrong_profile(rights.seccomp_profile)
        if wrong:
            yield "seccompProfile", wrong


def _wrong_profile(text: str) -> str | None:
    """Say what is wrong with a seccomp profile: the base64 of a JSON object, as runtimes read it."""
    if len(text) > _LARGEST_PROFILE:
        return f"The seccomp profile is larger than {_LARGEST_PROFILE} bytes."
    try:
        profile: Any = msgspec.json.decode(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):  # msgspec's errors are ValueErrors
        return "The seccomp profile is not the base64 of a JSON document."
    if not isinstance(profile, dict) or not isinstance(profile.get("defaultAction"), str):
        return "The seccomp profile is no JSON object with a 'defaultAction'."
    # A runtime would connect to a socket of the host that the profile names.
    notified = "listenerPath" in profile or "SCMP_ACT_NOTIFY" in msgspec.json.encode(profile).decode()
    return "The seccomp profile asks for a listener, which this service does not offer." if notified else None
