"""Deployments of templates to a resource group or a subscription."""

from __future__ import annotations

import time
import uuid
from typing import Any

import msgspec
from msgspec.structs import replace

from ...models import Deployment, to_json
from ...wire import filters, ids, jsonc
from ...wire.faults import Detail, Fault, invalid_content
from ...wire.ids import ResourceId
from ...wire.templates import Plan, Step, TemplateError
from ..answers import Answer, empty, listed, plain, shown
from ..call import Call, Caller
from ..kinds import BY_TYPE, DEPLOYMENTS, Shown
from ..kinds.deployments import Deployed, moment, shown_parameters
from ..store import DeploymentStatus, Row, StepState
from .api import Api
from .changes import compared

_FILTER = {"provisioningstate": frozenset(("eq",))}
_GROUP_ACTION = "Microsoft.Resources/subscriptions/resourceGroups"


def _identity(call: Call) -> ResourceId:
    return ResourceId(
        subscription=call.subscription,
        resource_group=call.params.get("resourceGroupName", ""),
        type=DEPLOYMENTS.type,
        name=call.params["deploymentName"],
    )


def _held(api: Api, call: Call) -> Row:
    identity = _identity(call)
    api.resources.home(identity, call)
    row = api.store.get(identity.key)
    if row is None:
        raise Fault(404, "DeploymentNotFound", f"Deployment '{identity.name}' could not be found.")
    return row


# --- reading a request ---


def _invalid(error: object) -> Fault:
    return Fault(400, "InvalidTemplate", f"Deployment template validation failed: '{error}'.")


def _asked(api: Api, call: Call) -> tuple[Deployed, Plan]:
    """Read a body and its template.  Raises `Fault`: InvalidRequestContent, InvalidTemplate and others."""
    identity = _identity(call)
    home = api.resources.home(identity, call)
    if home is not None and home.desired == "gone":
        raise Fault(409, "ResourceGroupBeingDeleted", f"The resource group '{identity.resource_group}' is in "
                    "deprovisioning state and cannot perform this operation.")  # fmt: skip
    body = jsonc.loads(call.body)
    given = body.get("properties") if isinstance(body, dict) else None
    if not isinstance(given, dict):
        raise invalid_content("Required property 'properties' not found in JSON. Path ''.")
    properties = {name.lower(): each for name, each in given.items()}
    mode = str(properties.get("mode", "Incremental"))
    for member, what in (
        ("templatelink", "templates that lie elsewhere: send the template itself"),
        ("parameterslink", "parameters that lie elsewhere: send them"),
        ("onerrordeployment", "going back to an earlier deployment on an error"),
    ):
        if properties.get(member):
            raise Fault(400, "FeatureNotSupported", f"This service does not offer {what}.")
    if mode.lower() != "incremental":
        raise Fault(400, "FeatureNotSupported", "This service deploys in the mode Incremental: it deletes nothing.")
    location = body.get("location")
    if not identity.resource_group and not (isinstance(location, str) and location):
        raise Fault(400, "LocationRequired", "The location property is required for a deployment of a subscription.")
    template = properties.get("template")
    if not isinstance(template, dict):
        raise Fault(400, "InvalidTemplate", "Deployment template validation failed: 'The template is missing'.")
    caller = call.caller or Caller(app_id="", object_id="", tenant="")
    seed = str(uuid.uuid4())
    wanted = Deployed(
        location=location if isinstance(location, str) else None,
        tags=_tags(body.get("tags")),
        template=template,
        parameters=_values(properties.get("parameters") or {}),
        app_id=caller.app_id,
        object_id=caller.object_id,
        tenant=caller.tenant,
        base_url=call.base_url,
        moment=time.time(),
        seed=seed,
        correlation=call.outer.correlation if call.outer else seed,
        outer=call.outer.seed if call.outer else "",
    )
    try:
        plan = api.deployer.plan(identity, wanted)
        api.deployer.check_keys(plan)
    except TemplateError as error:
        raise _invalid(error) from None
    except RecursionError:
        raise _invalid("it is nested too deeply") from None
    defined = next((each for name, each in template.items() if name.lower() == "parameters"), None) or {}
    types = {name: str(each.get("type", "")) for name, each in defined.items()}
    secure = {name for name, type_ in types.items() if type_.lower().startswith("secure")}
    wanted = replace(
        wanted,
        types=types,
        count=len(plan.steps),
        parameters={name: value for name, value in plan.parameters.items() if name not in secure},
        secure={name: value for name, value in plan.parameters.items() if name in secure} or None,
    )
    return wanted, plan


def _tags(given: object) -> dict[str, str] | None:
    return {str(name): str(text) for name, text in given.items()} if isinstance(given, dict) else None


def _values(parameters: object) -> dict[str, Any]:
    if not isinstance(parameters, dict):
        raise invalid_content("The parameters are not an object. Path 'properties.parameters'.")
    given: dict[str, Any] = parameters
    if "$schema" in given and isinstance(given.get("parameters"), dict):
        given = given["parameters"]  # the whole of a parameters file
    out = {}
    for name, each in given.items():
        if isinstance(each, dict) and "reference" in each:
            raise Fault(400, "FeatureNotSupported", f"The parameter '{name}' is in a key vault, which this service "
                        "does not offer. Send its value.")  # fmt: skip
        if not isinstance(each, dict) or "value" not in each:
            raise _invalid(f"The value of the parameter '{name}' is not provided as {{\"value\": ...}}")
        out[name] = each["value"]
    return out


async def _check(api: Api, call: Call, wanted: Deployed, plan: Plan) -> None:
    """Refuse a deployment that can't succeed: types, rights, and definitions as far as they are known now."""
    problems: list[Detail] = []
    for step in plan.steps:
        if not api.deployer.offers("PUT", step.id):
            raise _invalid(
                f"The resource '{step.name}' has the type '{step.type}', which this service does not offer there"
            )
        kind = _GROUP_ACTION if step.type.lower() == "microsoft.resources/resourcegroups" else step.type
        if call.caller is not None and not api.rights.may(call.caller, f"{kind}/write", step.key):
            raise Fault(
                403,
                "InvalidTemplateDeployment",
                f"Deployment failed with multiple errors: 'Authorization failed for template resource '{step.name}' of "
                f"type '{step.type}'. The client '{call.caller.app_id}' with object id '{call.caller.object_id}' does "
                f"not have permission to perform action '{kind}/write' at scope '{step.id}'.'",
            )
        problems += await _problems(api, call, wanted, plan, step)
    if problems:
        raise Fault(
            400,
            "InvalidTemplateDeployment",
            f"The template deployment '{call.params['deploymentName']}' is not valid according to the validation "
            f"procedure. {problems[0].message}",
            details=problems,
        )


async def _problems(api: Api, call: Call, wanted: Deployed, plan: Plan, step: Step) -> list[Detail]:
    kind, identity = BY_TYPE.get(step.type.lower()), ids.parse(step.id)
    if kind is None or identity is None or kind is DEPLOYMENTS or plan.needs_reference(step) or call.caller is None:
        return []
    try:
        body = await api.deployer.body(plan, step, call.caller, wanted.base_url)
        kind.validate(kind.read(msgspec.json.encode(body), identity), identity)
    except TemplateError as error:
        raise _invalid(error) from None
    except Fault as fault:
        return [Detail(code=each.code, message=each.message, target=step.id) for each in fault.details] or [
            Detail(code=fault.code, message=fault.message, target=step.id)
        ]
    return []


# --- handlers ---


async def put(api: Api, call: Call) -> Answer:
    """Deploy a template."""
    wanted, plan = _asked(api, call)
    _refuse_active(api.store.get(_identity(call).key))
    await _check(api, call, wanted, plan)
    return await api.resources.put(DEPLOYMENTS, _identity(call), replace(call, body=to_json(wanted)))


def _refuse_active(row: Row | None) -> None:
    if row is not None and row.settled_generation < row.generation:
        raise Fault(
            409,
            "DeploymentActive",
            f"Unable to edit or replace deployment '{row.name}': previous deployment from '{moment(row.changed_at)}' "
            "is still active. Please see https://aka.ms/arm-deploy for usage details.",
        )


async def validate(api: Api, call: Call) -> Answer:
    """Check a template without deploying it."""
    wanted, plan = _asked(api, call)
    await _check(api, call, wanted, plan)
    identity = _identity(call)
    return plain(
        {
            "id": identity.text,
            "name": identity.name,
            "type": DEPLOYMENTS.type,
            "properties": {
                "mode": wanted.mode,
                "parameters": shown_parameters(wanted),
                "provisioningState": "Succeeded",
                "timestamp": moment(wanted.moment),
                "duration": "PT0S",
                "correlationId": wanted.correlation,
                "providers": [],
                "dependencies": [],
                "validatedResources": [{"id": step.id} for step in plan.steps],
            },
        }
    )


async def what_if(api: Api, call: Call) -> Answer:
    """Tell what a deployment would change."""
    wanted, plan = _asked(api, call)
    await _check(api, call, wanted, plan)
    changes = [await compared(api, call, wanted, plan, step) for step in plan.steps]
    return plain({"status": "Succeeded", "properties": {"correlationId": wanted.correlation, "changes": changes}})


def get(api: Api, call: Call) -> Answer:
    """Show a deployment."""
    return shown(DEPLOYMENTS.show(_held(api, call), Shown(api_version=call.api_version)))


def check(api: Api, call: Call) -> Answer:
    """Tell whether a deployment is there."""
    _held(api, call)
    return empty(204)


def list_(api: Api, call: Call) -> Answer:
    """List the deployments of a resource group or a subscription, the newest first."""
    terms = filters.parse(call.query.get("$filter", ""), _FILTER)
    folder = call.params.get("resourceGroupName")
    group = api.resources.folder(call).resource_group if folder else ""
    rows = [
        row for row in api.store.listed(DEPLOYMENTS.name, api.resources.subscription(call), group)
        if row.resource_group == group
    ]  # fmt: skip
    found = [DEPLOYMENTS.show(row, Shown(api_version=call.api_version))
             for row in sorted(rows, key=lambda row: -row.changed_at)]  # fmt: skip
    return listed(
        each for each in found if isinstance(each, Deployment)
        and all(term.holds(each.provisioning_state or "") for term in terms)
    )  # fmt: skip


async def delete(api: Api, call: Call) -> Answer:
    """Forget a deployment; what it made stays."""
    identity = _identity(call)
    _refuse_active(api.store.get(identity.key))
    await api.resources.delete(DEPLOYMENTS, identity, call)
    return empty(204)


async def cancel(api: Api, call: Call) -> Answer:
    """End a deployment that is under way; what it has asked for stays."""
    row = _held(api, call)
    if row.settled_generation >= row.generation:
        raise Fault(409, "DeploymentCannotBeCanceled", f"The deployment '{row.name}' is not running.")
    api.resources.end(row, _identity(call))
    return empty(204)


def export(api: Api, call: Call) -> Answer:
    """Show the template of a deployment."""
    return plain({"template": api.deployer.template(_held(api, call).key)})


def list_operations(api: Api, call: Call) -> Answer:
    """List what became of each resource of a deployment."""
    row = _held(api, call)
    return plain({"value": [_operation(row, each) for each in _steps(row)]})


def get_operation(api: Api, call: Call) -> Answer:
    """Show what became of one resource."""
    row = _held(api, call)
    wanted = call.params["operationId"].lower()
    found = next((each for each in _steps(row) if _operation_id(row, each) == wanted), None)
    if found is None:
        raise Fault(404, "DeploymentOperationNotFound", f"The deployment operation '{wanted}' could not be found.")
    return plain(_operation(row, found))


def _steps(row: Row) -> list[StepState]:
    status = msgspec.json.decode(row.status, type=DeploymentStatus) if row.status else DeploymentStatus()
    return [*status.steps.values()] if status.generation == row.generation else []


def _operation_id(row: Row, step: StepState) -> str:
    return uuid.uuid5(uuid.NAMESPACE_OID, f"{row.uid}{step.id.lower()}").hex[:16]


def _path_of_steps(row: Row) -> str:
    """Give the path of a deployment's operations: in a resource group, Azure's has no provider in it."""
    return f"{row.id.replace('/providers/Microsoft.Resources', '') if row.resource_group else row.id}/operations"


def _operation(row: Row, step: StepState) -> dict[str, object]:
    properties: dict[str, object] = {
        "provisioningOperation": "Create",
        "provisioningState": step.state,
        "timestamp": moment(step.ended_at or step.begun_at),
        "duration": f"PT{max(0.0, (step.ended_at or time.time()) - step.begun_at):.3f}S",
        "trackingId": row.uid,
        "statusCode": {"Succeeded": "OK", "Failed": "BadRequest"}.get(step.state, "Accepted"),
        "targetResource": {
            "id": step.id,
            "resourceType": step.type,
            "resourceName": (ids.parse(step.id) or ResourceId()).name or step.id.rpartition("/")[2],
        },
    }
    if step.message:
        properties["statusMessage"] = {"status": step.state, "error": {"code": step.code, "message": step.message}}
    identity = _operation_id(row, step)
    return {"id": f"{_path_of_steps(row)}/{identity}", "operationId": identity, "properties": properties}
