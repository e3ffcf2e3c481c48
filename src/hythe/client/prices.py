"""Estimates what a group costs on Azure, from dated prices in a data file.

``prices.json`` beside this holds what Hythe was shipped with; `refresh_prices` writes newer ones into a file of the
user's, which goes first: HYTHE_PRICES, or ``hythe/prices.json`` in the user's cache folder.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from importlib.resources import files
from pathlib import Path

import msgspec
from msgspec import Struct

from hythe.models import ContainerGroup

VARIABLE = "HYTHE_PRICES"
_MONTH_HOURS = 730.0
_HOUR = 3600.0
_DEFAULT_CPU, _DEFAULT_MEMORY = 1.0, 1.5


class RegionPrice(Struct, frozen=True, kw_only=True):
    """What a region asks for Linux groups of the standard kind."""

    vcpu_hour: float
    gb_hour: float
    read_on: date
    source: str


class Prices(Struct, frozen=True, kw_only=True):
    """All prices that are known."""

    currency: str
    windows_vcpu_second: float
    """What Windows adds."""
    regions: Mapping[str, RegionPrice]


class Estimate(Struct, frozen=True, kw_only=True):
    """What a group would cost on Azure; all amounts in ``currency``."""

    region: str
    cores: float
    memory_in_gb: float
    hours: float
    per_hour: float
    total: float
    """For ``hours``."""
    currency: str
    read_on: date
    """When the prices were read: they may have changed since."""
    source: str
    notes: tuple[str, ...]

    @property
    def per_month(self) -> float:
        """Give the cost of 730 hours."""
        return self.per_hour * _MONTH_HOURS

    def __str__(self) -> str:
        lines = [
            f"{self.total:.4f} {self.currency} for {self.hours:g} h in {self.region}: {self.cores:g} vCPU and "
            f"{self.memory_in_gb:g} GB cost {self.per_hour:.5f} an hour, {self.per_month:.2f} a month.",
            f"Prices of {self.read_on} ({self.source}).",
        ]
        return "\n".join([*lines, *self.notes])


def own_file() -> Path:
    """Name the file of the user's own, newer prices."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "hythe" / "prices.json"


def load_prices() -> Prices:
    """Read the prices that Hythe was shipped with, and over them those of the user's own file.  Raises ValueError."""
    shipped = msgspec.json.decode(files("hythe.client").joinpath("prices.json").read_bytes(), type=Prices)
    own = own_file()
    try:
        newer = msgspec.json.decode(own.read_bytes(), type=Prices)
    except FileNotFoundError:
        return shipped
    except msgspec.DecodeError as why:
        raise ValueError(f"cannot read the prices in {own}: {why}. Remove the file, or run refresh_prices().") from None
    return msgspec.structs.replace(newer, regions={**shipped.regions, **newer.regions})


def estimate(
    group: ContainerGroup, hours: float = 1.0, *, region: str | None = None, prices: Prices | None = None
) -> Estimate:
    """Say what a group costs on Azure when it runs for so many hours: ``print(estimate(group, 24))``.

    The sum of what its containers ask for is paid by the second, from the pull of the first image until the whole
    group stops.  Raises ValueError for a region without a known price, and for GPUs.
    """
    known = prices or load_prices()
    where = (region or group.location or "").replace(" ", "").lower()
    price = known.regions.get(where)
    if price is None:
        raise ValueError(
            f"cannot estimate the cost in {where or 'no region'!r}: known are {', '.join(sorted(known.regions))}. "
            "Give region=, or run refresh_prices() for others."
        )
    if hours < 0:
        raise ValueError(f"cannot estimate the cost of {hours:g} hours: give a number from 0 on")
    requests = [each.resources.requests if each.resources else None for each in group.containers or ()]
    if any(each is not None and each.gpu is not None for each in requests):
        raise ValueError("cannot estimate the cost of GPUs: their prices are not known here")
    cores = sum((each and each.cpu) or _DEFAULT_CPU for each in requests)
    memory = sum((each and each.memory_in_gb) or _DEFAULT_MEMORY for each in requests)
    per_hour = cores * price.vcpu_hour + memory * price.gb_hour
    notes = []
    if group.os_type == "Windows":
        per_hour += cores * known.windows_vcpu_second * _HOUR
        notes.append("Windows is part of it.")
    if group.priority == "Spot":
        notes.append("Spot groups cost up to 70 % less: their price changes and is not known here.")
    if group.init_containers:
        notes.append("The time of init containers is paid as well.")
    return Estimate(
        region=where, cores=cores, memory_in_gb=memory, hours=hours, per_hour=per_hour, total=per_hour * hours,
        currency=known.currency, read_on=price.read_on, source=price.source, notes=tuple(notes),
    )  # fmt: skip
