"""Turns deployments into requests for resources: the same routes and rights that a caller has."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from ..models import from_json
from ..wire import ids
from ..wire.faults import Fault
from ..wire.ids import ResourceId
from ..wire.templates import Part, Plan, Reference, Scope, Step, TemplateError, read_template
from .answers import Answer
from .call import Caller, Outer
from .control.deployments import Busy, CannotDeploy, Look, Todo
from .kinds import BY_TYPE
from .kinds.deployments import Deployed
from .providers import provider
from .store import Row, SqlStore
from .vault import Vault

_KEPT_PLANS = 16
_MOST_REFERENCES = 2000
_CONFLICT, _NOT_FOUND = 409, 404
_BUSY = frozenset({"DeploymentActive", *(kind.busy_code for kind in BY_TYPE.values())})
"""Codes of what is worked on already, and may be changed a moment later."""


class Inside(Protocol):
    """Asks the service itself for something, as a caller."""

    async def __call__(
        self,
        caller: Caller,
        method: str,
        path: str,
        query: dict[str, str],
        body: bytes,
        base_url: str,
        outer: Outer | None = None,
    ) -> Answer:
        """Answer a request.  Raises `Fault`."""


class _Lacks(Exception):
    """Says which resource an evaluation needs to look at."""

    def __init__(self, id_: str, version: str, keys: bool) -> None:
        super().__init__(id_)
        self.id = id_
        self.version = version
        self.keys = keys


class Deployer:
    """Plans deployments, asks for their resources and looks at them."""

    def __init__(self, store: SqlStore, vault: Vault, inside: Inside, offers: Callable[[str, str], bool]) -> None:
        self._store = store
        self._vault = vault
        self._inside = inside
        self.offers = offers
        """Tells whether a method can be asked of an id."""
        self._plans: OrderedDict[tuple[str, int], tuple[Deployed, Plan]] = OrderedDict()

    # --- plans ---

    def scope(self, identity: ResourceId, base_url: str, mode: str = "Incremental") -> Scope:
        """Describe where a deployment is: what its template can ask for."""
        held = self._store.subscription(identity.subscription)
        folder = ResourceId(subscription=identity.subscription, resource_group=identity.resource_group)
        row = self._store.get(folder.key) if identity.resource_group else None
        group = None
        if row is not None:
            spec = msgspec.json.decode(row.spec)
            group = {
                "id": row.id,
                "name": row.name,
                "type": "Microsoft.Resources/resourceGroups",
                "location": spec.get("location"),
                "tags": spec.get("tags") or {},
                "properties": {"provisioningState": "Succeeded"},
            }
        tenant = held.tenant if held else ""
        return Scope(
            subscription={
                "id": f"/subscriptions/{identity.subscription}",
                "subscriptionId": identity.subscription,
                "tenantId": tenant,
                "displayName": held.name if held else "",
            },
            tenant={"id": f"/tenants/{tenant}", "tenantId": tenant, "displayName": "Hythe"},
            deployment={"name": identity.name, "properties": {"mode": mode, "provisioningState": "Accepted"}},
            environment={
                "name": "Hythe",
                "resourceManager": base_url,
                "authentication": {"loginEndpoint": base_url, "audiences": [base_url], "tenant": "common"},
                "suffixes": {},
            },
            resource_group=group,
        )

    def plan(self, identity: ResourceId, wanted: Deployed) -> Plan:
        """Read a deployment's template with its parameters.  Raises `TemplateError`."""
        return read_template(
            wanted.template,
            wanted.parameters | (wanted.secure or {}),
            self.scope(identity, wanted.base_url, wanted.mode),
            datetime.fromtimestamp(wanted.moment, UTC),
            wanted.seed,
        )

    def _of(self, row: Row) -> tuple[Deployed, Plan]:
        """Give the definition and plan of a row, remembered while it is worked on."""
        mark = (row.uid, row.generation)
        known = self._plans.get(mark)
        if known is None:
            spec = self._vault.open(row.secrets, row.uid) if row.secrets else row.spec
            wanted = from_json(Deployed, spec)
            identity = ids.parse(row.id) or ResourceId()
            try:
                known = self._plans[mark] = (wanted, self.plan(identity, wanted))
            except (TemplateError, RecursionError) as error:
                raise CannotDeploy("InvalidTemplate", f"Deployment template validation failed: '{error}'.") from None
            while len(self._plans) > _KEPT_PLANS:
                self._plans.popitem(last=False)
        return known

    def template(self, key: str) -> dict[str, Any]:
        """Give the template of a deployment."""
        row = self._store.opened(key)
        return self._of(row)[0].template if row else {}

    # --- what control asks for ---

    def todos(self, row: Row) -> list[Todo]:
        """Give the resources of a deployment in order."""
        _, plan = self._of(row)
        return [Todo(key=each.key, id=each.id, type=each.type, after=each.after) for each in plan.steps]

    async def declare(self, row: Row, key: str) -> int:
        """Ask for a resource with the rights of who deploys."""
        wanted, plan = self._of(row)
        step = next(each for each in plan.steps if each.key == key)
        caller = Caller(app_id=wanted.app_id, object_id=wanted.object_id, tenant=wanted.tenant)
        try:
            body = await self.body(plan, step, caller, wanted.base_url)
            encoded = msgspec.json.encode(body)
            outer = Outer(correlation=wanted.correlation, seed=wanted.seed)
            query = {"api-version": step.api_version}
            await self._inside(caller, "PUT", step.id, query, encoded, wanted.base_url, outer)
        except TemplateError as error:
            raise CannotDeploy("InvalidTemplate", f"Deployment template validation failed: '{error}'.") from None
        except Fault as fault:
            if fault.status == _CONFLICT and fault.code in _BUSY:
                raise Busy from None
            raise CannotDeploy(fault.code, fault.message) from None
        held = self._row(key)
        return held.generation if held else 0

    def changed(self, row: Row) -> bool:
        """Tell whether the deployment is another one by now."""
        held = self._store.get(row.key)
        return held is None or (held.uid, held.generation) != (row.uid, row.generation)

    def look(self, key: str, generation: int) -> Look:
        """Tell how a resource stands."""
        held = self._row(key)
        if held is None or held.desired == "gone":
            return Look(state="Failed", code="ResourceNotFound", message="The resource was deleted meanwhile.")
        if held.settled_generation < generation:
            return Look(state="Running")
        if held.provisioning_state == "Succeeded" or held.generation > generation:
            return Look(state="Succeeded")
        status = msgspec.json.decode(held.status) if held.status else {}
        message = status.get("message") or (
            f"The resource operation completed with terminal provisioning state '{held.provisioning_state}'."
        )
        return Look(state="Failed", code="ResourceDeploymentFailure", message=message)

    def _row(self, key: str) -> Row | None:
        """Find the row of a resource, or of what it is a part of: a subnet of its network, tags of their scope."""
        row = self._store.get(key) or self._store.get(key.removesuffix("/providers/microsoft.resources/tags/default"))
        while row is None and (key := key.rpartition("/")[0].rpartition("/")[0]).count("/") > 4:  # noqa: PLR2004
            row = self._store.get(key)
        return row

    async def outputs(self, row: Row) -> dict[str, Any]:
        """Evaluate the outputs."""
        wanted, plan = self._of(row)
        caller = Caller(app_id=wanted.app_id, object_id=wanted.object_id, tenant=wanted.tenant)
        try:
            return await self._evaluated(plan, plan.outputs, caller, wanted.base_url)
        except TemplateError as error:
            raise CannotDeploy("DeploymentOutputEvaluationFailed", str(error)) from None
        except Fault as fault:
            raise CannotDeploy(fault.code, fault.message) from None

    # --- evaluation ---

    async def body(self, plan: Plan, step: Step, caller: Caller, base_url: str) -> dict[str, Any]:
        """Evaluate a resource's definition.  Raises `TemplateError` or `Fault`."""
        return await self._evaluated(plan, lambda reference: plan.body(step, reference), caller, base_url)

    async def _evaluated(
        self,
        plan: Plan,
        evaluate: Callable[[Reference], dict[str, Any]],
        caller: Caller,
        base_url: str,
    ) -> dict[str, Any]:
        """Evaluate; whenever another resource has to be looked at, read it and begin anew."""
        seen: dict[tuple[str, bool], Any] = {}
        by_word = _by_word(plan)

        def reference(word: str, version: str, part: Part) -> Any:
            id_ = _named(word, by_word)
            if not id_:
                raise TemplateError(f"The resource '{word}' that is referred to is not defined in the template")
            keys = part == "keys"
            if keys:
                self._check_keys(id_)
            known = next((each for each in plan.steps if each.key == id_.lower()), None)
            if (id_.lower(), keys) not in seen:
                raise _Lacks(id_, version or (known.api_version if known else "") or _newest(id_), keys)
            found = seen[id_.lower(), keys]
            return found.get("properties", {}) if part == "properties" else found

        for _ in range(_MOST_REFERENCES):
            try:
                return evaluate(reference)
            except RecursionError:
                raise TemplateError("its expressions refer to each other too deeply") from None
            except _Lacks as lacks:
                method, path = ("POST", _keys(lacks.id)) if lacks.keys else ("GET", lacks.id)
                answer = await self._inside(caller, method, path, {"api-version": lacks.version}, b"", base_url)
                seen[lacks.id.lower(), lacks.keys] = msgspec.json.decode(answer.body)
        raise TemplateError(f"The template refers to more than {_MOST_REFERENCES} resources")

    def check_keys(self, plan: Plan) -> None:
        """See that there are keys to list wherever a template asks for some.  Raises `TemplateError`."""
        by_word = _by_word(plan)
        for word in plan.keys_of():
            self._check_keys(_named(word, by_word) or word)

    def _check_keys(self, id_: str) -> None:
        if not self.offers("POST", _keys(id_)):
            raise TemplateError(
                f"The template function 'listKeys' can't list keys of '{id_}': it is offered for log workspaces "
                "(Microsoft.OperationalInsights/workspaces) only"
            )


def _by_word(plan: Plan) -> dict[str, Step]:
    return {word: each for each in reversed(plan.steps) for word in (each.name.lower(), each.symbol) if word}


def _named(word: str, by_word: dict[str, Step]) -> str:
    """Give the id of what a template refers to by name, symbol or id; empty if it is none of them."""
    named = by_word.get(word.lower())
    return named.id if named else word if word.startswith("/") else ""


def _keys(id_: str) -> str:
    return f"{id_}/sharedKeys"  # what Azure asks of a log workspace for listKeys


def _newest(id_: str) -> str:
    """Choose the api-version for a resource for which the template names none."""
    identity = ids.parse(id_)
    namespace, _, rest = (identity.type if identity else "").partition("/")
    found = provider(namespace)
    versions = next((each for name, each in found.types.items() if name.lower() == rest.lower()), ()) if found else ()
    return versions[-1] if versions else "2021-04-01"
