"""What this service can't give: a definition is never accepted and then ignored.  Pure."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator

from ....models import ContainerGroup, InitContainerDefinition
from ....wire.faults import Detail
from .containers import AnyContainer

_No = Callable[[str, str], Detail]


def refused(group: ContainerGroup, name: str) -> Iterator[Detail]:
    """Refuse what this service can't give: a definition is never accepted and then ignored."""

    def no(what: str, target: str) -> Detail:
        return Detail(
            code="FeatureNotSupported",
            message=f"The container group '{name}' asks for {what}, which this service does not offer.",
            target=f"properties.{target}",
        )

    if group.os_type == "Windows":
        yield no("Windows containers", "osType")
    if group.sku not in (None, "NotSpecified", "Standard"):
        yield no(f"the sku '{group.sku}'", "sku")
    confidential = group.confidential_compute_properties
    if confidential and confidential.cce_policy and not _base64(confidential.cce_policy):
        yield Detail(
            code="InvalidCcePolicy",
            message="The CCE Policy is not valid Base64.",
            target="properties.confidentialComputeProperties.ccePolicy",
        )
    for asked, what, target in (
        (group.confidential_compute_properties, "confidential computing", "confidentialComputeProperties"),
        (group.secret_references, "secrets of a key vault", "secretReferences"),
        (group.identity_acls, "access control of identities", "identityAcls"),
        (group.standby_pool_profile, "a standby pool", "standbyPoolProfile"),
        (any(each.identity or each.password_reference for each in group.image_registry_credentials or ()),
         "registry credentials without a password", "imageRegistryCredentials"),
    ):  # fmt: skip
        if asked:
            yield no(what, target)
    for index, one in enumerate(group.containers or ()):
        yield from _refused_of_container(one, f"containers[{index}].properties", no)
    for index, init in enumerate(group.init_containers or ()):
        yield from _refused_of_container(init, f"initContainers[{index}].properties", no)


def _base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        return False
    return True


def _refused_of_container(one: AnyContainer, path: str, no: _No) -> Iterator[Detail]:
    if any(each.secure_value_reference for each in one.environment_variables or ()):
        yield no("secrets of a key vault", f"{path}.environmentVariables")
    if isinstance(one, InitContainerDefinition):
        return
    resources = one.resources
    if resources and any(part and part.gpu for part in (resources.requests, resources.limits)):
        yield no("a GPU", f"{path}.resources")
