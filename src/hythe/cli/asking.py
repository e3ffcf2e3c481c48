"""What all commands that ask a service share: which service, which resource group, which groups, how to show it."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from . import completing, exits, output, progress

if TYPE_CHECKING:
    from ..client._sync.container_instances import ContainerInstanceManagementClient
    from ..client._sync.group import Group

F = TypeVar("F", bound=Callable[..., Any])

GROUP_VARIABLE = "HYTHE_RESOURCE_GROUP"
_ID_PARTS = 9


class Showing:
    """How one command shows what it is about."""

    def __init__(self, form: str | None, query: str | None) -> None:
        self.form = form or _usual_form()
        self.query = query
        self._asked = form is not None or query is not None

    def show(self, value: object, row: Callable[[Any], output.Row] | None = None) -> None:
        """Write what the command is about."""
        output.show(value, form=self.form, query=self.query, row=row)

    def tell(self, text: str, value: object) -> None:
        """Write a text that people and scripts take as it is, or what it says in the form that was asked for."""
        if self._asked:
            self.show(value)
        else:
            click.echo(text)


class Asking(Showing):
    """One command's questions: opens the client at the first of them."""

    def __init__(
        self,
        *,
        resource_group: str | None = None,
        form: str | None = None,
        query: str | None = None,
        cloud: str | None = None,
        context: str | None = None,
        subscription: str | None = None,
    ) -> None:
        super().__init__(form, query)
        self.asked_group = resource_group
        self._place = (cloud, context, subscription)
        self._client: ContainerInstanceManagementClient | None = None
        self._named: list[tuple[str, str]] = []
        """Resource groups and names of the groups that the command is about."""
        command = click.get_current_context(silent=True)
        if command is not None:
            command.meta[exits.ASKING] = self

    @property
    def client(self) -> ContainerInstanceManagementClient:
        """Give the client of the service that is meant."""
        if self._client is None:
            from .context import connect

            self._client = connect(*self._place)
        return self._client

    @property
    def is_azure(self) -> bool:
        """Tell whether the service is not of this machine."""
        from ..client.addresses import is_loopback

        return not is_loopback(self.client._session.base_url)

    @property
    def resource_group(self) -> str:
        """Name the resource group: -g, HYTHE_RESOURCE_GROUP, the context's, or the usual one."""
        from .context import usual_group

        return self.asked_group or os.environ.get(GROUP_VARIABLE) or usual_group(*self._place[:2])

    def located(self, location: str | None, resource_group: str | None = None) -> str:
        """Make the resource group unless there is one; give the location that something in it gets."""
        name = resource_group or self.resource_group
        try:
            found = self.client.ensure_resource_group(name, location)
        except ValueError:
            raise click.UsageError(
                f"there is no resource group '{name}', and Azure has to be told where to make one: give --location."
            ) from None
        return location or found

    def group(self, name: str) -> Group:
        """Give the handle of a group: NAME, RESOURCE-GROUP/NAME, or an id."""
        folder, named = split(name)
        self._named.append((folder or self.resource_group, named))
        return self.client.group(named, folder or self.resource_group)

    def nearest(self) -> str:
        """Tell what somebody may have meant who named a group or container that is not there; empty for nothing."""
        from difflib import get_close_matches

        if not self._named:
            return ""
        there = [split(each.id or "") for each in self.client.container_groups.list()]
        folder, name = next((each for each in self._named if each not in there), self._named[-1])
        if (folder, name) in there:
            containers = self.client.container_groups.get(folder, name).containers or []
            return f"The containers of {name} are {', '.join(each.name for each in containers)}."
        mine = {found.lower(): found for where, found in there if (where or "").lower() == folder.lower()}
        others = [f"{where}/{found}" for where, found in there if found.lower() == name.lower()]
        meant = others or [mine[each] for each in get_close_matches(name.lower(), mine, n=3)]
        return f"Did you mean {' or '.join(meant)}?" if meant else ""

    def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            self._client.close()


def _usual_form() -> str:
    """Choose the form of output: tables for people, and in a program's hands the JSON that az would write."""
    said = os.environ.get("HYTHE_OUTPUT", "")
    if said in output.FORMATS:
        return said
    return "table" if is_short() or sys.stdout.isatty() else "json"


def is_short() -> bool:
    """Tell whether the command was given in its short form, not as one of those of az."""
    context = click.get_current_context(silent=True)
    return context is not None and context.parent is not None and context.parent.parent is None


def split(name: str) -> tuple[str | None, str]:
    """Split RESOURCE-GROUP/NAME or an id into resource group, if it says one, and name."""
    parts = name.strip("/").split("/")
    if len(parts) == 1:
        return None, name
    if len(parts) == 2:  # noqa: PLR2004
        return parts[0], parts[1]
    if len(parts) >= _ID_PARTS - 1 and parts[0].lower() == "subscriptions" and parts[2].lower() == "resourcegroups":
        return parts[3], parts[7]
    raise click.UsageError(f"'{name}' names no group: write NAME, RESOURCE-GROUP/NAME, or a resource's id.")


def _be_quiet(ctx: click.Context, _: click.Parameter, quiet: bool) -> None:
    ctx.meta[progress.QUIET] = quiet or ctx.meta.get(progress.QUIET, False)


def _be_verbose(ctx: click.Context, which: click.Parameter, asked: bool) -> None:
    if asked:
        from .talking import talk

        ctx.meta[progress.QUIET] = True  # lines of both would be mixed
        talk(ctx, all_of_it=which.name == "debug")


_SERVICE = (
    click.option("--cloud", metavar="CLOUD", help="local, azure, china, us_government, an auth file, or an address."),
    click.option("--context", metavar="NAME", envvar="HYTHE_CONTEXT", help="A service of `hythe context list`.",
                 shell_complete=completing.contexts),
    click.option("--subscription", metavar="ID", help="Another subscription than the service's usual one."),
    click.option("--only-show-errors", is_flag=True, expose_value=False, callback=_be_quiet,
                 help="Say nothing of what goes on meanwhile."),
    click.option("--verbose", is_flag=True, expose_value=False, callback=_be_verbose,
                 help="Tell of each request and its answer."),
    click.option("--debug", is_flag=True, expose_value=False, callback=_be_verbose,
                 help="Tell of their headers too, and where in the code an error comes from."),
)  # fmt: skip
_OUTPUT = (
    click.option("-o", "--output", "form", type=click.Choice(output.FORMATS), help="How to show it (default: table "
                 "on a terminal, otherwise json; short forms: table)."),
    click.option("--query", metavar="JMESPATH", help="Show what this picks of the JSON."),
)  # fmt: skip
_GROUP = click.option(
    "-g", "--resource-group", metavar="NAME", help=f"Resource group (default: {GROUP_VARIABLE}, or 'hythe').",
    shell_complete=completing.resource_groups,
)  # fmt: skip


def asks(shows: bool = True) -> Callable[[F], F]:
    """Give a command the options for where and how; its function gets an `Asking` as its first argument."""

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def run(
            resource_group: str | None, cloud: str | None, context: str | None, subscription: str | None,
            form: str | None = None, query: str | None = None, **rest: Any,
        ) -> Any:  # fmt: skip
            ask = Asking(
                resource_group=resource_group, form=form, query=query, cloud=cloud, context=context,
                subscription=subscription,
            )  # fmt: skip
            with contextlib.closing(ask):
                return function(ask, **rest)

        decorated: Any = run
        for option in reversed((_GROUP, *(_OUTPUT if shows else ()), *_SERVICE)):
            decorated = option(decorated)
        return decorated  # type: ignore[no-any-return]

    return decorate


def shows(function: F) -> F:
    """Give a command that asks no service by these options those for how alone; it gets a `Showing`."""

    @functools.wraps(function)
    def run(form: str | None, query: str | None, **rest: Any) -> Any:
        return function(Showing(form, query), **rest)

    decorated: Any = run
    for option in reversed(_OUTPUT):
        decorated = option(decorated)
    return decorated  # type: ignore[no-any-return]


def shows_nothing(function: F) -> F:
    """Let a verb of az take the options for how to show, as az does where there is nothing to show."""
    form = click.option("-o", "--output", type=click.Choice(output.FORMATS), hidden=True, expose_value=False)
    return form(click.option("--query", hidden=True, expose_value=False)(function))


def one_group(function: F) -> F:
    """Give a command one group: as an argument, or by -n as with az."""

    @functools.wraps(function)
    def run(*arguments: Any, name: str | None, named: str | None, **rest: Any) -> Any:
        if (name is None) == (named is None):
            raise click.UsageError("name one container group.")
        return function(*arguments, name=name or named, **rest)

    option = click.option("-n", "--name", "--ids", "named", metavar="NAME",
                          help="Name or id of the group; also as an argument.",
                          shell_complete=completing.groups)  # fmt: skip
    argument = click.argument("name", metavar="[GROUP]", required=False, shell_complete=completing.groups)
    return argument(option(run))  # type: ignore[return-value]


def one_named(what: str, operations: str) -> Callable[[F], F]:
    """Give a command one resource of another kind: ``folder`` and ``name``, from an argument or -n.

    ``operations`` of the client list them, where one is being typed.
    """
    complete = completing.named(operations)

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def run(ask: Asking, name: str | None, named: str | None, **rest: Any) -> Any:
            if (name is None) == (named is None):
                raise click.UsageError(f"name one {what}.")
            folder, short = split(name or named or "")
            return function(ask, folder=folder or ask.resource_group, name=short, **rest)

        option = click.option("-n", "--name", "--ids", "named", metavar="NAME",
                              help=f"Name or id of the {what}; also as an argument.",
                              shell_complete=complete)  # fmt: skip
        argument = click.argument("name", metavar="[NAME]", required=False, shell_complete=complete)
        return argument(option(run))  # type: ignore[return-value]

    return decorate


def some_groups(function: F) -> F:
    """Give a command one or more groups: as arguments, by -n, or by --ids."""

    @functools.wraps(function)
    def run(*arguments: Any, names: Sequence[str], named: str | None, ids: Sequence[str], **rest: Any) -> Any:
        wanted = [*names, *([named] if named else ()), *ids]
        if not wanted:
            raise click.UsageError("name at least one container group.")
        return function(*arguments, names=wanted, **rest)

    option = click.option("-n", "--name", "named", metavar="NAME", help="Name of the group; also as an argument.",
                          shell_complete=completing.groups)  # fmt: skip
    ids = click.option("--ids", multiple=True, metavar="ID", help="Ids of groups, as `show` gives them.")
    argument = click.argument("names", metavar="[GROUP]...", nargs=-1, shell_complete=completing.groups)
    return argument(option(ids(run)))  # type: ignore[return-value]


container_name = click.option(
    "-c", "--container-name", "--container", "container", metavar="NAME", help="A container of the group.",
    shell_complete=completing.containers,
)  # fmt: skip
