"""`hythe map`: many commands, each in a group of its own, some at a time."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import IO, Any

import click

from .asking import Asking, asks
from .exits import FAILED
from .output import Row
from .progress import step
from .run import from_shell, task_options, task_volumes


@click.command("map", context_settings={"allow_interspersed_args": False})
@asks()
@click.option("-f", "--file", "lines", type=click.File(), help="Commands, one a line (- reads them from here).")
@click.option("--parallel", type=click.IntRange(min=1), default=4, show_default=True, help="How many at a time.")
@click.option(
    "--retries",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="How often one that fails is tried again.",
)
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="For each try.")
@click.option("--logs", is_flag=True, help="Print what they wrote, in the commands' order, instead of a table.")
@task_options
@click.argument("image")
@click.argument("words", metavar="[COMMAND ::: ARGUMENT...]", nargs=-1, type=click.UNPROCESSED)
def map_(
    ask: Asking, lines: IO[str] | None, parallel: int, retries: int, timeout: float | None, logs: bool, image: str,
    words: Sequence[str], **given: Any,
) -> None:  # fmt: skip
    """Run many commands in containers of IMAGE and show how each ended; ends with 1 if one failed.

    `hythe map IMAGE gzip {} ::: a b c` runs three, with each ARGUMENT in the place of {}, or at the end.
    """
    commands = _commands(lines, words)
    volumes, mounts = task_volumes(ask, given["volumes"])
    options: dict[str, Any] = {
        "environment": from_shell(given["environment"]), "secrets": from_shell(given["secret"]), "cpu": given["cpu"],
        "memory_in_gb": given["memory"], "volumes": volumes, "volume_mounts": mounts,
        "location": ask.located(given["location"]),
    }  # fmt: skip
    with step(f"run {len(commands)} commands") as say:

        def tell(done: int, count: int, one: Any) -> None:
            say(f"{done} of {count}" + ("" if one.ok else f", failed: {one.detail or one.state}"))

        results = ask.client.map(
            image, commands, parallel=parallel, retries=retries, on_result=tell, timeout=timeout,
            resource_group=ask.resource_group, **options,
        )  # fmt: skip
    if logs:
        for each in results:
            click.echo(each.log, nl=not each.log.endswith("\n"))
    else:
        shown = [
            {
                "number": number, "exitCode": each.exit_code, "state": each.state, "attempts": each.attempts,
                "seconds": round(each.waited, 2), "command": shlex.join(command), "detail": each.detail,
            } | ({} if ask.form == "table" else {"log": each.log})
            for number, (command, each) in enumerate(zip(commands, results, strict=True), 1)
        ]  # fmt: skip
        ask.show(shown, _row)
    if not all(each.ok for each in results):
        raise SystemExit(FAILED)


def _row(result: dict[str, Any]) -> Row:
    return {name[:1].upper() + name[1:]: each for name, each in result.items()}


def _commands(lines: IO[str] | None, words: Sequence[str]) -> list[list[str]]:
    """Make the commands, each a list of words."""
    if (lines is None) == (not words):
        raise click.UsageError("give commands: by --file, or as COMMAND ::: ARGUMENT...")
    if lines is not None:
        try:
            return [shlex.split(line, comments=True) for line in lines if line.strip()]
        except ValueError as why:
            raise click.UsageError(f"a line can't be split into words: {why}.") from None
    if ":::" not in words:
        raise click.UsageError("write ::: between the command and its arguments.")
    at = list(words).index(":::")
    command, arguments = words[:at], words[at + 1 :]
    if not any("{}" in word for word in command):
        command = (*command, "{}")
    return [[word.replace("{}", argument) for word in command] for argument in arguments]
