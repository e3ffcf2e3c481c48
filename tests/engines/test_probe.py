"""What the results of a probe mean for a container."""

from __future__ import annotations

import pytest

from hythe.engines.pod.probe import LIVENESS, READINESS, Check, after, begin, checks, complaint
from hythe.models import Container, ContainerExec, ContainerProbe, InitContainerDefinition

ASK = ContainerProbe(exec_=ContainerExec(command=["x"]))


def told(check: Check, results: str) -> str:
    """Give what is thought after each result, written as + and -."""
    pulse, said = begin(check), ""
    for result in results:
        pulse = after(check, pulse, result == "+")
        said += "+" if pulse.good else "-"
    return said


@pytest.mark.parametrize(
    ("failures", "successes", "results", "thought"),
    [
        (3, 1, "+--+--++", "++++++++"),
        (3, 1, "--+---+", "+++++-+"),
        (1, 1, "+-+", "+-+"),
        (2, 3, "--+++-", "+---++"),
    ],
)
def test_thresholds_count_results_in_a_row(failures: int, successes: int, results: str, thought: str) -> None:
    check = Check(kind=LIVENESS, ask=ASK, failures=failures, successes=successes)

    assert told(check, results) == thought


def test_a_container_is_live_and_not_ready_until_its_probes_say_otherwise() -> None:
    assert begin(Check(kind=LIVENESS, ask=ASK)).good
    assert not begin(Check(kind=READINESS, ask=ASK)).good
    assert told(Check(kind=READINESS, ask=ASK, successes=2), "+++--+") == "-+++++"


def test_numbers_are_the_kubelets_unless_given() -> None:
    given = ContainerProbe(
        exec_=ASK.exec_, initial_delay_seconds=5, period_seconds=2, timeout_seconds=3, failure_threshold=4,
        success_threshold=6,
    )  # fmt: skip
    live, ready = checks(Container(name="a", liveness_probe=ASK, readiness_probe=given))

    assert (live.delay, live.period, live.timeout, live.failures, live.successes) == (0, 10, 1, 3, 1)
    assert (ready.delay, ready.period, ready.timeout, ready.failures, ready.successes) == (5, 2, 3, 4, 6)
    assert [live.kind, ready.kind] == [LIVENESS, READINESS]
    assert checks(InitContainerDefinition(name="i")) == []


def test_what_a_probe_wrote_is_cut() -> None:
    assert complaint(Check(kind=LIVENESS, ask=ASK), " no\n") == "Liveness probe failed: no"
    assert len(complaint(Check(kind=LIVENESS, ask=ASK), "x" * 9999)) < 1100
