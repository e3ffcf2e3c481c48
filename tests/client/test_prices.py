"""Tests what groups are said to cost."""

from __future__ import annotations

from pathlib import Path

import pytest

from hythe import estimate
from hythe.models import (
    Container,
    ContainerGroup,
    GpuResource,
    InitContainerDefinition,
    ResourceRequests,
    ResourceRequirements,
)


@pytest.fixture(autouse=True)
def _only_what_is_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYTHE_PRICES", str(tmp_path / "prices.json"))


def group(*sizes: tuple[float, float], **options: object) -> ContainerGroup:
    containers = [
        Container(name="c", image="i", resources=ResourceRequirements(requests=ResourceRequests(cpu=c, memory_in_gb=m)))
        for c, m in sizes
    ]
    return ContainerGroup(**{"location": "eastus", "containers": containers} | options)


def test_cores_and_memory_of_all_containers_are_paid_by_the_hour() -> None:
    found = estimate(group((1, 1.5), (0.5, 2)), 10)
    assert (found.cores, found.memory_in_gb, found.region) == (1.5, 3.5, "eastus")
    assert found.per_hour == pytest.approx(1.5 * 0.0405 + 3.5 * 0.00445)
    assert found.total == pytest.approx(found.per_hour * 10)
    assert str(found.read_on) == "2026-08-27" and "2026-08-27" in str(found) and "USD" in str(found)


def test_what_makes_it_dearer_or_cheaper_is_said() -> None:
    plain = estimate(group((1, 1)))
    windows = estimate(group((1, 1), os_type="Windows"))
    assert windows.per_hour - plain.per_hour == pytest.approx(0.000012 * 3600)
    assert "Spot" in str(estimate(group((1, 1), priority="Spot")))
    inits = [InitContainerDefinition(name="i", image="i")]
    assert "init containers" in str(estimate(group((1, 1), init_containers=inits)))


def test_what_is_not_known_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="in 'nowhere': known are eastus, swedencentral"):
        estimate(group((1, 1)), region="nowhere")
    with pytest.raises(ValueError, match="'no region'"):
        estimate(group((1, 1), location=None))
    with pytest.raises(ValueError, match="GPUs"):
        gpu = ResourceRequests(cpu=1, memory_in_gb=1, gpu=GpuResource(count=1, sku="V100"))
        estimate(group(containers=[Container(name="c", image="i", resources=ResourceRequirements(requests=gpu))]))
    with pytest.raises(ValueError, match="from 0 on"):
        estimate(group((1, 1)), -1)
    (tmp_path / "prices.json").write_text("{")
    with pytest.raises(ValueError, match="Remove the file"):
        estimate(group((1, 1)))
