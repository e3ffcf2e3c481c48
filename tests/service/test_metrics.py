"""What groups use, from the sampler to the answers: Azure's metrics API, `stats`, Prometheus."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hythe.engines.base import Transient
from hythe.engines.sim import Outcome, SimulatedEngine
from hythe.service.call import Caller
from hythe.service.store import SqlStore
from hythe.service.store.history import History

from .harness import GROUPS, SUBSCRIPTION, Everybody, Service, container, group, running

WEB = f"{GROUPS}/web"
INSIGHTS = f"{WEB}/providers/Microsoft.Insights"
BUSY = Outcome(millicores=400, memory=100_000_000, receives=1000, sends=50)
CALM = Outcome(millicores=100, memory=20_000_000)
NOON = datetime(2046, 3, 1, 12, 0, 0, tzinfo=UTC)
"""After all real moments: requests are due at those."""


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


class Watched:
    """A service, and a clock that only moves when it is told to."""

    def __init__(self, service: Service, clock: Clock) -> None:
        self.service = service
        self.clock = clock
        self.ask = service.ask

    async def put(self, *containers: dict[str, Any], path: str = WEB, **properties: object) -> None:
        await self.service.make_folder()
        reply = await self.ask("PUT", path, group(*containers, **properties))
        assert reply.status in (200, 201)

    async def pass_seconds(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.now += timedelta(seconds=1)
            await self.service.sampler.tick()

    async def metrics(self, query: str = "", **more: Any) -> Any:
        words = f"timespan={stamp(NOON)}/{stamp(self.clock.now + timedelta(minutes=1))}"
        return await self.ask(
            "GET", f"{INSIGHTS}/metrics", version="2023-10-01", query="&".join(filter(None, (words, query))), **more
        )


def stamp(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


@asynccontextmanager
async def watched(engine: Any = None, history: History | None = None, **parts: Any) -> AsyncIterator[Watched]:
    clock = Clock()
    engine = engine or SimulatedEngine({"busy": BUSY, "calm": CALM}, clock=clock)
    async with running(engine=engine, clock=clock, history=history, **parts) as service:
        yield Watched(service, clock)


def values(reply: Any, metric: int = 0, series: int = 0, how: str = "average") -> list[float | None]:
    return [point.get(how) for point in reply.json["value"][metric]["timeseries"][series]["data"]]


async def test_nothing_is_measured_while_nothing_runs() -> None:
    async with watched() as here:
        await here.pass_seconds(1)
        assert here.service.sampler.groups == {}

        await here.put(container("calm"))
        await here.pass_seconds(2)
        assert here.service.sampler.groups[WEB.lower()].meter is not None

        await here.ask("POST", f"{WEB}/stop")
        await here.pass_seconds(1)
        assert here.service.sampler.groups[WEB.lower()].meter is None


async def test_answers_as_azure_does() -> None:
    async with watched() as here:
        await here.put(container("busy"))
        await here.pass_seconds(90)
        reply = await here.metrics("metricnames=CpuUsage,NetworkBytesReceivedPerSecond&interval=PT1M")

    answer = reply.json
    assert reply.status == 200
    assert answer["timespan"] == "2046-03-01T12:00:00Z/2046-03-01T12:02:30Z"
    assert (answer["interval"], answer["resourceregion"]) == ("PT1M", "eastus")
    assert answer["namespace"] == "Microsoft.ContainerInstance/containerGroups"
    cpu, received = answer["value"]
    assert cpu["id"] == f"{INSIGHTS}/metrics/CpuUsage"
    assert cpu["name"] == {"value": "CpuUsage", "localizedValue": "CPU Usage"}
    assert (cpu["type"], cpu["unit"], cpu["errorCode"]) == ("Microsoft.Insights/metrics", "Count", "Success")
    assert cpu["timeseries"] == [
        {
            "metadatavalues": [],
            "data": [
                {"timeStamp": "2046-03-01T12:00:00Z", "average": 400.0},
                {"timeStamp": "2046-03-01T12:01:00Z", "average": 400.0},
                {"timeStamp": "2046-03-01T12:02:00Z"},
            ],
        }
    ]
    assert [point.get("average") for point in received["timeseries"][0]["data"]] == [1000.0, 1000.0, None]


async def test_containers_are_told_apart_on_request_and_averaged_without() -> None:
    async with watched() as here:
        await here.put(container("busy"), container("calm"))
        await here.pass_seconds(61)
        together = await here.metrics()
        apart = await here.metrics("$filter=containerName%20eq%20'*'&metricnames=cpuusage,MemoryUsage")
        one = await here.metrics("$filter=containerName%20eq%20'CALM'")
        largest = await here.metrics("$filter=containerName%20eq%20'*'&top=1&orderby=average%20desc")
        named = await here.metrics("$filter=containerName%20eq%20'*'&resultType=Metadata")
        nobody = await here.metrics("$filter=containerName%20eq%20'nobody'")

    label = {"value": "containername", "localizedValue": "containername"}
    assert values(together)[0] == pytest.approx(250, rel=0.01)
    assert [series["metadatavalues"] for series in apart.json["value"][0]["timeseries"]] == [
        [{"name": label, "value": "busy"}],
        [{"name": label, "value": "calm"}],
    ]
    assert values(apart, 0, 1)[0] == pytest.approx(100, rel=0.01)
    assert values(apart, 1, 0)[0] == pytest.approx(100_000_000, rel=0.001)
    assert values(one)[0] == pytest.approx(100, rel=0.01)
    assert [series["metadatavalues"][0]["value"] for series in largest.json["value"][0]["timeseries"]] == ["busy"]
    assert [sorted(series) for series in named.json["value"][0]["timeseries"]] == [["metadatavalues"]] * 2
    assert nobody.json["value"][0]["timeseries"] == []


async def test_every_aggregation() -> None:
    async with watched() as here:
        await here.put(container("busy"))
        await here.pass_seconds(60)
        reply = await here.metrics(
            "metricnames=NetworkBytesTransmittedPerSecond&aggregation=Average,Minimum,Maximum,Total,Count"
        )

    count = values(reply, how="count")[0]
    assert count == 58  # the first two seconds begin: one finds the group, and a rate needs two readings
    assert [values(reply, how=how)[0] for how in ("average", "minimum", "maximum", "total")] == [50, 50, 50, 50 * count]


async def test_an_unknown_metric_is_refused_with_azures_sentence() -> None:
    async with watched() as here:
        await here.put(container("calm"))
        reply = await here.metrics("metricnames=Speed")

    assert reply.status == 400
    assert reply.json["code"] == reply.code == "BadRequest"
    assert reply.json["message"] == (
        "Failed to find metric configuration for provider: Microsoft.ContainerInstance, resource Type: containerGroups,"
        " metric: Speed, Valid metrics: CpuUsage,MemoryUsage,NetworkBytesReceivedPerSecond,"
        "NetworkBytesTransmittedPerSecond"
    )


async def test_an_answer_has_its_bounds() -> None:
    async with watched() as here:
        await here.put(*(container(f"c{number}") for number in range(5)))
        await here.pass_seconds(2)
        query = f"timespan=P30D/{stamp(NOON)}&$filter=containerName%20eq%20'*'&top="
        refused = await here.ask("GET", f"{INSIGHTS}/metrics", version="2023-10-01", query=f"{query}5")
        answered = await here.ask("GET", f"{INSIGHTS}/metrics", version="2023-10-01", query=f"{query}1")

    assert (refused.status, refused.code) == (400, "BadRequest")
    assert "more than 200000 points" in refused.json["message"]
    assert len(values(answered)) == 30 * 24 * 60


async def test_a_group_that_is_not_there_has_no_metrics() -> None:
    async with watched() as here:
        await here.service.make_folder()
        for what in ("metrics", "metricDefinitions"):
            reply = await here.ask("GET", f"{INSIGHTS}/{what}", version="2018-01-01")
            assert (reply.status, reply.code) == (404, "ResourceNotFound")


async def test_lists_what_is_measured() -> None:
    async with watched() as here:
        await here.put(container("calm"))
        reply = await here.ask("GET", f"{WEB}/providers/microsoft.insights/metricdefinitions", version="2018-01-01")

    definitions = {each["name"]["value"]: each for each in reply.json["value"]}
    assert sorted(definitions) == [
        "CpuUsage", "MemoryUsage", "NetworkBytesReceivedPerSecond", "NetworkBytesTransmittedPerSecond",
    ]  # fmt: skip
    cpu = definitions["CpuUsage"]
    assert (cpu["unit"], cpu["primaryAggregationType"], cpu["resourceId"]) == ("Count", "Average", WEB)
    assert cpu["dimensions"] == [{"value": "containerName", "localizedValue": "containerName"}]
    assert {"timeGrain": "PT1M", "retention": "P30D"} in cpu["metricAvailabilities"]
    assert "dimensions" not in definitions["NetworkBytesReceivedPerSecond"]


async def test_what_ended_leaves_a_gap_and_what_runs_again_begins_anew() -> None:
    async with watched() as here:
        await here.put(container("busy"))
        await here.pass_seconds(30)
        await here.ask("POST", f"{WEB}/stop")
        await here.pass_seconds(150)
        await here.ask("POST", f"{WEB}/start")
        await here.pass_seconds(61)
        reply = await here.metrics("aggregation=maximum,minimum")

    assert values(reply, how="maximum")[:2] == [400, None]
    assert values(reply, how="minimum")[3] == values(reply, how="maximum")[3] == 400
    assert values(reply, how="maximum")[2] is None


@pytest.mark.parametrize("later", [1, 300], ids=["a moment before it is summed up", "nothing else runs that wakes it"])
async def test_a_minute_that_is_over_is_told_before_it_is_summed_up(later: float) -> None:
    async with watched() as here:
        await here.put(container("busy"))
        await here.pass_seconds(58)
        await here.ask("POST", f"{WEB}/stop")
        await here.pass_seconds(1)  # it is 12:00:59
        here.clock.now += timedelta(seconds=later)
        reply = await here.metrics("$filter=containerName%20eq%20'*'&interval=PT1M")

        much_later = here.clock.now + timedelta(hours=2)
        query = f"timespan={stamp(much_later)}/PT1H&$filter=containerName%20eq%20'*'"
        without = await here.ask("GET", f"{INSIGHTS}/metrics", version="2023-10-01", query=query)

    assert values(reply)[:2] == [400, None]
    assert without.json["value"][0]["timeseries"] == []


async def test_a_minute_that_has_just_begun_is_told() -> None:
    async with watched() as here:
        await here.put(container("busy"))
        await here.pass_seconds(60)
        here.clock.now += timedelta(seconds=0.5)
        reply = await here.ask("GET", f"{INSIGHTS}/metrics", version="2023-10-01")

    data = reply.json["value"][0]["timeseries"][0]["data"]
    assert data[-2:] == [
        {"timeStamp": "2046-03-01T12:00:00Z", "average": 400.0},
        {"timeStamp": "2046-03-01T12:01:00Z", "average": 400.0},
    ]


async def test_a_service_that_comes_back_knows_the_minutes(tmp_path: Path) -> None:
    path, store = tmp_path / "metrics.db", SqlStore(None)
    async with watched(history=History(path), store=store) as here:
        await here.put(container("busy"))
        await here.pass_seconds(90)
    assert path.stat().st_mode & 0o777 == 0o600

    async with watched(history=History(path), store=store) as here:
        here.clock.now = NOON + timedelta(minutes=3)
        reply = await here.metrics()
        newest = await here.ask("GET", f"{WEB}/stats", query="seconds=3600")
    store.close()

    assert values(reply) == [400.0, 400.0, None, None]
    assert newest.json["containers"] == []


def test_a_history_that_can_not_be_read_begins_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "metrics.db"
    path.write_bytes(b"no database at all" * 1000)

    history = History(path)
    history.put([("uid", 1, b"block")])
    kept = history.get("uid", 0, 2)
    history.close()

    assert kept == [(1, b"block")]
    assert "It begins anew" in caplog.text


async def test_minutes_older_than_a_month_go_and_those_of_a_group_go_with_it() -> None:
    history = History()
    async with watched(history=history) as here:
        await here.put(container("busy"))
        await here.pass_seconds(61)
        uid = here.service.store.get(WEB.lower()).uid  # type: ignore[union-attr]
        hour = int(NOON.timestamp()) // 3600
        history.put([(uid, hour - 720, b""), (uid, hour - 719, b""), ("other", hour, b"")])
        here.clock.now = NOON + timedelta(hours=1, seconds=58)
        await here.pass_seconds(2)
        assert [each for each, _ in history.get(uid, 0, 10**9)] == [hour - 719, hour, hour + 1]

        await here.ask("DELETE", WEB)
        await here.pass_seconds(1)
        assert history.get(uid, 0, 10**9) == []
        assert len(history.get("other", 0, 10**9)) == 1
        assert here.service.sampler.groups == {}


async def test_seconds_of_an_hour_for_top() -> None:
    async with watched() as here:
        await here.put(container("busy"), container("calm"))
        await here.pass_seconds(30)
        now = (await here.ask("GET", f"{WEB}/stats")).json
        newest = (await here.ask("GET", f"{WEB}/stats", query="seconds=3600")).json
        wrong = await here.ask("GET", f"{WEB}/stats", query="seconds=3601")

    assert (now["name"], now["timeStamp"]) == ("web", "2046-03-01T12:00:30Z")
    assert (now["cpuMillicores"], now["memoryBytes"]) == (pytest.approx(500), 120_000_000)
    assert now["networkBytesReceivedPerSecond"] == pytest.approx(1000)
    assert now["containers"] == [
        {"name": "busy", "cpuMillicores": pytest.approx(400), "memoryBytes": 100_000_000},
        {"name": "calm", "cpuMillicores": pytest.approx(100), "memoryBytes": 20_000_000},
    ]
    series = newest["containers"][0]["cpuMillicoresSeries"]
    assert series[-1] == ["2046-03-01T12:00:30Z", pytest.approx(400)]
    assert len(series) == 29
    assert len(newest["containers"][0]["memoryBytesSeries"]) == 30
    assert (wrong.status, wrong.code) == (400, "BadRequest")


async def test_a_stopped_group_uses_nothing() -> None:
    async with watched() as here:
        await here.put(container("busy"))
        await here.pass_seconds(5)
        await here.ask("POST", f"{WEB}/stop")
        await here.pass_seconds(1)
        now = (await here.ask("GET", f"{WEB}/stats")).json
        scraped = await here.ask("GET", "/metrics", version=None)

    assert (now["cpuMillicores"], now["memoryBytes"], now["containers"]) == (None, None, [])
    assert b'group="web"' not in scraped.raw


class OnlyOne(Everybody):
    """Lets callers read the metrics of one group."""

    def may(self, caller: Caller, action: str, scope: str) -> bool:
        return action != "Microsoft.Insights/metrics/read" or scope == WEB.lower()


async def test_prometheus_reads_what_the_caller_may() -> None:
    async with watched(identity=OnlyOne()) as here:
        await here.put(container("busy"))
        await here.put(container("calm"), path=f"{GROUPS}/other")
        await here.pass_seconds(10)
        reply = await here.ask("GET", "/metrics", version=None)
        nobody = await here.ask("GET", "/metrics", version=None, headers={"authorization": ""})

    assert nobody.status == 401
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = reply.raw.decode().splitlines()
    labels = f'subscription="{SUBSCRIPTION}",resource_group="rg",group="web"'
    assert f'hythe_container_cpu_usage_seconds_total{{{labels},container="busy"}} 4.0' in lines
    assert f'hythe_container_memory_working_set_bytes{{{labels},container="busy"}} 100000000' in lines
    assert f"hythe_group_network_receive_bytes_total{{{labels}}} 10000" in lines
    assert "# TYPE hythe_container_cpu_usage_seconds_total counter" in lines
    assert not any("other" in line for line in lines)


async def test_metrics_need_their_own_right() -> None:
    async with watched(identity=OnlyOne()) as here:
        await here.put(container("calm"), path=f"{GROUPS}/other")
        reply = await here.ask("GET", f"{GROUPS}/other/providers/Microsoft.Insights/metrics", version="2018-01-01")

    assert (reply.status, reply.code) == (403, "AuthorizationFailed")


async def test_an_engine_that_can_not_say_yet_is_asked_again() -> None:
    clock = Clock()

    class Late(SimulatedEngine):
        asked = 0

        async def meter(self, uid: Any) -> Any:
            self.asked += 1
            if self.asked < 3:
                raise Transient("not yet")
            return await super().meter(uid)

    engine = Late({"busy": BUSY}, clock=clock)
    async with running(engine=engine, clock=clock) as service:
        here = Watched(service, clock)
        await here.put(container("busy"))
        await here.pass_seconds(5)
        assert service.sampler.groups[WEB.lower()].now["busy/cpu"] == pytest.approx(400)
    assert engine.asked == 3


async def test_sleeps_until_something_runs_and_then_wakes_at_each_second() -> None:
    clock, slept, enough = Clock(), list[float](), asyncio.Event()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 4:
            enough.set()
            await asyncio.Event().wait()
        clock.now += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    async with running(engine=SimulatedEngine({"busy": BUSY}, clock=clock), clock=clock, sleep=sleep) as service:
        service.sampler.start()
        await asyncio.sleep(0.01)
        assert slept == []

        clock.now += timedelta(seconds=0.75)
        await Watched(service, clock).put(container("busy"))
        await asyncio.wait_for(enough.wait(), 30)

    assert slept == [1.25, 1.0, 1.0, 1.0]
