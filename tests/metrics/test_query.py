"""What a caller may ask of the metrics API, the sentences for what it may not, and intervals."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from hythe.service.metrics.query import BadQuery, cut, read
from hythe.service.metrics.series import Point

NOW = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)


def test_says_what_nobody_said() -> None:
    query = read({}, NOW)

    assert [metric.name for metric in query.metrics] == ["CpuUsage"]
    assert (query.start, query.end) == (NOW - timedelta(hours=1), NOW)
    assert (query.interval, query.aggregations, query.containers, query.data) == ("PT1M", ("average",), None, True)
    assert query.timespan == "2026-03-01T11:00:30Z/2026-03-01T12:00:30Z"
    assert len(query.buckets) == 61


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-03-01T10:00:00Z/2026-03-01T11:00:00Z", (10, 0), (11, 0)),
        ("2026-03-01T10:00:00.1234567Z/2026-03-01T11:00:00Z", (10, 0), (11, 0)),
        ("2026-03-01T11:00:00 01:00/2026-03-01T11:00:00.000000+00:00", (10, 0), (11, 0)),
        ("2026-03-01T10:00:00/PT30M", (10, 0), (10, 30)),
        ("PT30M/2026-03-01T11:00:00Z", (10, 30), (11, 0)),
        ("PT2H", (10, 0), (12, 0)),
    ],
)  # fmt: skip
def test_reads_timespans(text: str, start: tuple[int, int], end: tuple[int, int]) -> None:
    query = read({"timespan": text}, NOW)

    assert (query.start.hour, query.start.minute) == start
    assert (query.end.hour, query.end.minute) == end


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"metricnames": "CpuUsage,Speed"},
         "Failed to find metric configuration for provider: Microsoft.ContainerInstance, resource Type: containerGroups"
         ", metric: Speed, Valid metrics: CpuUsage,MemoryUsage,NetworkBytesReceivedPerSecond,"
         "NetworkBytesTransmittedPerSecond"),
        ({"interval": "PT3M"},
         "Invalid time grain duration: PT3M, supported ones are: 00:01:00,00:05:00,00:15:00,00:30:00,01:00:00,06:00:00,"
         "12:00:00,1.00:00:00"),
        ({"interval": "60"}, "Invalid time grain duration: 60"),
        ({"$filter": "colour eq '*'"},
         "Metric: CpuUsage does not support requested dimension combination: colour, supported ones are: "
         "containerName"),
        ({"$filter": "containerName eq '*'", "metricnames": "NetworkBytesReceivedPerSecond"},
         "Metric: NetworkBytesReceivedPerSecond does not support requested dimension combination: containername"),
        ({"$filter": "containerName lt 'a'"}, "Invalid $filter"),
        ({"aggregation": "Median"}, "Invalid aggregation: median"),
        ({"metricnamespace": "Microsoft.Web/sites"}, "Cannot find the metric namespace"),
        ({"timespan": "yesterday"}, "The timespan 'yesterday' is invalid"),
        ({"timespan": "2026-03-01T10:00:00Z/2026-03-01T09:00:00Z"}, "its end must come after its start"),
        ({"timespan": "0001-01-01T00:00:00Z/2026-03-01T09:00:00Z"}, "is invalid"),
        ({"timespan": "P3650D/1972-01-01"}, "is invalid|more than"),
        ({"timespan": "1990-01-01T00:00:00Z/2026-03-01T09:00:00Z"}, "has more than 44640 points of PT1M"),
        ({"top": "-1"}, "'top' must be a whole number above 0"),
        ({"orderby": "size"}, "The parameter 'orderby'"),
    ],
)  # fmt: skip
def test_refuses_with_a_sentence(query: dict[str, str], sentence: str) -> None:
    with pytest.raises(BadQuery) as refused:
        read(query, NOW)

    body = json.loads(refused.value.body)
    assert any(each in body["message"] for each in sentence.split("|")), body["message"]
    assert body["code"] == body["error"]["code"] == "BadRequest"


def test_an_interval_is_adjusted_on_request() -> None:
    assert read({"interval": "PT3M", "autoadjusttimegrain": "true"}, NOW).interval == "PT1M"
    assert read({"interval": "PT24H"}, NOW).interval == "P1D"


@pytest.mark.parametrize(
    ("query", "containers"),
    [
        ({"$filter": "containerName eq '*'"}, ()),
        ({"$filter": "ContainerName EQ 'Web' or containername eq 'or'"}, ("web", "or")),
        ({"$filter": "(containerName eq 'it''s or not')"}, ("it's or not",)),
        ({"$filter": "containerName eq '*'", "rollupby": "containername"}, None),
        ({"$filter": "colour eq '*'", "validatedimensions": "false"}, None),
    ],
)
def test_reads_filters(query: dict[str, str], containers: tuple[str, ...] | None) -> None:
    assert read(query, NOW).containers == containers


def test_intervals_begin_at_whole_ones_and_take_what_lies_in_them() -> None:
    query = read({"timespan": "2026-03-01T10:03:00Z/2026-03-01T10:12:00Z", "interval": "PT5M"}, NOW)
    first = int(datetime(2026, 3, 1, 10, 0, tzinfo=UTC).timestamp()) // 60
    late = Point(7.0, 7.0, 7.0, 1)
    minutes = {first + 1: Point(1.0, 1.0, 1.0, 30), first + 4: Point(4.0, 2.0, 9.0, 60), first + 10: late}

    assert [end - start for start, end in query.buckets] == [300, 300, 300]
    assert query.buckets[0][0] == first * 60
    assert cut(minutes, query.buckets) == [Point(3.0, 1.0, 9.0, 90), None, late]


def test_full_is_one_interval() -> None:
    query = read({"timespan": "2026-03-01T10:03:30Z/2026-03-01T10:12:00Z", "interval": "FULL"}, NOW)

    assert len(query.buckets) == 1
    assert query.buckets[0][1] - query.buckets[0][0] == 9 * 60
