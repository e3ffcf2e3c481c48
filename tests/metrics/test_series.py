"""Seconds of an hour and minutes of hours: what is kept, what is missing, and what sums up to what."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from hythe.service.metrics.series import HOUR, Hour, Point, Seconds, merged, summed_up
from hythe.service.store.history import History


def test_seconds_come_back_and_what_is_missing_does_not() -> None:
    seconds = Seconds()
    seconds.put(1000, 1.0)
    seconds.put(1003, 4.0)

    assert [*seconds.between(0, 2000)] == [(1000, 1.0), (1003, 4.0)]
    assert [*seconds.between(1001, 1003)] == []
    assert seconds.newest == 1003


def test_an_hour_is_kept_and_not_much_more() -> None:
    seconds = Seconds()
    for second in range(3 * HOUR):
        seconds.put(second, float(second % 7))

    kept = [second for second, _ in seconds.between(0, 3 * HOUR)]
    assert kept[-1] == 3 * HOUR - 1
    assert HOUR <= len(kept) <= HOUR + 300
    assert kept == [*range(kept[0], kept[-1] + 1)]


def test_after_hours_of_nothing_it_begins_anew() -> None:
    seconds = Seconds()
    seconds.put(10, 1.0)
    seconds.put(10 + 10 * HOUR, 2.0)

    assert [*seconds.between(0, 20 * HOUR)] == [(10 + 10 * HOUR, 2.0)]


@pytest.mark.parametrize(("back_to", "left"), [(1005, [1000, 1005]), (1000, [1000]), (500, [500])])
def test_a_clock_that_is_set_back_takes_the_future_away(back_to: int, left: list[int]) -> None:
    seconds = Seconds()
    for second in (1000, 1010):
        seconds.put(second, 1.0)
    seconds.put(back_to, 2.0)

    assert [second for second, _ in seconds.between(0, 5000)] == left
    assert seconds.newest == back_to


def test_sums_up() -> None:
    assert summed_up([]) is None
    assert summed_up([1.0, 2.0, 6.0]) == Point(3.0, 1.0, 6.0, 3)
    assert merged([]) is None
    assert merged([Point(1.0, 0.0, 5.0, 1), Point(4.0, 2.0, 4.5, 2)]) == Point(3.0, 0.0, 5.0, 3)


def test_an_hour_comes_back_from_its_bytes_to_one_part_in_four_thousand() -> None:
    hour, given = Hour(), random.Random(1)
    points = {}
    for minute in range(0, 60, 7):
        value = given.uniform(0, 4e9)
        points[minute] = Point(value, value / 2, value * 2, 60)
        hour.put("web/memory", minute, points[minute])
    hour.put("web/cpu", 3, Point(0.0, 0.0, 0.0, 1))

    again = Hour.unpacked(hour.packed())
    assert not [*Hour.unpacked(hour.packed()[1:]).series], "what is not of this form is not read as numbers"

    assert {*again.series} == {"web/memory", "web/cpu"}
    assert again.get("web/cpu", 3) == Point(0.0, 0.0, 0.0, 1)
    assert again.get("web/cpu", 4) is None
    assert again.get("other", 3) is None
    for minute in range(60):
        point = again.get("web/memory", minute)
        assert (point is None) == (minute not in points)
        if point is not None:
            wanted = points[minute]
            assert (point.average, point.lowest, point.highest) == pytest.approx(
                (wanted.average, wanted.lowest, wanted.highest), rel=1 / 4000
            )


def test_a_month_of_a_hundred_busy_groups_takes_less_than_200_mb(tmp_path: Path) -> None:
    # Two containers each, of which no second is like the one before; every group has another of the hours' blocks.
    given = random.Random(2)
    blocks = []
    for _ in range(4):
        hour = Hour()
        for minute in range(60):
            for series, usual in (("a/cpu", 200.0), ("a/memory", 5e7), ("b/cpu", 20.0), ("b/memory", 3e8),
                                  ("/received", 1e4), ("/sent", 5e5)):  # fmt: skip
                values = [abs(given.gauss(usual, usual / 3)) for _ in range(60)]
                hour.put(series, minute, summed_up(values) or Point(0.0, 0.0, 0.0, 0))
        blocks.append(hour.packed())
    path = tmp_path / "metrics.db"
    history = History(path)
    groups, hours = 10, 30 * 24
    for hour_number in range(hours):
        history.put([(f"{number:032x}", hour_number, blocks[(hour_number + number) % 4]) for number in range(groups)])
    history.close()

    assert path.stat().st_size * 100 / groups < 200e6
