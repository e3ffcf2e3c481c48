"""Reads lists that come in pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
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

    async def __aiter__(self) -> AsyncIterator[T]:
        """Iterate over the items."""
        async for page in self.by_page():
            for item in page:
                yield item

    async def by_page(self) -> AsyncIterator[list[T]]:
        """Iterate over lists of items, one for each answer."""
        url: str | None = self._url
        seen: set[str] = set()
        while url:
            seen.add(url)
            response = await self._session.send("GET", url, doing=self._doing)
            items, url = self._read(response.body)
            yield items
            if url and not self._session.is_own(url):
                raise UnexpectedAnswer(
                    f"cannot {self._doing}: the next page is said to be at another host than {self._session.base_url}; "
                    "the token is not sent there"
                )
            if url in seen:
                raise UnexpectedAnswer(f"cannot {self._doing}: the pages lead back to one that was already read")
