"""Tests how things are shown: colours, progress, words of options, completion, speed."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from hythe.cli import main, output
from hythe.cli.asking import Asking, asks
from hythe.cli.many import Bare, Many
from hythe.cli.progress import EventsTold, step
from hythe.models import ContainerGroup
from hythe.testing import Outcome, Scripted, running_service

from .conftest import HYTHE, Service, clean_environment, run

Hythe = Callable[..., Result]


def on_terminal(*command: str, **environment: str) -> str:
    """Run a program on a terminal and give what that shows."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs,
        env=clean_environment() | {"TERM": "xterm-256color", "COLUMNS": "200"} | environment,
    ) as program:  # fmt: skip
        os.close(theirs)
        said = b""
        try:
            while block := os.read(ours, 1 << 16):
                said += block
        except OSError:  # what a terminal gives when its program has ended
            pass
        assert program.wait(30) == 0, said
    os.close(ours)
    return said.decode()


def test_a_terminal_gets_a_table_with_colours_unless_no_color_is_set(service: Service, hythe: Hythe) -> None:
    name = hythe("run", "-d", "nginx").stdout.strip()
    show = [*HYTHE, "container", "show", name]
    home = str(service.data_dir)

    coloured = on_terminal(*show, HYTHE_HOME=home)
    plain = on_terminal(*show, HYTHE_HOME=home, NO_COLOR="1")

    assert "\x1b[32mRunning" in coloured and "Name" in coloured
    assert "\x1b" not in plain and "Running" in plain
    assert "rich" not in run(
        sys.executable, "-c", "import sys, hythe.cli as c; c.main(['ls'], standalone_mode=False); print(*sys.modules)",
        HYTHE_HOME=home,
    ).stdout.split()  # fmt: skip


def test_a_table_aligns_and_keeps_a_row_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    output.table([{"Name": "a", "Text": "one\ntwo"}, {"Name": "long", "Text": None}])
    output.table([])

    assert capsys.readouterr().out == "Name  Text\na     one two\nlong\n"


def test_progress_is_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with step("wait") as say:
        say("pulling")
        say("pulling")
        say("started")

    assert capsys.readouterr() == ("", "pulling\nstarted\n")


def test_progress_is_one_line_that_changes_on_a_terminal() -> None:
    program = """
import time
from hythe.cli.progress import step
with step("start web") as say:
    say("[1/2] pulling")
    time.sleep(0.2)
print("done")
"""
    said = on_terminal(sys.executable, "-c", program)

    assert "start web: [1/2] pulling" in said and said.rstrip().endswith("done")
    assert "\x1b[2K" in said  # the line is taken away again


def test_an_event_is_told_once_and_again_when_it_happened_again() -> None:
    def group(count: int) -> ContainerGroup:
        event = {"name": "Pulling", "message": "m", "count": count, "firstTimestamp": "2026-01-01T00:00:00Z"}
        view = {"currentState": {"state": "Waiting"}, "events": [event]}
        return ContainerGroup.from_dict({
            "properties": {"containers": [{"name": "c", "properties": {"image": "i", "instanceView": view}}]}
        })  # fmt: skip

    told = EventsTold()

    assert [name for name, _ in told.new(group(1))] == ["c"]
    assert told.new(group(1)) == []
    assert [event.count for _, event in told.new(group(2))] == [2]


def test_options_take_several_words_up_to_the_next_option() -> None:
    @click.command(cls=Many)
    @click.option("--ports", multiple=True, type=int)
    @click.option("--name")
    @click.argument("rest", nargs=-1)
    def probe(ports: tuple[int, ...], name: str, rest: tuple[str, ...]) -> None:
        click.echo(f"{ports} {name} {rest}")

    def said(*words: str) -> str:
        return CliRunner().invoke(probe, list(words)).output.strip()

    assert said("--ports", "80", "443", "--name", "x") == "(80, 443) x ()"
    assert said("--name", "x", "y", "--ports", "80", "--ports", "81", "--", "z") == "(80, 81) x ('y', 'z')"
    assert said("a", "--ports", "1") == "(1,) None ('a',)"
    assert "requires an argument" in said("--ports")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("--assign", ("[system]",)),
        ("--assign --name x", ("[system]",)),
        ("--assign a b", ("a", "b")),
        ("--assign --assign a", ("[system]", "a")),
        ("--assign -- --name", ("[system]",)),
        ("--name --assign", ()),
    ],
)
def test_an_option_that_may_stand_alone_has_its_word_then(words: str, expected: tuple[str, ...]) -> None:
    @click.command(cls=Many)
    @click.option("--assign", cls=Bare, alone="[system]", multiple=True)
    @click.option("--name")
    @click.argument("rest", nargs=-1)
    def probe(assign: tuple[str, ...], name: str, rest: tuple[str, ...]) -> None:
        click.echo(repr(assign))

    assert CliRunner().invoke(probe, words.split()).output.strip() == repr(expected)


def test_the_forms_with_a_c_have_colours_where_colours_are_wanted(service: Service, hythe: Hythe) -> None:
    name = hythe("run", "-d", "nginx").stdout.strip()
    home = str(service.data_dir)
    show = [*HYTHE, "container", "show", name, "-o"]

    plain = {form: hythe("container", "show", name, "-o", form).stdout for form in ("json", "jsonc", "yaml", "yamlc")}
    assert plain["jsonc"] == plain["json"] and plain["yamlc"] == plain["yaml"]
    for form in ("jsonc", "yamlc"):
        said = on_terminal(*show, form, HYTHE_HOME=home)
        assert "\x1b[" in said
        words = re.sub(r"\x1b\[[0-9;]*m", "", said).replace("\r", "")
        assert [line.rstrip() for line in words.splitlines()] == plain[form.removesuffix("c")].splitlines()
        assert "\x1b[" not in on_terminal(*show, form, HYTHE_HOME=home, NO_COLOR="1")


def test_only_errors_are_shown_if_nothing_else_is_wanted(capsys: pytest.CaptureFixture[str], hythe: Hythe) -> None:
    @click.command()
    @asks()
    def probe(ask: Asking) -> None:
        with step("wait") as say:
            say("pulling")

    assert CliRunner().invoke(probe, []).stderr == "pulling\n"
    assert CliRunner().invoke(probe, ["--only-show-errors"]).stderr == ""
    assert "cannot get" in hythe("show", "--only-show-errors", "not-there-at-all").stderr


def test_requests_are_told_if_they_are_asked_for(hythe: Hythe) -> None:
    name = hythe("run", "-d", "nginx").stdout.strip()

    plain, verbose = hythe("show", name), hythe("show", name, "--verbose")
    assert (verbose.stdout, plain.stderr) == (plain.stdout, "")
    assert re.search(
        rf"^[0-9:.]+ GET https://\S+/containerGroups/{name}\?api-version=\S+: 200 in ", verbose.stderr, re.M
    )
    assert "answered with" not in verbose.stderr

    debug = hythe("show", "not-there-at-all", "--debug")
    assert "answered with content-length: " in debug.stderr and "x-ms-request-id: " in debug.stderr
    assert "Traceback" in debug.stderr and "/containerGroups/not-there-at-all?" in debug.stderr
    assert "authorization" not in debug.stderr.lower() and "client_secret" not in debug.stderr
    assert debug.stderr.count("Error: cannot get") == 1

    both = hythe("show", name, "--verbose", "--debug").stderr
    assert len(re.findall(r"\?api-version=\S+: 200 in ", both)) == 1 and "answered with" in both
    assert "--output" in hythe("show", name, "--debug", "-o", "nonsense").stderr
    nowhere = hythe("ls", "--debug", env={"HYTHE_HOME": "/nowhere"}).stderr
    assert "Traceback" in nowhere and "Error: cannot find a service" in nowhere

    after = hythe("show", "not-there-at-all")
    assert "Traceback" not in after.stderr and "GET" not in after.stderr


def test_exec_has_the_size_that_is_asked_for() -> None:
    outcome = Outcome(exec={"ls": Scripted(out=b"bin\n")})
    with running_service({"nginx": outcome}) as place:
        home = {"HYTHE_HOME": str(place.data_dir)}
        name = run(*HYTHE, "run", "-d", "nginx", **home).stdout.strip()
        size = ("--terminal-row-size", "50", "--terminal-col-size", "132")
        done = run(*HYTHE, "container", "exec", "-t", *size, "--ids", f"hythe/{name}", "--exec-command", "ls", **home)

        assert (done.returncode, done.stdout.split()) == (0, ["bin"]), done.stderr
        found = place.processes[-1].size
        assert found is not None and (found.rows, found.columns) == (50, 132)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_names_commands_groups_and_containers(shell: str, service: Service, hythe: Hythe) -> None:
    name = hythe("run", "-d", "nginx").stdout.strip()

    def completed(words: str, incomplete: str) -> str:
        count = len(words.split()) + 1
        said = {
            "COMP_WORDS": f"hythe {words} {incomplete}", "COMP_CWORD": incomplete if shell == "fish" else str(count),
            "_HYTHE_COMPLETE": f"{shell}_complete", "HYTHE_HOME": str(service.data_dir),
        }  # fmt: skip
        program = [sys.executable, "-c", "from hythe.cli import main; main(prog_name='hythe')"]
        return run(*program, **said).stdout

    assert "_HYTHE_COMPLETE" in hythe("completion", shell).stdout
    assert "container" in completed("", "conta")
    assert name in completed("show", name[:6])
    assert name in completed(f"logs {name} -c", name[:6])
    assert f"hythe/{name}" in completed("show", f"hythe/{name[:6]}")
    assert "hythe" in completed("show -g", "hy")
    assert f"{name}:" in completed("cp", name[:6]) and f"{name}:" in completed("cp /tmp/x", name[:6])
    assert "file" in completed("cp", "/tmp/")
    assert "azure" in completed("ls --context", "az") and "local" in completed("context use", "lo")
    assert name not in completed("show", "zz")


def test_bash_itself_completes(service: Service, hythe: Hythe, tmp_path: Path) -> None:
    name = hythe("run", "-d", "nginx").stdout.strip()
    program = tmp_path / "hythe"
    program.write_text(f"#!{sys.executable}\nfrom hythe.cli import main\nmain()\n")
    program.chmod(0o755)
    script = f"""
        eval "$(hythe completion bash)"
        COMP_WORDS=(hythe logs {name[:6]}) COMP_CWORD=2
        "$(complete -p hythe | sed 's/.*-F \\([^ ]*\\) .*/\\1/')" hythe
        echo "${{COMPREPLY[@]}}"
    """

    done = run("bash", "-c", script, HYTHE_HOME=str(service.data_dir), PATH=f"{tmp_path}:{os.environ['PATH']}")

    assert name in done.stdout.split(), done.stderr


def test_completion_names_profiles_and_sets(service: Service, hythe: Hythe) -> None:
    profile = ("container", "container-group-profile")
    assert hythe(*profile, "create", "completed-p", "--image", "nginx").exit_code == 0
    assert hythe("ngroup", "create", "completed-s", "--profile", "completed-p", "--count", "1").exit_code == 0
    program = [sys.executable, "-c", "from hythe.cli import main; main(prog_name='hythe')"]
    said = [
        run(
            *program, _HYTHE_COMPLETE="bash_complete", COMP_WORDS=f"hythe {words} completed",
            COMP_CWORD=str(len(words.split()) + 1), HYTHE_HOME=str(service.data_dir),
        ).stdout
        for words in ("container container-group-profile show", "ngroup show -n")
    ]  # fmt: skip
    assert "completed-p" in said[0] and "completed-s" in said[1]
    assert hythe("ngroup", "delete", "-y", "completed-s").exit_code == 0
    assert hythe(*profile, "delete", "-y", "completed-p").exit_code == 0


def test_a_broken_off_command_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hythe.cli.context.connect", interrupt)

    assert CliRunner().invoke(main, ["ls"]).exit_code == 130


def test_colours_are_for_terminals_only() -> None:
    assert not output.coloured(io.StringIO())
