"""Reads the small languages inside compose files: variables, environments, durations, sizes, ports.  Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

_VARIABLE = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<named>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)(?P<how>:?[-?+])?)?", re.ASCII
)
_BRACE = re.compile(r"\$\{|\}")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|m|h)")
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_PORT = re.compile(r"(?:(?P<host>\d+(?:-\d+)?):)?(?P<inside>\d+(?:-\d+)?)(?:/(?P<protocol>tcp|udp))?", re.IGNORECASE)


class ComposeError(ValueError):
    """Says which key of a compose file can't be done, and why: ``key`` is its path."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(f"cannot use {key}: {why}")
        self.key = key


def interpolated(value: Any, variables: Mapping[str, str], key: str) -> Any:
    """Put variables into every text of a document: ``$NAME``, ``${NAME:-default}``, ``${NAME:?why}``, ``$$``.

    What stands for a variable may have variables too: ``${NAME:-${OTHER:-default}}``.  Raises `ComposeError`.
    """
    if isinstance(value, Mapping):
        return {
            name: interpolated(each, variables, f"{key}.{name}" if key else str(name)) for name, each in value.items()
        }
    if isinstance(value, list):
        return [interpolated(each, variables, f"{key}[{index}]") for index, each in enumerate(value)]
    if not isinstance(value, str) or "$" not in value:
        return value
    return _filled(value, variables, key)


def _filled(text: str, variables: Mapping[str, str], key: str) -> str:
    """Put variables into one text."""
    made, at = [], 0
    while (found := _VARIABLE.search(text, at)) is not None:
        made.append(text[at : found.start()])
        at = found.end()
        if found["escaped"]:
            made.append("$")
            continue
        name, how = found["named"] or found["braced"], found["how"] or ""
        end = _closing(text, at) if found["braced"] else at
        if not name or end < at or (end > at and not how):  # the text is not shown: it may be a password
            why = "a '$' in it begins no variable such as $NAME, ${NAME} or ${NAME:-default}: write $$ for the sign"
            raise ComposeError(key, why)
        made.append(_value(name, how, text[at:end], variables, key))
        at = end + 1 if found["braced"] else end
    return "".join((*made, text[at:]))


def _closing(text: str, at: int) -> int:
    """Find the brace that ends a variable whose word begins at ``at``, behind those of variables in it; -1 for none."""
    depth = 1
    for found in _BRACE.finditer(text, at):
        depth += -1 if found[0] == "}" else 1
        if not depth:
            return found.start()
    return -1


def _value(name: str, how: str, word: str, variables: Mapping[str, str], key: str) -> str:
    """Give what a variable stands for.  Its word is read only if it is wanted, as a shell does."""
    value = variables.get(name)
    there = value is not None and (value != "" or not how.startswith(":"))
    if how.endswith("+"):
        return _filled(word, variables, key) if there else ""
    if there and value is not None:
        return value
    word = _filled(word, variables, key)
    if how.endswith("?"):
        raise ComposeError(key, f"the variable {name} is not set{': ' + word if word else ''}. Set it or write .env.")
    return word


def env_lines(text: str) -> dict[str, str | None]:
    """Read the lines of an env file; a name without ``=`` has the value None."""
    found: dict[str, str | None] = {}
    for line in text.splitlines():
        said = line.strip().removeprefix("export ")
        if not said or said.startswith("#"):
            continue
        name, equals, value = said.partition("=")
        value = value.strip()
        if value[:1] in ("'", '"') and value[-1:] == value[0] and len(value) > 1:
            value = value[1:-1]
        else:
            value = re.split(r"\s#", value)[0].rstrip()
        found[name.strip()] = value if equals else None
    return found


def environment(value: Any, key: str) -> dict[str, str | None]:
    """Read ``environment``: a mapping, or a list of ``NAME=value``."""
    if isinstance(value, Mapping):
        return {str(name): None if each is None else _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        pairs = (str(each).partition("=") for each in value)
        return {name: text if equals else None for name, equals, text in pairs}
    if value is None:
        return {}
    raise ComposeError(key, "it must be a mapping or a list")


def _plain(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def words(value: Any, key: str) -> list[str] | None:
    """Read ``command`` or ``entrypoint``: a list, or a text that is split as a shell does."""
    if value is None:
        return None
    if isinstance(value, list):
        return [_plain(each) for each in value]
    try:
        return shlex.split(str(value))
    except ValueError as why:
        raise ComposeError(key, f"it can't be split into words: {why}") from None


def seconds(value: Any, key: str) -> int:
    """Read a duration such as ``1m30s`` in whole seconds, at least 1."""
    if isinstance(value, int | float):
        return max(round(value), 1)
    parts = _DURATION.findall(str(value))
    if not parts or "".join(number + unit for number, unit in parts) != str(value):
        raise ComposeError(key, f"{value!r} is no duration such as 1m30s")
    return max(round(sum(float(number) * _SECONDS[unit] for number, unit in parts)), 1)


def gigabytes(value: Any, key: str) -> float:
    """Read a size such as ``512M`` in GB of 2**30 bytes."""
    found = _SIZE.fullmatch(str(value).strip())
    if found is None:
        raise ComposeError(key, f"{value!r} is no size such as 512M")
    return float(f"{float(found[1]) * 1024 ** _POWERS[found[2].lower()] / (1 << 30):.4g}")


def number(value: Any, key: str) -> float:
    """Read a number above 0."""
    try:
        made = float(value)
    except (TypeError, ValueError):
        made = 0.0
    if not made > 0:
        raise ComposeError(key, f"{value!r} is no number above 0")
    return made


def ports(value: Any, key: str) -> list[tuple[int, str, int | None]]:
    """Read an entry of ``ports``: the ports, their protocol, and the port of this machine if that is another."""
    if isinstance(value, Mapping):
        for name in value:
            if name not in ("target", "published", "protocol", "mode", "name", "app_protocol"):
                raise ComposeError(f"{key}.{name}", "a group has no such thing")
        inside, host = str(value.get("target", "")), str(value.get("published", "") or "")
        protocol = str(value.get("protocol", "tcp"))
    else:
        found = _PORT.fullmatch(str(value))
        if found is None:
            raise ComposeError(key, f"{value!r} can't be published: give a port, or PORT:PORT, without an address")
        inside, host, protocol = found["inside"], found["host"] or "", found["protocol"] or "tcp"
    moved = int(host) if host.isdecimal() and host != inside else None
    if host not in ("", inside) and (moved is None or not inside.isdecimal()):
        raise ComposeError(key, f"{inside} can't be published as {host}: that goes for single ports")
    first, _, last = inside.partition("-")
    if not first.isdecimal() or (last and not last.isdecimal()):
        raise ComposeError(key, f"{value!r} names no port")
    return [(port, protocol.upper(), moved) for port in range(int(first), int(last or first) + 1)]
