"""Reads what a caller asks of Azure's metrics API, and cuts minutes into the intervals asked for.  Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NoReturn

import msgspec
from msgspec import Struct

from ...wire.faults import Fault
from .. import duration
from .series import MINUTE, RECEIVED, SENT, Point, cpu, memory, merged

NAMESPACE = "Microsoft.ContainerInstance/containerGroups"
DIMENSION = "containerName"
_GRAINS = {"PT1M": 60, "PT5M": 300, "PT15M": 900, "PT30M": 1800, "PT1H": 3600, "PT6H": 21600, "PT12H": 43200,
           "P1D": 86400}  # fmt: skip
GRAINS = tuple(_GRAINS)
"""Intervals, as ISO 8601 has them."""
_MOST_POINTS = 31 * 24 * 60
_TOP = 10
_LONGEST = 4096


class Metric(Struct, frozen=True, kw_only=True):
    """Something that is measured."""

    name: str
    display: str
    description: str
    unit: str
    series: Callable[[str], str]
    """Names its series, for a container or for the group (an empty name)."""
    by_container: bool = False


METRICS = (
    Metric(name="CpuUsage", display="CPU Usage", unit="Count", series=cpu, by_container=True,
           description="CPU usage on all cores in millicores."),
    Metric(name="MemoryUsage", display="Memory Usage", unit="Bytes", series=memory, by_container=True,
           description="Total memory usage in byte."),
    Metric(name="NetworkBytesReceivedPerSecond", display="Network Bytes Received Per Second", unit="Bytes",
           series=lambda _: RECEIVED, description="The network bytes received per second."),
    Metric(name="NetworkBytesTransmittedPerSecond", display="Network Bytes Transmitted Per Second", unit="Bytes",
           series=lambda _: SENT, description="The network bytes transmitted per second."),
)  # fmt: skip

AGGREGATIONS: dict[str, Callable[[Point], float]] = {
    "average": lambda point: point.average,
    "minimum": lambda point: point.lowest,
    "maximum": lambda point: point.highest,
    "total": lambda point: point.average * point.count,
    "count": lambda point: float(point.count),
}


class BadQuery(Fault):
    """A 400 of the metrics API, whose code stands at the top, and in ``error`` too as everywhere else."""

    def __init__(self, message: str) -> None:
        super().__init__(400, "BadRequest", message)

    @property
    def body(self) -> bytes:
        """The document."""
        error = {"code": self.code, "message": self.message}
        return msgspec.json.encode(error | {"error": error})


class Query(Struct, frozen=True, kw_only=True):
    """What is asked for."""

    metrics: tuple[Metric, ...]
    start: datetime
    end: datetime
    interval: str
    """One of `GRAINS`, or FULL for one point."""
    aggregations: tuple[str, ...]
    containers: tuple[str, ...] | None
    """Lower-case names of the containers to be told apart; empty for all, None for not telling them apart."""
    top: int
    orderby: tuple[str, bool] | None
    """By which aggregation series are sorted, and whether the largest comes first."""
    data: bool
    """False if only what there is a series of is asked for."""

    @property
    def timespan(self) -> str:
        """Start and end as they are answered."""
        return f"{stamp(self.start)}/{stamp(self.end)}"

    @property
    def buckets(self) -> list[tuple[int, int]]:
        """The intervals, each from a second of the epoch up to, without, another; they begin at whole intervals."""
        start, end = int(self.start.timestamp()), math.ceil(self.end.timestamp())
        if self.interval == "FULL":
            return [(start // MINUTE * MINUTE, end)]
        grain = _GRAINS[self.interval]
        return [(each, each + grain) for each in range(start // grain * grain, end, grain)]


def stamp(when: datetime | int) -> str:
    """Write a moment."""
    moment = datetime.fromtimestamp(when, UTC) if isinstance(when, int) else when
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def read(query: Mapping[str, str], now: datetime) -> Query:
    """Read the parameters of a request, by lower-case name.  Raises `BadQuery`."""
    namespace = query.get("metricnamespace", "")
    if namespace and namespace.lower() != NAMESPACE.lower():
        raise BadQuery(f"Cannot find the metric namespace '{namespace}'. The namespace here is '{NAMESPACE}'.")
    metrics = _metrics(query.get("metricnames", ""))
    start, end = _timespan(query.get("timespan", ""), now)
    containers = _containers(query, metrics)
    found = Query(
        metrics=metrics,
        start=start,
        end=end,
        interval=_interval(query),
        aggregations=_aggregations(query.get("aggregation", "")),
        containers=containers,
        top=_number(query, "top") or _TOP,
        orderby=_orderby(query.get("orderby", "")),
        data=query.get("resulttype", "").lower() != "metadata",
    )
    span = (end - start).total_seconds()
    if found.interval != "FULL" and span / _GRAINS[found.interval] > _MOST_POINTS:
        raise BadQuery(f"The timespan has more than {_MOST_POINTS} points of {found.interval}. Ask for longer ones.")
    return found


def _metrics(text: str) -> tuple[Metric, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    known = {metric.name.lower(): metric for metric in METRICS}
    for name in names:
        if name.lower() not in known:
            raise BadQuery(
                "Failed to find metric configuration for provider: Microsoft.ContainerInstance, resource Type: "
                f"containerGroups, metric: {name}, Valid metrics: {','.join(metric.name for metric in METRICS)}"
            )
    return tuple(dict.fromkeys(known[name.lower()] for name in names)) or METRICS[:1]


def _timespan(text: str, now: datetime) -> tuple[datetime, datetime]:
    """Read two moments, a moment and how long, how long and a moment, or how long until now; an hour by itself."""
    first, slash, second = text.strip().partition("/")
    lasting = [duration.seconds(word) if word.upper().startswith("P") else None for word in (first, second)]
    try:
        if not slash:
            end = now
            start = end - timedelta(seconds=3600 if not first else lasting[0] if lasting[0] else _refuse(text))
        elif lasting[1] is not None:
            start = _moment(first)
            end = start + timedelta(seconds=lasting[1])
        else:
            end = _moment(second)
            start = _moment(first) if lasting[0] is None else end - timedelta(seconds=lasting[0])
    except (ValueError, OverflowError):
        _refuse(text)
    if end <= start:
        raise BadQuery(f"The timespan '{text}' is invalid: its end must come after its start.")
    return start, end


def _refuse(text: str) -> NoReturn:
    raise BadQuery(f"The timespan '{text}' is invalid: write start/end as 2026-01-31T10:00:00Z/2026-01-31T11:00:00Z.")


def _moment(text: str) -> datetime:
    # A plus sign that was not escaped comes as a blank.
    found = datetime.fromisoformat(text.strip().replace(" ", "+") if "T" in text.upper() else text)
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    if not 1971 <= found.year <= 9000:  # noqa: PLR2004 - what the arithmetic with moments can bear
        raise ValueError(text)
    return found.astimezone(UTC)


def _interval(query: Mapping[str, str]) -> str:
    asked = query.get("interval", "") or "PT1M"
    if asked.upper() == "FULL":
        return "FULL"
    seconds = duration.seconds(asked) if asked.upper().startswith("P") else None
    for name, grain in _GRAINS.items():
        if seconds == grain:
            return name
    if seconds and query.get("autoadjusttimegrain", "").lower() == "true":
        return min(_GRAINS, key=lambda name: abs(_GRAINS[name] - seconds))
    grains = ",".join(f"{s // 86400}.00:00:00" if s >= 86400 else f"{s // 3600:02}:{s // 60 % 60:02}:00"  # noqa: PLR2004
                      for s in _GRAINS.values())  # fmt: skip
    raise BadQuery(f"Invalid time grain duration: {asked}, supported ones are: {grains}")


def _aggregations(text: str) -> tuple[str, ...]:
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in AGGREGATIONS:
            known = ", ".join(each.capitalize() for each in AGGREGATIONS)
            raise BadQuery(f"Invalid aggregation: {name}, supported ones are: {known}")
    return tuple(dict.fromkeys(names)) or ("average",)


_CONDITION = re.compile(r"\s*([A-Za-z_][\w/.]*)\s+eq\s+'((?:[^']|'')*)'\s*", re.IGNORECASE)


def _containers(query: Mapping[str, str], metrics: tuple[Metric, ...]) -> tuple[str, ...] | None:
    """Read ``$filter``: ``containerName eq '*'``, or names joined by ``or``."""
    text = query.get("$filter", "").strip()
    if not text:
        return None
    names: list[str] = []
    for part in re.split(r"\s+or\s+(?=[^']*(?:'[^']*'[^']*)*$)", text[:_LONGEST], flags=re.IGNORECASE):
        condition = _CONDITION.fullmatch(part.strip("() "))
        if condition is None:
            raise BadQuery(f"Invalid $filter '{text[:200]}': write {DIMENSION} eq '*' or {DIMENSION} eq 'name'.")
        if query.get("validatedimensions", "").lower() != "false":
            for metric in metrics:
                if condition[1].lower() != DIMENSION.lower() or not metric.by_container:
                    raise BadQuery(
                        f"Metric: {metric.name} does not support requested dimension combination: "
                        f"{condition[1].lower()}, supported ones are: {DIMENSION if metric.by_container else ''}"
                    )
        elif condition[1].lower() != DIMENSION.lower():
            return None
        names.append(condition[2].replace("''", "'").lower())
    if query.get("rollupby", "").lower() == DIMENSION.lower() and "*" in names:
        return None
    return () if "*" in names else tuple(names)


def _number(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name, "")
    if not text:
        return None
    if not text.isdecimal() or not 0 < int(text[:9]) <= 1_000_000:  # noqa: PLR2004 - far more than there are
        raise BadQuery(f"The parameter '{name}' must be a whole number above 0.")
    return int(text)


def _orderby(text: str) -> tuple[str, bool] | None:
    if not text.strip():
        return None
    word, _, way = text.strip().lower().partition(" ")
    found = next((name for name in AGGREGATIONS if word in (name, name[:3])), None)
    if found is None or way.strip() not in ("", "asc", "desc"):
        raise BadQuery(
            f"The parameter 'orderby' must be an aggregation and asc or desc, as in 'average desc': '{text}'."
        )
    return found, way.strip() == "desc"


def cut(minutes: Mapping[int, Point], buckets: list[tuple[int, int]]) -> list[Point | None]:
    """Give the point of each interval, None where nothing was measured.  ``minutes`` is by minute of the epoch."""
    found: list[Point | None] = []
    for start, end in buckets:
        if end - start == MINUTE:
            found.append(minutes.get(start // MINUTE))
        else:
            inside = (minutes.get(each) for each in range(start // MINUTE, -(-end // MINUTE)))
            found.append(merged(point for point in inside if point is not None))
    return found
