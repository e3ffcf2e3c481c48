"""`hythe cost`: what a group costs on Azure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import completing
from .asking import Asking, asks
from .exits import Said

if TYPE_CHECKING:
    from ..client.prices import Estimate


@click.command()
@asks()
@click.argument("name", metavar="[GROUP]", required=False, shell_complete=completing.groups)
@click.option("-f", "--file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Of the group that a file defines, as `apply` takes it.")  # fmt: skip
@click.option("--hours", type=click.FloatRange(min=0), default=1.0, show_default=True, help="How long it runs.")
@click.option("--region", metavar="REGION", help="Region of Azure (default: the group's).")
@click.option("--refresh", is_flag=True, help="Read Azure's price list first: of --region, or of all.")
def cost(ask: Asking, name: str | None, file: Path | None, hours: float, region: str | None, refresh: bool) -> None:
    """Estimate what a container group costs on Azure, from dated prices."""
    if (name is None) == (file is None) and not (refresh and name is None):
        raise click.UsageError("name a container group, or give --file.")
    if refresh:
        _refresh(region)
        if name is None and file is None:
            return
    from ..client.prices import estimate

    if file is not None:
        from ..client.definitions import read_definition

        group = read_definition(file)
    else:
        group = ask.group(name or "").get()
    try:
        found = estimate(group, hours, region=region)
    except ValueError as why:
        step = "Give --region, or read the prices of others with `hythe cost --refresh`."
        raise Said(str(why).replace("Give region=, or run refresh_prices() for others.", step)) from None
    if ask.form == "table" and ask.query is None:
        click.echo(str(found))
    else:
        ask.show(_plain(group.name, found))


def _refresh(region: str | None) -> None:
    from ..client._sync.price_list import refresh_prices

    try:
        known = refresh_prices([region] if region else [])
    except OSError as why:
        raise Said(f"cannot keep the prices: {why}. Name another file by HYTHE_PRICES.") from None
    click.echo(f"Prices of {len(known.regions)} regions are known.", err=True)


def _plain(name: str | None, found: Estimate) -> dict[str, Any]:
    return {
        "name": name, "region": found.region, "cores": found.cores, "memoryInGB": found.memory_in_gb,
        "hours": found.hours, "total": found.total, "perHour": found.per_hour, "perMonth": found.per_month,
        "currency": found.currency, "readOn": found.read_on.isoformat(), "source": found.source,
        "notes": list(found.notes),
    }  # fmt: skip
