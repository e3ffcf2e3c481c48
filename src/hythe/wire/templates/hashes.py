"""The two functions that make names out of texts, with the values that Azure gives."""

from __future__ import annotations

import uuid

_NAMESPACE = uuid.UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_WORD, _LONG = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
_FIRST, _SECOND = 0x239B961B, 0xAB0E9789


def guid(texts: list[str]) -> str:
    """Give a UUID that depends on the texts only (version 5, in the namespace of Azure's templates)."""
    return str(uuid.uuid5(_NAMESPACE, "-".join(texts)))


def unique_string(texts: list[str]) -> str:
    """Give 13 letters and digits that depend on the texts only: a 64-bit Murmur hash in base 32."""
    value = _murmur("-".join(texts).encode())
    letters = []
    for _ in range(13):
        letters.append(_LETTERS[value >> 59])
        value = value << 5 & _LONG
    return "".join(letters)


def _murmur(data: bytes) -> int:
    """Hash eight bytes at a time into two halves that are mixed with each other."""
    low = high = 0
    whole = len(data) // 8 * 8
    for at in range(0, whole, 8):
        low ^= _mix(data[at : at + 4], _FIRST, 15, _SECOND)
        low = (_turn(low, 19) + high) * 5 + 0x561CCD1B & _WORD
        high ^= _mix(data[at + 4 : at + 8], _SECOND, 17, _FIRST)
        high = (_turn(high, 13) + low) * 5 + 0x0BCAA747 & _WORD
    rest = data[whole:]
    low ^= _mix(rest[:4], _FIRST, 15, _SECOND)
    high ^= _mix(rest[4:], _SECOND, 17, _FIRST)
    low, high = low ^ len(data), high ^ len(data)
    low = low + high & _WORD
    high = high + low & _WORD
    low, high = _spread(low), _spread(high)
    low = low + high & _WORD
    return (high + low & _WORD) << 32 | low


def _mix(part: bytes, before: int, turns: int, after: int) -> int:
    return _turn(int.from_bytes(part, "little") * before, turns) * after & _WORD


def _turn(value: int, bits: int) -> int:
    value &= _WORD
    return (value << bits | value >> (32 - bits)) & _WORD


def _spread(value: int) -> int:
    value = (value ^ value >> 16) * 0x85EBCA6B & _WORD
    value = (value ^ value >> 13) * 0xC2B2AE35 & _WORD
    return value ^ value >> 16
