"""Tests that a log read again and again gives each line once, and says where lines are missing."""

from __future__ import annotations

import random

from hythe.client.log_cursor import LogCursor, Seen
from hythe.client.why import explain
from hythe.models import ContainerGroup


def test_each_line_once_however_often_and_whenever_the_log_is_read() -> None:
    dice = random.Random(7)
    lines = [f"2026-01-01T00:00:{n // 3:02}.5Z same" for n in range(120)]
    for _ in range(200):
        cursor, got, end = LogCursor("c"), [], 0
        while end < len(lines):
            end = min(len(lines), end + dice.randrange(5))
            start = max(0, end - 30)  # the service keeps the last 30
            got += cursor.take("".join(f"{line}\n" for line in lines[start:end]), ended=False)
        assert not any(line.lost for line in got)
        assert [f"{line.time} {line.text}" for line in got] == lines


def test_two_streams_that_write_at_once_may_come_out_of_order() -> None:
    dice = random.Random(11)
    for _ in range(300):
        clock, lines = 10, []
        for n in range(dice.randrange(400)):
            clock += dice.choice((0, 0, 1, 2))
            late = dice.choice((0, 0, 0, dice.randrange(9)))
            lines.append(f"2026-01-01T00:00:00.{clock - late:09}Z {dice.choice(('same', n))}")
        cursor, seen, got, resumed, end = LogCursor("c"), Seen(), [], [], 0
        while end < len(lines):
            end = min(len(lines), end + dice.randrange(150))
            seen.begin()
            resumed += [line for line in lines[:end] if seen.is_new(line)]
            start = max(0, end - 170)  # the service keeps the last 170, and half a line
            kept = lines[start - 1][dice.randrange(40) :] + "\n" if start else ""
            got += cursor.take(kept + "".join(f"{line}\n" for line in lines[start:end]), ended=False)
        assert resumed == lines
        assert [f"{line.time} {line.text}" for line in got] == lines


def test_lines_that_were_dropped_are_told() -> None:
    cursor = LogCursor("c")
    cursor.take("2026-01-01T00:00:01Z a\n", ended=False)
    lost, kept = cursor.take("2026-01-01T00:00:09Z z\n", ended=False)
    assert (lost.lost, kept.text, kept.lost) == (True, "z", False)
    assert "missing" in str(lost)


def test_a_new_run_of_a_container_is_no_gap() -> None:
    cursor = LogCursor("c")
    cursor.take("2026-01-01T00:00:01Z a\n", ended=False)
    assert [line.text for line in cursor.take("2026-01-01T00:00:09Z z\n", ended=False, restarted=True)] == ["z"]


def test_an_unfinished_line_comes_when_it_is_finished_or_nothing_follows() -> None:
    cursor = LogCursor("c")
    assert cursor.take("2026-01-01T00:00:01Z half", ended=False) == []
    assert [line.text for line in cursor.take("2026-01-01T00:00:01Z half a line", ended=True)] == ["half a line"]
    assert cursor.take("2026-01-01T00:00:01Z half a line", ended=True) == []
    assert cursor.take("", ended=True) == []


def test_what_is_well_is_said_to_be_well() -> None:
    group = ContainerGroup.from_dict({"name": "g", "instance_view": {"state": "Running"}, "containers": []})
    assert explain(group, {}) == "Group 'g' is Running; nothing is wrong with it."


def test_reasons_from_every_place() -> None:
    event = {"type": "Warning", "name": "Failed", "message": "Failed to pull image", "count": 3}
    group = ContainerGroup.from_dict(
        {
            "name": "g", "provisioningState": "Failed",
            "instance_view": {"state": "Pending", "events": [event]},
            "init_containers": [{"name": "i", "image": "x", "instance_view": {"current_state": {"state": "Terminated",
                "exit_code": 137, "detail_status": "OOMKilled"}}}],
            "containers": [{"name": "c", "image": "y", "instance_view": {"current_state": {"state": "Waiting"}}},
                {"name": "d", "image": "z", "instance_view": {"current_state": {"state": "Terminated",
                "detail_status": "Container stopped per client request"}}}, {"name": "e", "image": "z"}],
        }
    )  # fmt: skip
    said = explain(group, {"i": "allocating\n\n"})
    assert "container 'i' (x) ended with exit code 137 (OOMKilled; killed" in said
    assert "Its log ends with: allocating." in said
    assert "container 'c' (y) waits" in said
    assert "was stopped (Container stopped per client request)" in said
    assert "Failed: Failed to pull image (3 times)." in said
    nothing = ContainerGroup.from_dict({"name": "g", "provisioningState": "Failed"})
    assert "left no event" in explain(nothing, {})


def test_a_log_that_is_read_again_gives_what_is_new() -> None:
    seen = Seen()
    first = ["2026-01-01T00:00:01.5Z a", "2026-01-01T00:00:02Z b", "2026-01-01T00:00:02Z b"]
    assert [seen.is_new(line) for line in first] == [True, True, True]
    seen.begin()
    again = [*first, "2026-01-01T00:00:02Z c", "2026-01-01T00:00:02.000000001Z d"]
    assert [seen.is_new(line) for line in again] == [False, False, False, True, True]
