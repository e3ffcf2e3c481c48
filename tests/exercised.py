"""Finds the public callables of the library, and notes which of them the tests of a run call."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any

PAIRS = ("hythe.client._async", "hythe.client._sync")
OFFERING = ("hythe", "hythe.aio", "hythe.testing", "hythe.client.clouds", "hythe.models")
Place = tuple[Any, str]
"""Where a callable is kept, and under which name."""


class Exercised:
    """Puts a note-taker in front of each public callable: those of the clients, and all that the package offers."""

    def __init__(self) -> None:
        self.known: set[str] = set()
        self.called: set[str] = set()

    @property
    def missing(self) -> list[str]:
        """Name what nobody has called."""
        return sorted(self.known - self.called)

    def watch(self) -> None:
        """Begin.  A function that other modules have imported is replaced there too."""
        replaced: dict[int, Callable[..., Any]] = {}
        for home, name in [*_places()]:
            held = inspect.getattr_static(home, name)
            function = held.__func__ if isinstance(held, classmethod | staticmethod) else held
            if not isinstance(function, FunctionType) or hasattr(function, "__wrapped__"):
                continue
            noted = self._noted(function)
            setattr(home, name, type(held)(noted) if held is not function else noted)
            if isinstance(home, ModuleType):
                replaced[id(function)] = noted
        for module in [each for name, each in sys.modules.items() if name.partition(".")[0] == "hythe"]:
            for name, value in list(vars(module).items()):
                if id(value) in replaced and isinstance(value, FunctionType):
                    setattr(module, name, replaced[id(value)])

    def _noted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        key = f"{function.__module__}.{function.__qualname__}"
        self.known.add(key)
        add = self.called.add

        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*arguments: Any, **named: Any) -> Any:
                add(key)
                return await function(*arguments, **named)

            return awaited

        @functools.wraps(function)
        def noted(*arguments: Any, **named: Any) -> Any:
            add(key)
            return function(*arguments, **named)

        return noted


def _places() -> Iterator[Place]:
    """Find the functions and methods; each once, where it is defined."""
    classes: dict[int, type] = {}
    for value in [*_of_the_pairs(), *_offered()]:
        if inspect.isclass(value):
            classes |= {id(each): each for each in value.__mro__ if each.__module__.startswith("hythe.")}
        elif isinstance(value, FunctionType):
            yield sys.modules[value.__module__], value.__name__
    for each in classes.values():
        for name in vars(each):
            if not name.startswith("_"):
                yield each, name


def _of_the_pairs() -> Iterator[Any]:
    """Give what the modules define that are written twice."""
    for module in _pair_modules():
        for name, value in list(vars(module).items()):
            if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__:
                yield value


def _offered() -> Iterator[Any]:
    """Give what the package offers under its public names."""
    for offering in OFFERING:
        module = importlib.import_module(offering)
        for name in getattr(module, "__all__", None) or [each for each in vars(module) if not each.startswith("_")]:
            value = getattr(module, name)
            if getattr(value, "__module__", "").startswith("hythe."):
                yield value


def _pair_modules() -> Iterator[ModuleType]:
    for pair in PAIRS:
        for found in pkgutil.iter_modules(importlib.import_module(pair).__path__):
            if not found.name.startswith("_"):
                yield importlib.import_module(f"{pair}.{found.name}")
