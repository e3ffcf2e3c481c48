# Generated from src/hythe/client/_async/pager.py by tools/generate_sync.py: change that file, not this one.
"""Reads lists that come in pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from hythe.errors import UnexpectedAnswer

from .session import Session

T = TypeVar("T")
Page = tuple[list[T], str | None]
"""The items of a page, and the address of the next."""


class Pager(Generic[T]):
    """Iterates over all items, asking for pages as they are needed.  Each iteration starts anew."""

    def __init__(self, session: Session, url: str, read: Callable[[bytes], Page[T]], doing: str) -> None:
        self._session = session
        self._url = url
        self._read = read
        self._doing = doing

    def __iter__(self) -> Iterator[T]:
        """Iterate over the items."""
        for page in self.by_page():
            for item in page:
                yield item

    def by_page(self) -> Iterator[list[T]]:
        """Iterate over lists of items, one for each answer."""
        url: str | None = self._url
        seen: set[str] = set()
        while url:
            seen.add(url)
            response = self._session.send("GET", url, doing=self._doing)
            items, url = self._read(response.body)
            yield items
            if url and not self._session.is_own(url):
                raise UnexpectedAnswer(
                    f"cannot {self._doing}: the next page is said to be at another host than {self._session.base_url}; "
                    "the token is not sent there"
                )
            if url in seen:
                raise UnexpectedAnswer(f"cannot {self._doing}: the pages lead back to one that was already read")
