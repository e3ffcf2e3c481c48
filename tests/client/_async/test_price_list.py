"""Tests that the public price list is read and kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from hythe import estimate
from hythe.errors import UnexpectedAnswer
from hythe.models import Container, ContainerGroup

from ..script import answer
from .subject import FakeTransport, pytestmark, refresh_prices

__all__ = ["pytestmark"]

VCPU, MEMORY = "Standard vCPU Duration", "Standard Memory Duration"


def item(region: str, meter: str, price: float, unit: str = "1 Hour") -> dict[str, object]:
    return {
        "retailPrice": price, "armRegionName": region, "meterName": meter, "unitOfMeasure": unit, "currencyCode": "USD",
        "type": "Consumption",
    }  # fmt: skip


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HYTHE_PRICES", str(tmp_path / "folder" / "prices.json"))
    return tmp_path / "folder" / "prices.json"


async def test_prices_are_read_page_by_page_and_used(own: Path) -> None:
    first = [item("westeurope", VCPU, 0.05), item("westeurope", "Spot vCPU Duration", 0.01), item("eastus", VCPU, 0.1)]
    second = [item("westeurope", MEMORY, 0.006, "1 GB Hour"), item("eastus", MEMORY, 1e-5, "1 GB Second")]
    following = "https://prices.azure.com:443/api/retail/prices?$skip=3"
    transport = FakeTransport(
        answer(200, {"Items": first, "NextPageLink": following}), answer(200, {"Items": second, "NextPageLink": None})
    )
    prices = await refresh_prices(transport=transport)
    assert (prices.regions["westeurope"].vcpu_hour, prices.regions["westeurope"].gb_hour) == (0.05, 0.006)
    assert prices.regions["eastus"].gb_hour == pytest.approx(0.036)
    assert "swedencentral" in prices.regions and own.exists()
    assert "Container+Instances" in transport.requests[0].url and transport.requests[1].url == following
    group = ContainerGroup(location="West Europe", containers=[Container(name="c", image="i")])
    assert estimate(group).per_hour == pytest.approx(0.05 + 1.5 * 0.006)


async def test_what_is_not_in_the_list_is_an_error(own: Path) -> None:
    with pytest.raises(UnexpectedAnswer, match="no price for nowhere"):
        await refresh_prices(["Nowhere"], transport=FakeTransport(answer(200, {"Items": []})))
    for body, why in (
        ({"Items": [item("eastus", VCPU, 1, "1 Day")]}, "the unit '1 Day'"),
        ({"Items": [], "NextPageLink": "https://evil.example/"}, "elsewhere"),
        (b"<html>", "can't be read"),
    ):
        with pytest.raises(UnexpectedAnswer, match=why):
            await refresh_prices(transport=FakeTransport(answer(200, body)))
    assert not own.exists()
