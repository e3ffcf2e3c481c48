"""Reads lists that come in pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Generic, TypeVar

from hythe.client.options import Call
from hythe.errors import UnexpectedAnswer

from ._io import Page
from .session import Session

T = TypeVar("T")
Listed = tuple[Iterator[T], str | None]
"""The items of a page, and the address of the next."""


class Pager(Generic[T]):
    """Iterates over all items, asking for pages as they are needed.

    Each ``for`` starts anew; ``next`` goes on with an iteration that the pager keeps, as Microsoft's do.
    """

    def __init__(self, session: Session, url: str, read: Callable[[bytes], Listed[T]], doing: str, call: Call) -> None:
        self._session = session
        self._url = url
        self._read = read
        self._doing = doing
        self._call = call
        self._kept: AsyncIterator[T] | None = None

    def __repr__(self) -> str:
        return f"Pager({self._doing!r})"

    async def __aiter__(self) -> AsyncIterator[T]:
        """Iterate over the items."""
        pages = self.by_page()
        while pages.continuation_token:
            for item in await pages.items():
                yield item

    async def __anext__(self) -> T:
        """Return the next item."""
        if self._kept is None:
            self._kept = self.__aiter__()
        return await self._kept.__anext__()

    def by_page(self, continuation_token: str | None = None) -> PageIterator[T]:
        """Iterate over pages, from the first, or from the one after a page whose iterator had this token."""
        return PageIterator(self._session, continuation_token or self._url, self._read, self._doing, self._call)


class PageIterator(Generic[T]):
    """Iterates over pages, each a list; ``continuation_token`` is the address of the next page, None at the end."""

    def __init__(self, session: Session, url: str, read: Callable[[bytes], Listed[T]], doing: str, call: Call) -> None:
        self._session = session
        self._read = read
        self._doing = doing
        self._call = call
        self._seen: set[str] = set()
        self._first = True
        self.continuation_token: str | None = url

    def __aiter__(self) -> PageIterator[T]:
        return self

    async def __anext__(self) -> Page[T]:
        """Ask for the next page."""
        if not self.continuation_token:
            raise StopAsyncIteration
        return Page(await self.items())

    async def items(self) -> Iterator[T]:
        """Ask for the next page and give its items one by one, each made when it is taken; nothing after the last."""
        url = self.continuation_token
        if not url:
            return iter(())
        if not self._session.is_own(url):
            raise UnexpectedAnswer(
                f"cannot {self._doing}: the next page is said to be at another host than {self._session.base_url}; "
                "the token is not sent there"
            )
        if url in self._seen:
            raise UnexpectedAnswer(f"cannot {self._doing}: the pages lead back to one that was already read")
        response = await self._session.send("GET", url, doing=self._doing, call=self._call)
        self._seen.add(url)
        items, self.continuation_token = self._read(response.body)
        return items
