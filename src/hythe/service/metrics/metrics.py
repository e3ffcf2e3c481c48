"""Answers what groups use and used: for Azure's metrics API, for `hythe top`, for Prometheus."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from msgspec import Struct

from ..answers import Answer, plain
from ..call import Call
from ..store import Row
from . import prometheus
from .query import AGGREGATIONS, DIMENSION, GRAINS, METRICS, NAMESPACE, BadQuery, Metric, Query, cut, read, stamp
from .sampler import KEPT_HOURS, Clock, Sampler
from .series import HOUR, MINUTE, RECEIVED, SENT, Hour, Point, Seconds, cpu, memory, merged, summed_up

_MOST_POINTS = 200_000
"""In one answer: some 60 MB while it is made."""
_INSIGHTS = "providers/Microsoft.Insights"


class Recorded(Struct, kw_only=True):
    """The minutes of a group, as far as a question goes."""

    hours: dict[int, Hour]
    minute: int = 0
    begun: dict[str, Point] = {}
    """What there is of that minute, which is not summed up yet, by series."""

    def names(self, suffix: str) -> list[str]:
        """Give what stands before the suffix of every series that has it."""
        every = {name for hour in self.hours.values() for name in [*hour.series]} | {*self.begun}
        return sorted(name.removesuffix(suffix) for name in every if name.endswith(suffix))

    def points(self, series: str) -> dict[int, Point]:
        """Give a series by minute of the epoch."""
        found: dict[int, Point] = {}
        for number, hour in self.hours.items():
            for minute in range(MINUTE):
                point = hour.get(series, minute)
                if point is not None:
                    found[number * MINUTE + minute] = point
        if series in self.begun:
            found[self.minute] = self.begun[series]
        return found


class Metrics:
    """Reads what the sampler keeps."""

    def __init__(self, sampler: Sampler, clock: Clock) -> None:
        self.sampler = sampler
        self._clock = clock

    # --- Azure's ---

    def definitions(self, row: Row) -> Answer:
        """Answer with what is measured."""
        return plain({"value": [_definition(row, metric) for metric in METRICS]})

    async def insights(self, row: Row, location: str, call: Call) -> Answer:
        """Answer with what was measured."""
        query = read(call.query, self._clock())
        value = await asyncio.to_thread(self._values, row, query)
        minutes = round((query.end - query.start).total_seconds() / MINUTE)
        return plain(
            {
                "cost": max(0, minutes - 1) * len(query.metrics),
                "timespan": query.timespan,
                "interval": query.interval if query.interval != "FULL" else _whole(query),
                "value": value,
                "namespace": NAMESPACE,
                "resourceregion": location,
            }
        )

    def _values(self, row: Row, query: Query) -> list[dict[str, Any]]:
        recorded = self._recorded(row, int(query.start.timestamp()), int(query.end.timestamp()))
        return [_value(row, query, metric, recorded) for metric in query.metrics]

    def _recorded(self, row: Row, start: int, end: int) -> Recorded:
        """Give what was measured, the minute included that is not summed up yet."""
        first, last = start // HOUR, end // HOUR
        hours = {number: Hour.unpacked(block) for number, block in self.sampler.history.get(row.uid, first, last)}
        group = self.sampler.groups.get(row.key)
        if group is None or group.uid != row.uid:
            return Recorded(hours=hours)
        # Before the minutes are read, and not the clock's: that one may be over, and be summed up a second later.
        minute = self.sampler.minute
        begun: dict[str, Point] = {}
        for series, seconds in [*group.seconds.items()] if first <= minute // MINUTE <= last else ():
            point = summed_up(value for _, value in seconds.between(minute * MINUTE, (minute + 1) * MINUTE))
            if point is not None:
                begun[series] = point
        if first <= group.hour <= last:
            hours[group.hour] = group.minutes
        return Recorded(hours=hours, minute=minute, begun=begun)

    # --- our own ---

    def stats(self, row: Row, call: Call) -> Answer:
        """Answer with what a group uses now; with ``seconds`` also with what it used in each of so many."""
        text = call.query.get("seconds", "0")
        if not text.isdecimal() or len(text) > 4 or int(text) > HOUR:  # noqa: PLR2004 - digits of an hour
            raise BadQuery(f"The parameter 'seconds' must be a whole number from 0 to {HOUR}.")
        group = self.sampler.groups.get(row.key)
        now = int(self._clock().timestamp())
        values: Mapping[str, float] = {}
        series: Mapping[str, Seconds] = {}
        running: Iterable[str] = ()
        if group is not None and group.uid == row.uid:
            values, series = group.now, group.seconds
            running = [name for name, *_ in group.running]
        names = sorted({*running, *(name.rpartition("/")[0] for name in series)} - {""}) if int(text) else [*running]
        span = (now - int(text), now + 1) if int(text) else None

        def told(key: str, name: str) -> dict[str, Any]:
            given: dict[str, Any] = {key: values.get(name)}
            if span and name in series:
                given[f"{key}Series"] = [[stamp(second), value] for second, value in series[name].between(*span)]
            return given

        cpus = [values[cpu(name)] for name in running if cpu(name) in values]
        held = [values[memory(name)] for name in running if memory(name) in values]
        return plain(
            {
                "id": row.id,
                "name": row.name,
                "timeStamp": stamp(now),
                "cpuMillicores": sum(cpus) if cpus else None,
                "memoryBytes": sum(held) if held else None,
                **told("networkBytesReceivedPerSecond", RECEIVED),
                **told("networkBytesTransmittedPerSecond", SENT),
                "containers": [
                    {"name": name, **told("cpuMillicores", cpu(name)), **told("memoryBytes", memory(name))}
                    for name in names
                ],
            }
        )

    def prometheus(self, shows: Callable[[str], bool]) -> Answer:
        """Answer with what groups use now, as Prometheus reads it; ``shows`` tells whose keys may be shown."""
        groups = [group for key, group in sorted(self.sampler.groups.items()) if group.reading and shows(key)]
        return Answer(body=prometheus.written(groups), content_type=prometheus.MEDIA)


def _whole(query: Query) -> str:
    return f"PT{max(1, round((query.end - query.start).total_seconds() / MINUTE))}M"


def _definition(row: Row, metric: Metric) -> dict[str, Any]:
    definition: dict[str, Any] = {
        "id": f"{row.id}/{_INSIGHTS}/metricdefinitions/{metric.name}",
        "resourceId": row.id,
        "namespace": NAMESPACE,
        "name": {"value": metric.name, "localizedValue": metric.display},
        "displayDescription": metric.description,
        "isDimensionRequired": False,
        "unit": metric.unit,
        "primaryAggregationType": "Average",
        "supportedAggregationTypes": [name.capitalize() for name in AGGREGATIONS],
        "metricAvailabilities": [{"timeGrain": grain, "retention": f"P{KEPT_HOURS // 24}D"} for grain in GRAINS],
    }
    if metric.by_container:
        definition["dimensions"] = [{"value": DIMENSION, "localizedValue": DIMENSION}]
    return definition


def _value(row: Row, query: Query, metric: Metric, recorded: Recorded) -> dict[str, Any]:
    suffix = metric.series("")
    names = recorded.names(suffix)
    told_apart = query.containers is not None and metric.by_container
    if told_apart:
        wanted = query.containers or ()
        names = [name for name in names if not wanted or name.lower() in wanted]
    buckets = query.buckets
    kept = min(query.top, len(names)) if told_apart else 1
    if kept * len(buckets) * len(query.metrics) > _MOST_POINTS:
        raise BadQuery(
            f"The answer would have more than {_MOST_POINTS} points. Ask for a shorter timespan, a longer interval, or "
            "fewer series with top."
        )
    series: list[tuple[str, list[Point | None]]] = []
    if told_apart:
        series = [(name, cut(recorded.points(name + suffix), buckets)) for name in names]
    else:
        series = [("", cut(_together(recorded.points(name + suffix) for name in names), buckets))]
    if query.orderby is not None:
        series.sort(key=partial(_rank, query.orderby[0]), reverse=query.orderby[1])
    label = {"value": DIMENSION.lower(), "localizedValue": DIMENSION.lower()}
    timeseries = []
    for name, points in series[:kept]:
        made: dict[str, Any] = {"metadatavalues": [{"name": label, "value": name}] if told_apart else []}
        if query.data:
            made["data"] = [_data(start, point, query) for (start, _), point in zip(buckets, points, strict=True)]
        timeseries.append(made)
    return {
        "id": f"{row.id}/{_INSIGHTS}/metrics/{metric.name}",
        "type": "Microsoft.Insights/metrics",
        "name": {"value": metric.name, "localizedValue": metric.display},
        "displayDescription": metric.description,
        "unit": metric.unit,
        "timeseries": timeseries,
        "errorCode": "Success",
    }


def _rank(how: str, series: tuple[str, list[Point | None]]) -> float:
    whole = merged(point for point in series[1] if point is not None)
    return AGGREGATIONS[how](whole) if whole else 0.0


def _data(start: int, point: Point | None, query: Query) -> dict[str, Any]:
    """Give one point; one without values where nothing was measured."""
    given: dict[str, Any] = {"timeStamp": stamp(start)}
    if point is not None:
        given |= {name: AGGREGATIONS[name](point) for name in query.aggregations}
    return given


def _together(series: Iterable[Mapping[int, Point]]) -> dict[int, Point]:
    """Take several series as one: the values of all of them."""
    together: dict[int, Point] = {}
    for points in series:
        for minute, point in points.items():
            there = together.get(minute)
            together[minute] = (merged((there, point)) or point) if there else point
    return together
