"""Describes the API as OpenAPI 3.1, made from the route table and the models: what is not there can't be described."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
from msgspec import Struct

from .. import __version__, models
from ..models import Model, wire_type
from ..wire import versions
from .routes import SOCKET, Route

_REF = "#/components/schemas/{name}"
_DATED = r"^\d{4}-\d{2}-\d{2}(-[a-z]+)?$"
_HOLE = re.compile(r"{(\w+)}")
_QUERY: dict[str, dict[str, dict[str, object]]] = {
    "Containers_ListLogs": {
        "tail": {"type": "integer", "minimum": 0},
        "timestamps": {"type": "boolean"},
    },
    "ContainerGroups_Stats": {"seconds": {"type": "integer", "minimum": 0, "maximum": 3600}},
    "Metrics_List": {
        name: {"type": "string"}
        for name in ("metricnames", "timespan", "interval", "aggregation", "$filter", "top", "orderby", "resultType")
    },
    "ContainerGroups_List": {"$expand": {"type": "string"}, "$skiptoken": {"type": "string"}},
    "ContainerGroups_ListByResourceGroup": {"$expand": {"type": "string"}, "$skiptoken": {"type": "string"}},
}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "target": {"type": "string"},
                "details": {"type": "array", "items": {"type": "object"}},
            },
        }
    },
}


class Shape(Struct, frozen=True, kw_only=True):
    """What goes in and out of an operation."""

    statuses: tuple[int, ...] = (200,)
    """With the answer; 202 and 204 have none."""
    body: type[Model] | None = None
    answer: type[Model] | None = None
    many: bool = False
    """The answer is a page of them."""
    strings: bool = False
    """The answer is a bare list of strings."""
    media: str = "application/json"


_GROUP = models.ContainerGroup
SHAPES: dict[str, Shape] = {
    "Operations_List": Shape(answer=models.Operation, many=True),
    "Location_ListUsage": Shape(answer=models.Usage, many=True),
    "Location_ListCapabilities": Shape(answer=models.Capabilities, many=True),
    "Location_ListCachedImages": Shape(answer=models.CachedImages, many=True),
    "SubnetServiceAssociationLink_Delete": Shape(statuses=(204,)),
    "ContainerGroups_List": Shape(answer=_GROUP, many=True),
    "ContainerGroups_ListByResourceGroup": Shape(answer=_GROUP, many=True),
    "ContainerGroups_Get": Shape(answer=_GROUP),
    "ContainerGroups_CreateOrUpdate": Shape(statuses=(200, 201), body=_GROUP, answer=_GROUP),
    "ContainerGroups_Update": Shape(body=models.Resource, answer=_GROUP),
    "ContainerGroups_Delete": Shape(statuses=(200, 204), answer=_GROUP),
    "ContainerGroups_Start": Shape(statuses=(202, 204)),
    "ContainerGroups_Stop": Shape(statuses=(204,)),
    "ContainerGroups_Restart": Shape(statuses=(204,)),
    "ContainerGroups_GetOutboundNetworkDependenciesEndpoints": Shape(strings=True),
    "Containers_ListLogs": Shape(answer=models.Logs),
    "Containers_ExecuteCommand": Shape(body=models.ContainerExecRequest, answer=models.ContainerExecResponse),
    "Containers_Attach": Shape(answer=models.ContainerAttachResponse),
    "copy_out": Shape(media="application/x-tar"),
    "prometheus": Shape(media="text/plain"),
    "openapi_page": Shape(media="text/html"),
    "ResourceGroups_List": Shape(answer=models.ResourceGroup, many=True),
    "ResourceGroups_Get": Shape(answer=models.ResourceGroup),
    "ResourceGroups_CreateOrUpdate": Shape(
        statuses=(200, 201), body=models.ResourceGroup, answer=models.ResourceGroup
    ),
    "ResourceGroups_Update": Shape(body=models.Resource, answer=models.ResourceGroup),
    "ResourceGroups_Delete": Shape(statuses=(202,)),
    "Resources_ListByResourceGroup": Shape(answer=models.GenericResourceExpanded, many=True),
}  # fmt: skip
"""By the operation's name; an operation that is not here answers with JSON of a shape that is not described."""
_BY_METHOD = {"DELETE": Shape(statuses=(200, 202, 204)), "HEAD": Shape(statuses=(204,))}


@cache
def _schemas() -> tuple[dict[type[Model], dict[str, Any]], dict[str, Any]]:
    """Give a reference for every model of an operation, and the schemas that they refer to."""
    used = {model: None for shape in SHAPES.values() for model in (shape.body, shape.answer) if model}
    made, components = msgspec.json.schema_components([wire_type(model) for model in used], ref_template=_REF)
    for schema in components.values():
        schema.pop("title", None)
    return dict(zip(used, made, strict=True)), components


def _answer(shape: Shape) -> dict[str, Any]:
    """Give the schema of an answer."""
    if shape.strings:
        return {"type": "array", "items": {"type": "string"}}
    if shape.answer is None:
        return {}
    one = _schemas()[0][shape.answer]
    if not shape.many:
        return one
    page = {"value": {"type": "array", "items": one}, "nextLink": {"type": "string", "format": "uri"}}
    return {"type": "object", "required": ["value"], "properties": page}


def _operation(route: Route) -> dict[str, Any]:
    shape = SHAPES.get(route.name) or _BY_METHOD.get(route.method, Shape())
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in _HOLE.findall(route.path)
    ]
    if route.provider:
        version: dict[str, Any] = {"type": "string", "default": versions.NEWEST}
        if route.provider == "Microsoft.ContainerInstance":
            version["enum"] = versions.CONTAINER_INSTANCE
        else:
            version["pattern"] = _DATED
        parameters.append({"name": "api-version", "in": "query", "required": True, "schema": version})
    query = _QUERY.get(route.name, {})
    parameters += [{"name": name, "in": "query", "schema": schema} for name, schema in query.items()]
    answers: dict[str, Any] = {}
    for status in shape.statuses:
        answers[str(status)] = {"description": "Accepted" if status == 202 else "OK"}  # noqa: PLR2004
        if status not in (202, 204) and route.method != "HEAD":
            answers[str(status)]["content"] = {shape.media: {"schema": _answer(shape)}}
    answers["default"] = {"description": "Refused: the code says why."}
    if route.method != "HEAD":
        answers["default"]["content"] = {"application/json": {"schema": {"$ref": _REF.format(name="Error")}}}
    made: dict[str, Any] = {
        "operationId": route.name,
        "summary": (route.handler.__doc__ or route.name).strip().partition("\n")[0],
        "parameters": parameters,
        "responses": answers,
        "security": [] if route.open else [{"bearer": []}],
    }
    if route.action:
        made["x-right"] = route.action
    if shape.body is not None:
        content = {"application/json": {"schema": _schemas()[0][shape.body]}}
        made["requestBody"] = {"required": True, "content": content}
    return made


@cache
def document(routes: Sequence[Route]) -> bytes:
    """Give the whole document as JSON."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        if route.method == SOCKET:
            continue  # OpenAPI knows no websockets
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    made = msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {"title": "Hythe", "version": __version__, "summary": "Container groups as Azure has them."},
            "security": [{"bearer": []}],
            "paths": paths,
            "components": {
                "schemas": _schemas()[1] | {"Error": _ERROR},
                "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            },
        }
    )
    return made.replace(b'Wire"', b'"')  # the twin of a model has its name on the wire
