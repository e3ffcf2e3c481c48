"""Options that take several words, as az's do: ``--ports 80 443`` for ``--ports 80 --ports 443``."""

from __future__ import annotations

from typing import Any

import click


class Bare(click.Option):
    """An option of several words that may also stand alone, and then has the word ``alone``."""

    def __init__(self, *arguments: Any, alone: str, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.alone = alone


class Many(click.Command):
    """A command whose options that may be repeated also take all words up to the next option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Write the options again for each of their words."""
        options = [each for each in self.params if isinstance(each, click.Option) and each.multiple]
        repeated = {name: each for each in options for name in each.opts}
        alone = {name: each.alone for name, each in repeated.items() if isinstance(each, Bare)}
        written: list[str] = []
        current = ""
        fresh = False
        for index, word in enumerate(args):
            if word == "--":
                written += [alone[current]] if fresh and current in alone else []
                fresh = False
                written += args[index:]
                break
            if word.startswith("-") and (not fresh or current in alone):
                written += [alone[current]] if fresh else []
                current, fresh = (word, True) if word in repeated else ("", False)
                written.append(word)
            elif current and not fresh:
                written += [current, word]
            else:
                written.append(word)
                fresh = False
        if fresh and current in alone:
            written.append(alone[current])
        return super().parse_args(ctx, written)


class Trailing(click.Command):
    """A command on a group that ends with a command: all words from its first one on belong to that one.

    ``hythe exec web -c app ls -l`` gives ``-c`` to exec and ``-l`` to ls, and with ``-n web`` it is the same.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put ``--`` in front of the first word after the group."""
        options = [each for each in self.params if isinstance(each, click.Option)]
        taking = {name for each in options if not each.is_flag for name in each.opts}
        group_is_next = True
        words = iter(list(enumerate(args)))
        for index, word in words:
            if word == "--":
                break
            if word in taking:
                group_is_next = group_is_next and word not in ("-n", "--name", "--ids")
                next(words, None)
            elif word.startswith("-") and word != "-":
                group_is_next = group_is_next and not word.startswith(("--name=", "--ids="))
            elif group_is_next:
                group_is_next = False
            else:
                args = [*args[:index], "--", *args[index:]]
                break
        return super().parse_args(ctx, args)
