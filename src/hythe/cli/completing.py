"""Says how a word that is being typed may end: with groups, containers, resource groups, contexts that there are."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from .asking import Asking

_RESOURCES_VERSION = "2021-04-01"


def groups(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Name the groups that begin so, GROUP or RESOURCE-GROUP/GROUP; nothing where no service can be asked."""
    return _listed(ctx, "container_groups", incomplete)


def named(operations: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Give what names the resources that these operations of the client list."""
    return lambda ctx, _, incomplete: _listed(ctx, operations, incomplete)


def _listed(ctx: click.Context, operations: str, incomplete: str) -> list[str]:
    folder, slash, _ = incomplete.rpartition("/")
    with _quietly(ctx) as ask:
        listed = getattr(ask.client, operations).list_by_resource_group(folder or ask.resource_group)
        return _begun(incomplete, (f"{folder}{slash}{each.name}" for each in listed))
    return []


def containers(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Name the containers of the group that has been written already."""
    # where an option waits for its value, click has not come to the arguments yet
    written = ctx.params.get("name") or ctx.params.get("named") or ctx.params.get("names") or ctx.args
    name = written if isinstance(written, str) else written[0] if written else None
    if name is None:
        return []
    with _quietly(ctx) as ask:
        return _begun(incomplete, (each.name for each in ask.group(name).get().containers or []))
    return []


def resource_groups(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Name the resource groups that begin so."""
    from ..client._sync.resources import ResourceGroupsOperations

    with _quietly(ctx) as ask:
        listed = ResourceGroupsOperations(ask.client._session).list(api_version=_RESOURCES_VERSION)
        return _begun(incomplete, (each.name or "" for each in listed))
    return []


def paths(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Name what `cp` takes: GROUP: or a file of this machine."""
    from click.shell_completion import CompletionItem

    here = incomplete.startswith(("/", ".", "~")) or ":" in incomplete
    found = [] if here else groups(ctx, parameter, incomplete)
    return [CompletionItem(f"{name}:") for name in found] or [CompletionItem(incomplete, type="file")]


def contexts(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Name the contexts that begin so."""
    from .context import known

    with contextlib.suppress(click.ClickException):
        return _begun(incomplete, known())
    return []


def _begun(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


@contextlib.contextmanager
def _quietly(ctx: click.Context) -> Iterator[Asking]:
    from .asking import Asking

    given = {name: ctx.params.get(name) for name in ("resource_group", "cloud", "context", "subscription")}
    ask = Asking(**given)
    # a completion that speaks of errors would write into what is being typed
    with contextlib.closing(ask), contextlib.suppress(Exception):
        yield ask
