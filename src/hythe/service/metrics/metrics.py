"""Answers what groups use and used: for Azure's metrics API, for `hythe top`, for Prometheus."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..answers import Answer, plain
from ..call import Call
from ..store import Row
from . import prometheus
from .query import AGGREGATIONS, DIMENSION, GRAINS, METRICS, NAMESPACE, BadQuery, Metric, Query, cut, read, stamp
from .sampler import KEPT_HOURS, Clock, Sampler
from .series import HOUR, MINUTE, RECEIVED, SENT, Hour, Point, Seconds, cpu, memory, merged, summed_up

_INSIGHTS = "providers/Microsoft.Insights"


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
        minutes = self._minutes(row, int(query.start.timestamp()), int(query.end.timestamp()))
        return [_value(row, query, metric, minutes) for metric in query.metrics]

    def _minutes(self, row: Row, start: int, end: int) -> dict[str, dict[int, Point]]:
        """Give by series and minute what was measured, the minute that goes on included."""
        group = self.sampler.groups.get(row.key)
        first, last = start // HOUR, end // HOUR
        kept = self.sampler.history.get(row.uid, first, last)
        hours = {number: Hour.unpacked(block) for number, block in kept}
        if group is not None and group.uid == row.uid and first <= group.hour <= last:
            hours[group.hour] = group.minutes
        found: dict[str, dict[int, Point]] = defaultdict(dict)
        for number, hour in hours.items():
            for series in [*hour.series]:
                for minute in range(MINUTE):
                    point = hour.get(series, minute)
                    if point is not None:
                        found[series][number * MINUTE + minute] = point
        if group is not None and group.uid == row.uid:
            minute = int(self._clock().timestamp()) // MINUTE
            for series, seconds in [*group.seconds.items()]:
                begun = summed_up(value for _, value in seconds.between(minute * MINUTE, (minute + 1) * MINUTE))
                if begun is not None:
                    found[series][minute] = begun
        return found

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


def _value(row: Row, query: Query, metric: Metric, minutes: Mapping[str, Mapping[int, Point]]) -> dict[str, Any]:
    suffix = metric.series("")
    series = {name.removesuffix(suffix): points for name, points in minutes.items() if name.endswith(suffix)}
    told_apart = query.containers is not None and metric.by_container
    if told_apart:
        wanted = query.containers or ()
        series = {name: points for name, points in series.items() if not wanted or name.lower() in wanted}
    else:
        series = {"": _together(series.values())}
    buckets = query.buckets
    timeseries = []
    for name, points in sorted(series.items()):
        cut_up = cut(points, buckets)
        whole = merged(point for point in cut_up if point is not None)
        label = {"value": DIMENSION.lower(), "localizedValue": DIMENSION.lower()}
        made: dict[str, Any] = {"metadatavalues": [{"name": label, "value": name}] if told_apart else []}
        if query.data:
            made["data"] = [
                _data(start, point, query) for (start, _), point in zip(buckets, cut_up, strict=True)
            ]  # fmt: skip
        timeseries.append((whole, made))
    if query.orderby is not None:
        how, descending = query.orderby
        timeseries.sort(key=lambda one: AGGREGATIONS[how](one[0]) if one[0] else 0.0, reverse=descending)
    return {
        "id": f"{row.id}/{_INSIGHTS}/metrics/{metric.name}",
        "type": "Microsoft.Insights/metrics",
        "name": {"value": metric.name, "localizedValue": metric.display},
        "displayDescription": metric.description,
        "unit": metric.unit,
        "timeseries": [made for _, made in (timeseries[: query.top] if told_apart else timeseries)],
        "errorCode": "Success",
    }


def _data(start: int, point: Point | None, query: Query) -> dict[str, Any]:
    """Give one point; one without values where nothing was measured."""
    given: dict[str, Any] = {"timeStamp": stamp(start)}
    if point is not None:
        given |= {name: AGGREGATIONS[name](point) for name in query.aggregations}
    return given


def _together(series: Iterable[Mapping[int, Point]]) -> dict[int, Point]:
    """Take several series as one: the values of all of them."""
    by_minute: dict[int, list[Point]] = defaultdict(list)
    for points in series:
        for minute, point in points.items():
            by_minute[minute].append(point)
    together = {minute: merged(points) for minute, points in by_minute.items()}
    return {minute: point for minute, point in together.items() if point is not None}
