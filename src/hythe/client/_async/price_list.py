"""Reads Azure's public price list, which needs no login."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from hythe.client.addresses import origin
from hythe.client.documents import error_of, unreadable
from hythe.client.prices import Prices, RegionPrice, load_prices, own_file
from hythe.client.transport import Request
from hythe.errors import UnexpectedAnswer

from ._io import Clock, Transport, close
from .exchange import exchange
from .transport import HttpTransport

URL = "https://prices.azure.com/api/retail/prices"
_VCPU, _MEMORY = "Standard vCPU Duration", "Standard Memory Duration"
_HOURS = {"1 hour": 1.0, "1 gb hour": 1.0, "1 second": 3600.0, "1 gb second": 3600.0}
_MOST_PAGES = 50
_DOING = "read Azure's price list"


class _Item(Struct, rename="camel"):
    retail_price: float
    arm_region_name: str
    meter_name: str
    unit_of_measure: str
    currency_code: str


class _Page(Struct, rename="pascal"):
    items: list[_Item]
    next_page_link: str | None = None


async def refresh_prices(regions: Iterable[str] = (), *, transport: Transport | None = None) -> Prices:
    """Read the newest prices of these regions (of all, unless some are named) and keep them in the user's own file.

    Returns all that are known then; `hythe.estimate` uses them from now on.  Raises `HytheError`, and OSError if the
    file can't be written.
    """
    wanted = [region.replace(" ", "").lower() for region in regions]
    own = transport or HttpTransport(timeout=30.0)
    try:
        found = await _read(own, wanted)
    finally:
        if transport is None:
            await close(own)
    missing = [region for region in wanted if region not in found]
    if missing:
        raise UnexpectedAnswer(f"cannot {_DOING}: it has no price for {', '.join(missing)}. Check the names.")
    known = load_prices()
    made = msgspec.structs.replace(known, regions={**known.regions, **found})
    path = own_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=2))
    partial.replace(path)
    return made


async def _read(transport: Transport, regions: list[str]) -> dict[str, RegionPrice]:
    said = "serviceName eq 'Container Instances' and priceType eq 'Consumption'"
    if regions:
        named = " or ".join(f"armRegionName eq '{each}'" for each in regions)
        said += f" and ({named})"
    url: str | None = f"{URL}?{urlencode({'$filter': said})}"
    found: dict[tuple[str, str], float] = {}
    for _ in range(_MOST_PAGES):
        if url is None:
            break
        if origin(url) != origin(URL):
            raise UnexpectedAnswer(f"cannot {_DOING}: its next page is elsewhere, at {origin(url)}")
        request = Request(method="GET", url=url, headers={"accept": "application/json"})
        answer = await exchange(transport, request, Clock())
        error = error_of(answer, _DOING)
        if error:
            raise error
        try:
            page = msgspec.json.decode(answer.body, type=_Page)
        except (msgspec.DecodeError, UnicodeDecodeError) as why:
            raise unreadable(_DOING, why) from why
        for item in page.items:
            if item.meter_name in (_VCPU, _MEMORY) and item.currency_code == "USD" and item.arm_region_name:
                found[item.arm_region_name.lower(), item.meter_name] = item.retail_price * _unit(item)
        url = page.next_page_link or None
    today = datetime.now(UTC).date()
    return {
        region: RegionPrice(
            vcpu_hour=price, gb_hour=found[region, _MEMORY], read_on=today, source="Azure Retail Prices API"
        )
        for (region, meter), price in found.items()
        if meter == _VCPU and (region, _MEMORY) in found
    }


def _unit(item: _Item) -> float:
    """Give how often an hour has the unit of a price."""
    unit = _HOURS.get(item.unit_of_measure.lower())
    if unit is None:
        raise UnexpectedAnswer(f"cannot {_DOING}: the unit {item.unit_of_measure!r} is not known")
    return unit
