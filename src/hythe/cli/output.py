"""Writes what commands show: tables, JSON, YAML, lines with tabs; all of it, or what a query picks."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

FORMATS = ("table", "json", "jsonc", "yaml", "yamlc", "tsv", "none")
"""az's: those that end with c have colours, where colours are wanted."""
Row = Mapping[str, object]

_STATES = {
    "Running": "green", "Succeeded": "green", "Pending": "yellow", "Waiting": "yellow", "Creating": "yellow",
    "Stopped": "bright_black", "Failed": "red", "Terminated": "bright_black", "Warning": "yellow",
}  # fmt: skip


def coloured(stream: Any = None) -> bool:
    """Tell whether colours are wanted: on a terminal, unless NO_COLOR is set (https://no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and bool((stream or sys.stdout).isatty())


def plain(value: object) -> Any:
    """Give a model as the az CLI shows it: names of the wire, flat, without what is not there."""
    from ..models import Model

    if isinstance(value, Model):
        from msgspec import to_builtins

        from ..models._base import wire_name

        members = {
            wire_name(name): plain(each)
            for name in value.__struct_fields__
            if (each := getattr(value, name)) is not None
        }
        group = _resource_group(members.get("id"))
        return to_builtins(members | ({"resourceGroup": group} if group else {}))
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def _resource_group(id_: object) -> str | None:
    parts = str(id_ or "").split("/")
    lowered = [part.lower() for part in parts]
    return parts[lowered.index("resourcegroups") + 1] if "resourcegroups" in lowered[:-1] else None


def show(
    value: object,
    *,
    form: str,
    query: str | None = None,
    row: Callable[[Any], Row] | None = None,
) -> None:
    """Write a value.  ``row`` makes a line of a table of one item; a query's outcome makes its own lines."""
    if form == "none":
        return
    if form == "table" and query is None and row is not None:
        items = value if isinstance(value, Sequence) else [value]
        table([row(each) for each in items])
        return
    data = plain(value)
    if query is not None:
        data = _search(query, data)
    if form == "table":
        table(_rows(data))
    elif form == "tsv":
        for line in data if isinstance(data, list) else [data]:
            click.echo("\t".join(_cell(each) for each in _values(line)))
    else:
        _write(_text(data, form), form)


def _text(data: object, form: str) -> str:
    import msgspec

    if form.startswith("yaml"):
        import msgspec.yaml

        return msgspec.yaml.encode(data).decode().rstrip("\n")
    return msgspec.json.format(msgspec.json.encode(data), indent=2).decode()


def _write(text: str, form: str) -> None:
    if not (form.endswith("c") and coloured()):
        click.echo(text)
        return
    from rich.console import Console
    from rich.syntax import Syntax

    console = Console(soft_wrap=True)
    console.print(Syntax(text, form.removesuffix("c"), background_color="default", word_wrap=False), soft_wrap=True)


def _search(query: str, data: object) -> Any:
    import jmespath

    try:
        return jmespath.search(query, data)
    except jmespath.exceptions.JMESPathError as why:
        said = str(why).splitlines()[0]
        raise click.UsageError(f"cannot read --query: {said} Its language is JMESPath, https://jmespath.org.") from None


def _values(line: object) -> list[object]:
    if isinstance(line, Mapping):
        return list(line.values())
    return list(line) if isinstance(line, list) else [line]


def _rows(data: object) -> list[Row]:
    """Make rows of plain data: members that are lists or mappings themselves don't fit into a table."""
    if data is None:
        return []
    rows: list[Row] = []
    for item in data if isinstance(data, list) else [data]:
        if isinstance(item, Mapping):
            rows.append({
                name[:1].upper() + name[1:]: each for name, each in item.items() if not isinstance(each, Mapping | list)
            })  # fmt: skip
        elif isinstance(item, list):
            rows.append({f"Column{number}": each for number, each in enumerate(item, 1)})
        else:
            rows.append({"Result": item})
    return rows


def _cell(value: object) -> str:
    """Write a value into one line."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping | list):
        import msgspec

        return msgspec.json.encode(value).decode()
    return " ".join(str(value).splitlines())


def table(rows: Sequence[Row]) -> None:
    """Write rows below the names of their members; states have colours."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[_cell(row.get(name)) for name in names] for row in rows]
    widths = [max(len(name), *(len(line[index]) for line in cells)) for index, name in enumerate(names)]
    if not names:
        return
    colours = coloured()
    header = "  ".join(name.ljust(width) for name, width in zip(names, widths, strict=True)).rstrip()
    click.echo(click.style(header, bold=True) if colours else header, color=colours)
    for line in cells:
        padded = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        padded[-1] = line[-1]
        if colours:
            padded = [click.style(text, fg=_STATES.get(text.strip())) for text in padded]
        click.echo("  ".join(padded).rstrip(), color=colours)


def paint(text: str, colour: str) -> str:
    """Colour a word of standard output, where colours are wanted."""
    return click.style(text, fg=colour) if coloured() else text
