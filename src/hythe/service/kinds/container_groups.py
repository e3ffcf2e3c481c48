"""Container groups: what the service fills in, keeps secret, refuses to change, and shows."""

from __future__ import annotations

import asyncio

import msgspec
from msgspec.structs import replace

from ...models import (
    Container,
    ContainerGroup,
    ContainerGroupPropertiesInstanceView,
    ContainerPropertiesInstanceView,
    ContainerState,
    IpAddress,
    Model,
    from_json,
    to_json,
)
from ...wire import lenient, versions
from ...wire.faults import Detail, Fault, bad_request, invalid_content, several
from ...wire.ids import PROVIDER, ResourceId
from ...wire.tags import PUBLISH, PublishedPort, published
from ..call import Caller
from ..identity.managed import admitted, shown_identity
from ..store import Row, Status, View
from . import labels
from .base import Admission, Defaults, Shown, location, refuse_move, region
from .network_profiles import led_to_subnet
from .profiles import made_from
from .rules import problems
from .rules.rights import power_problems, privileged
from .rules.tags import tag_problems
from .secrets import without_secrets
from .subnets import check

_PROVISIONING_SECONDS = 1800


class ContainerGroups(Defaults):
    """The kind of container groups."""

    name = "containerGroups"
    type = f"{PROVIDER}/containerGroups"
    noun = "container group"
    busy_code = "ContainerGroupTransitioning"

    def read(self, body: bytes, identity: ResourceId) -> ContainerGroup:
        """Read a definition; what only the service writes is dropped."""
        group = lenient.read(ContainerGroup, body)
        if group.name is not None and group.name.lower() != identity.name.lower():
            raise invalid_content(f"The name '{group.name}' is not the one in the URL, '{identity.name}'")
        return replace(
            group,
            id=None,
            name=None,
            type=None,
            provisioning_state=None,
            instance_view=None,
            is_custom_provisioning_timeout=None,
            is_created_from_standby_pool=None,
            orchestrator_id=None,
            containers=[replace(one, instance_view=None) for one in group.containers or ()],
            init_containers=[replace(one, instance_view=None) for one in group.init_containers or ()],
            ip_address=replace(group.ip_address, ip=None, fqdn=None) if group.ip_address else None,
        )

    def read_again(self, spec: bytes) -> ContainerGroup:
        """Read a stored definition."""
        return from_json(ContainerGroup, spec)

    def resolve(
        self, wanted: ContainerGroup, identity: ResourceId, admission: Admission, caller: Caller | None
    ) -> ContainerGroup:
        """Take from the profile that the group names what the group does not say itself."""
        wanted = led_to_subnet(admission.store, wanted)
        if wanted.container_group_profile is None:
            return wanted
        return made_from(wanted, identity, admission, caller)

    def patched(self, held: ContainerGroup, body: bytes) -> ContainerGroup:
        """Replace the tags, which may mean something."""
        after: ContainerGroup = super().patched(held, body)
        found = tag_problems(after.tags)
        if found:
            raise bad_request(found)
        return after

    def admit_tags(
        self, held: ContainerGroup, after: ContainerGroup, identity: ResourceId, admission: Admission
    ) -> None:
        """Ask for the ports of this machine that are new."""
        kept = _published(held)
        admission.ports(identity.key, [port for port in _published(after) if port not in kept])

    def idle(self, row: Row) -> bool:
        """Tell whether it was stopped or its containers have ended."""
        state = msgspec.json.decode(row.status, type=Status).view.state if row.status else ""
        return row.desired == "stop" or state in ("Succeeded", "Failed")

    def validate(self, wanted: ContainerGroup, identity: ResourceId) -> None:
        """Check a definition by itself."""
        found = problems(wanted, identity.name)
        if found:
            raise bad_request(found)

    async def admit(
        self, wanted: ContainerGroup, held: Row | None, identity: ResourceId, admission: Admission
    ) -> ContainerGroup:
        """Check location, label, images and what can't be changed; fill in what the service decides."""
        wanted = replace(wanted, location=location(wanted.location, identity, admission))
        if not admission.allow_privileged and (found := [*power_problems(wanted, identity.name)]):
            raise bad_request(found)
        if held is not None:
            _refuse_changes(held, self.read_again(held.spec), wanted, identity)
        check(admission.store, wanted, identity, admission.kept_ranges)
        _refuse_shares(wanted, identity, admission)
        missing = await _missing_images(wanted, identity, admission)
        if missing:
            raise missing[0] if len(missing) == 1 else several(missing)
        admission.ports(identity.key, _published(wanted))  # last: from here to the declaration nothing is awaited
        return replace(
            wanted,
            sku=wanted.sku or "Standard",
            tags=wanted.tags if wanted.tags is not None else {},
            containers=[_filled(one) for one in wanted.containers or ()],
            ip_address=self._address(wanted, held, identity, admission),
            identity=admitted(wanted.identity, identity.name, admission.tenant, admission.user_identity),
        )

    async def admit_again(self, held: ContainerGroup, verb: str, identity: ResourceId, admission: Admission) -> None:
        """Check that its images can still be had, if they are not here; a restart tells of one as of several."""
        missing = await _missing_images(held, identity, admission)
        if missing:
            raise missing[0] if len(missing) == 1 and verb == "start" else several(missing)

    def _address(
        self, wanted: ContainerGroup, held: Row | None, identity: ResourceId, admission: Admission
    ) -> IpAddress | None:
        """Give the address its name, which nobody else in the region may have."""
        address = wanted.ip_address
        if address is None or not address.dns_name_label:
            return address
        before = self.read_again(held.spec).ip_address if held else None
        kept = before if before and before.auto_generated_domain_name_label_scope == "Noreuse" else None
        name = labels.scoped(
            address.dns_name_label,
            address.auto_generated_domain_name_label_scope,
            tenant=admission.tenant,
            identity=identity,
            before=kept.fqdn if kept else None,
        )
        fqdn = f"{name}.{region(wanted.location or '')}.{admission.dns_suffix}"
        taken = admission.store.holding_text("containerGroups", f'"fqdn":"{fqdn}"', apart_from=identity.key)
        if taken:
            raise Fault(
                400,
                "DnsNameLabelAlreadyTaken",
                f"The DNS name label '{address.dns_name_label}' in container group '{identity.name}' is not "
                "available. Try using a different label.",
            )
        return replace(address, fqdn=fqdn)

    # --- secrets ---

    def public(self, wanted: ContainerGroup) -> bytes:
        """Give the definition without secrets, as every answer shows it."""
        return to_json(without_secrets(wanted))

    def whole(self, wanted: ContainerGroup) -> bytes | None:
        """Give the definition with its secrets, or None if it has none."""
        whole = to_json(wanted)
        return whole if whole != self.public(wanted) else None

    # --- answers ---

    def show(self, row: Row, shown: Shown) -> Model:
        """Give a group as it is answered; lists show no instance view."""
        group = self.read_again(row.spec)
        view = msgspec.json.decode(row.status, type=Status).view if row.status else View()
        begun = bool(row.status)
        with_view = shown.instance_view
        address = group.ip_address
        if row.address and view.ip is None:
            address = None  # in a subnet, Azure shows nothing of it until it is there
        elif address is not None:
            address = replace(address, ip=row.address or view.ip)
        configured = versions.shows_config_maps(shown.api_version)
        timeout = versions.shows_timeouts(shown.api_version)
        provisioning = group.provisioning_timeout_in_seconds or _PROVISIONING_SECONDS
        return replace(
            group,
            id=row.id,
            name=row.name,
            type=self.type,
            provisioning_state="Deleting" if row.desired == "gone" else row.provisioning_state,
            provisioning_timeout_in_seconds=provisioning if timeout else None,
            is_custom_provisioning_timeout=provisioning != _PROVISIONING_SECONDS if timeout else None,
            is_created_from_standby_pool=False if configured else None,
            orchestrator_id=row.parent or None,
            containers=[
                replace(
                    one,
                    instance_view=_container_view(view, one.name) if with_view else None,
                    config_map=one.config_map if configured else None,
                )
                for one in group.containers or ()
            ],
            init_containers=[
                replace(one, instance_view=_container_view(view, one.name) if with_view else None)
                for one in group.init_containers or ()
            ],
            ip_address=address,
            identity=shown_identity(group.identity, row.uid),
            instance_view=ContainerGroupPropertiesInstanceView(
                events=view.events, state=view.state if begun else "Pending"
            )
            if with_view
            else None,
        )


def _container_view(view: View, name: str) -> ContainerPropertiesInstanceView:
    """Give a container's view; clients read its current state without asking whether it is there."""
    return view.containers.get(name) or ContainerPropertiesInstanceView(
        restart_count=0, current_state=ContainerState(state="Waiting", detail_status=""), events=[]
    )


def _filled(one: Container) -> Container:
    """Write lists that clients add up without asking whether they are there."""
    return replace(one, ports=one.ports or [], environment_variables=one.environment_variables or [])


def _refuse_changes(row: Row, held: ContainerGroup, wanted: ContainerGroup, identity: ResourceId) -> None:
    """Refuse what Azure does not change in place either; a group that has ended is made anew, with what it asks for."""

    def sizes(group: ContainerGroup) -> dict[str, object]:
        return {one.name: one.resources for one in group.containers or ()}

    def subnets(group: ContainerGroup) -> list[str]:
        return [subnet.id.lower() for subnet in group.subnet_ids or ()]

    state = msgspec.json.decode(row.status, type=Status).view.state if row.status else ""
    ended = state in ("Stopped", "Succeeded", "Failed")
    same_names = sizes(held).keys() & sizes(wanted).keys()
    changed = subnets(held) != subnets(wanted) or (
        not ended
        and (
            held.os_type != wanted.os_type
            or (held.restart_policy or "Always") != (wanted.restart_policy or "Always")
            or held.dns_config != wanted.dns_config
            or privileged(held) != privileged(wanted)
            or any(sizes(held)[name] != sizes(wanted)[name] for name in same_names)
        )
    )
    refuse_move(held.location, wanted.location or "", identity)
    if changed:
        raise Fault(
            400,
            "InvalidContainerGroupUpdate",
            f"The updates on container group '{identity.name}' are invalid. If you are going to update the os type, "
            "restart policy, network profile, CPU, memory or GPU resources for a container group, you must delete it "
            "first and then create a new one.",
        )


def _refuse_shares(wanted: ContainerGroup, identity: ResourceId, admission: Admission) -> None:
    """Refuse a share that is not there, or whose key is not the right one."""
    problems = []
    for index, volume in enumerate(wanted.volumes or ()):
        problem = admission.share(volume.azure_file) if volume.azure_file else None
        if problem is not None:
            message = f"The volume '{volume.name}' in container group '{identity.name}' cannot be used: {problem[1]}"
            target = f"properties.volumes[{index}].azureFile"
            problems.append(Detail(code=problem[0], message=message, target=target))
    if problems:
        raise bad_request(problems)


async def _missing_images(wanted: ContainerGroup, identity: ResourceId, admission: Admission) -> list[Fault]:
    """Find the images that can't be had: better told now than as a container that waits for ever."""
    every = [*(wanted.init_containers or ()), *(wanted.containers or ())]
    images = list(dict.fromkeys(one.image or "" for one in every))
    credentials = wanted.image_registry_credentials or ()
    answers = await asyncio.gather(
        *(admission.accessible(image, identity.subscription.lower(), credentials) for image in images)
    )
    return [
        _no_image(image, identity.name, *why) for image, why in zip(images, answers, strict=True) if why is not None
    ]


def _no_image(image: str, group: str, code: str, words: str) -> Fault:
    """Report an image that can't be had."""
    if code == "RegistryErrorResponse":
        message = f"An error response is received from the docker registry '{words}'. Please retry later."
        return Fault(409, code, message)
    if code == "OsVersionNotSupported":
        return Fault(400, code, f"The OS version of image '{image}' is not supported.")
    message = (
        f"The image '{image}' in container group '{group}' is not accessible. "
        "Please check the image and registry credential."
    )
    return Fault(400, code, f"{message} {words[:1].upper()}{words[1:]}".strip())


def _published(wanted: ContainerGroup) -> list[PublishedPort]:
    """Read the ports of this machine that a group asks for.  Raises `Fault`."""
    try:
        return published((wanted.tags or {}).get(PUBLISH, ""))
    except ValueError as error:
        raise Fault(400, "InvalidTag", f"The tag '{PUBLISH}' is invalid: {error}.") from None


def takes_warm(wanted: object) -> bool:
    """Tell whether a definition is a group that can use a sandbox made ahead, with only what every group has."""
    return isinstance(wanted, ContainerGroup) and not wanted.dns_config and not privileged(wanted)
