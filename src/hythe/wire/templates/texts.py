"""Formats and moments, as .NET writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from .expressions import TemplateError
from .values import LONGEST_TEXT, short_text, text_of

_HOLE = re.compile(r"\{\{|\}\}|\{(\d{1,4})(?:,(-?\d{1,6}))?(?::([^{}]*))?\}|[{}]")
_NUMBER = re.compile(r"([DdXxNnFf])(\d{0,2})")
_SPAN = re.compile(
    r"(-)?P(?:(\d{1,6})Y)?(?:(\d{1,6})M)?(?:(\d{1,6})W)?(?:(\d{1,6})D)?"
    r"(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?"
)
_PART = re.compile(r"yyyy|yy|MMMM|MMM|MM|M|dddd|ddd|dd|d|HH|H|hh|h|mm|m|ss|s|f{1,7}|tt|zzz|K|'[^']*'|\\.|.", re.DOTALL)
_STANDARD = {
    "u": "yyyy-MM-dd HH:mm:ss'Z'",
    "s": "yyyy-MM-dd'T'HH:mm:ss",
    "d": "MM/dd/yyyy",
    "o": "yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'",
    "O": "yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'",
    "R": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
}


def format_text(pattern: str, values: tuple[Any, ...]) -> str:
    """Fill the numbered holes of a pattern: ``{0}``, ``{1,10}``, ``{2:D3}``.  Raises `TemplateError`."""

    def fill(found: re.Match[str]) -> str:
        if found[0] in ("{{", "}}"):
            return found[0][0]
        if found[1] is None or int(found[1]) >= len(values):
            raise TemplateError(f"the format '{pattern[:100]}' has a hole that no argument fills")
        text = _formatted(values[int(found[1])], found[3])
        width = int(found[2] or 0)
        if abs(width) > LONGEST_TEXT:
            raise TemplateError("the format asks for too wide a column")
        return text.rjust(width) if width > 0 else text.ljust(-width)

    return short_text(_HOLE.sub(fill, pattern))


def _formatted(value: Any, how: str | None) -> str:
    if not how:
        return text_of(value)
    found = _NUMBER.fullmatch(how)
    if found is None or isinstance(value, bool) or not isinstance(value, int | float):
        raise TemplateError(f"the format ':{how[:20]}' is not offered")
    letter, digits = found[1], int(found[2] or 0)
    if letter in "Nn":
        return f"{value:,.{int(found[2]) if found[2] else 2}f}"
    if letter in "Ff":
        return f"{value:.{int(found[2]) if found[2] else 2}f}"
    if not isinstance(value, int):
        raise TemplateError(f"the format ':{how}' is for integers")
    if letter in "Dd":
        return f"{'-' if value < 0 else ''}{abs(value):0{digits}d}"
    return format(value & 0xFFFFFFFFFFFFFFFF if value < 0 else value, f"0{digits or 1}{letter}")


def write_moment(moment: datetime, pattern: str) -> str:
    """Write a moment with a .NET pattern."""
    pattern = _STANDARD.get(pattern, pattern)
    hour = moment.hour % 12 or 12
    written = {
        "yyyy": f"{moment.year:04}", "yy": f"{moment.year % 100:02}", "MMMM": f"{moment:%B}", "MMM": f"{moment:%b}",
        "MM": f"{moment.month:02}", "M": str(moment.month), "dddd": f"{moment:%A}", "ddd": f"{moment:%a}",
        "dd": f"{moment.day:02}", "d": str(moment.day), "HH": f"{moment.hour:02}", "H": str(moment.hour),
        "hh": f"{hour:02}", "h": str(hour), "mm": f"{moment.minute:02}", "m": str(moment.minute),
        "ss": f"{moment.second:02}", "s": str(moment.second), "tt": f"{moment:%p}", "zzz": "+00:00", "K": "Z",
    }  # fmt: skip
    out = []
    for part in _PART.findall(pattern):
        if part[0] == "f":
            out.append(f"{moment.microsecond:06}0"[: len(part)])
        elif part[0] in "'\\" and len(part) > 1:
            out.append(part.strip("'") if part[0] == "'" else part[1])
        else:
            out.append(written.get(part, part))
    return short_text("".join(out))


def utc_now(moment: datetime, pattern: str = "yyyyMMdd'T'HHmmss'Z'") -> str:
    """Write the moment of a deployment."""
    return write_moment(moment, pattern)


def _moment(text: str) -> datetime:
    text = text.strip()
    try:
        if re.fullmatch(r"\d{8}T\d{6}Z", text):
            return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        found = datetime.fromisoformat(re.sub(r"\.(\d{6})\d+", r".\1", text))
    except ValueError:
        raise TemplateError(f"'{text[:40]}' is not a date and time") from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def date_add(base: str, span: str, pattern: str | None) -> str:
    """Add an ISO 8601 duration to a moment.  Raises `TemplateError`."""
    found = _SPAN.fullmatch(span)
    if found is None or span.rstrip("T").endswith("P"):
        raise TemplateError(f"'{span[:40]}' is not a duration, such as P1DT2H")
    sign = -1 if found[1] else 1
    years, months, weeks, days, hours, minutes, seconds = (int(each or 0) * sign for each in found.groups()[1:])
    moment = _moment(base)
    month = moment.year * 12 + moment.month - 1 + years * 12 + months
    try:
        first = moment.replace(year=month // 12, month=month % 12 + 1, day=1)
        next_first = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
        last = (next_first - timedelta(days=1)).day
        moved = first.replace(day=min(moment.day, last))
        moved += timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    except (ValueError, OverflowError):
        raise TemplateError("the moment is out of range") from None
    return write_moment(moved, pattern or "yyyy-MM-dd'T'HH:mm:ss'Z'")


def from_epoch(seconds: int) -> str:
    """Write a moment that is given in seconds since 1970."""
    try:
        return write_moment(datetime.fromtimestamp(seconds, UTC), "yyyy-MM-dd'T'HH:mm:ss'Z'")
    except (ValueError, OverflowError, OSError):
        raise TemplateError("the moment is out of range") from None


def to_epoch(text: str) -> int:
    """Give a moment in seconds since 1970."""
    return int(_moment(text).timestamp())
