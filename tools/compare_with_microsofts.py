"""Compare Hythe's library with Microsoft's packages, name by name and parameter by parameter, and write the docs page.

With ``--check`` only compare with the page that is there.  Ends with 1 if something is missing, or the page is old.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from environments import ROOT, environment

PAGE = ROOT / "docs" / "reference" / "coverage-of-microsofts-package.md"
DESCRIBE = ROOT / "tools" / "describe_package.py"
PACKAGES = {
    "1.4.1": ROOT / "tests/real/clients/old.txt",
    "10.1.0": ROOT / "tests/real/clients/current.txt",
    "10.2.0b1": ROOT / "tools/microsofts/10.2.0b1.txt",
    "10.2.0b2": ROOT / "tests/real/clients/10.2.0b2.txt",
}
GONE = {
    "ContainerGroupPaged": "1.x's class of lists, which no later package has: every list is a `Pager`",
    "config": "of clients and groups of operations: the settings of 1.x's HTTP library, which no later package shows",
    "client(credentials=)": "1.x's name of `credential`, which comes first under either name",
    "operations(client, config, serializer, deserializer)": "how clients make their groups of operations: `DO NOT "
    "instantiate this class directly`, their documentation says. `hythe.operations` has the classes, for annotations",
}
"""What is left out on purpose, with the reason."""

BY_NAME = {
    "container_groups.update(location)", "container_groups.update(tags)", "containers.execute_command(command)",
    "container.execute_command(command)", "containers.execute_command(terminal_size)",
}  # fmt: skip
"""What 1.x takes by place too, and ours by name only: newer packages have something else at that place."""

Described = dict[str, Any]


def describe(python: Path | str, package: str) -> Described:
    """Have a package described in its own environment."""
    done = subprocess.run([python, DESCRIBE, package], check=True, capture_output=True, text=True)
    described: Described = json.loads(done.stdout)
    return described


def options() -> set[str]:
    """Name what every call takes as ``**options``."""
    from hythe.client.options import BeginOptions

    return set(BeginOptions.__annotations__)


def missing_parameters(theirs: Described, ours: Described, where: str) -> list[str]:
    """Compare one operation: each parameter of theirs, at the same place if it has one."""
    wrong = []
    mine = {name: (index, kind) for index, (name, kind, _) in enumerate(ours["parameters"])}
    takes_options = any(kind == "VAR_KEYWORD" for _, kind, _ in ours["parameters"])
    known = options()
    for index, (name, kind, _) in enumerate(theirs["parameters"]):
        if kind in ("VAR_KEYWORD", "VAR_POSITIONAL"):
            continue
        if name not in mine:
            if not (takes_options and name in known):
                wrong.append(f"{where}({name})")
        elif kind == "POSITIONAL_OR_KEYWORD" and mine[name] != (index, kind) and f"{where}({name})" not in BY_NAME:
            wrong.append(f"{where}({name}): at another place")
    required = [name for name, kind, default in ours["parameters"] if not default and not kind.startswith("VAR")]
    named = {name for name, _, _ in theirs["parameters"]}
    wrong += [f"{where}: asks for {name}, which theirs does not have" for name in required if name not in named]
    wrong += [f"{where}({name}=)" for name in theirs["keywords"] if name not in known and name not in mine]
    if theirs["async"] != ours["async"]:
        wrong.append(f"{where}: await differs")
    return wrong


def missing_operations(theirs: Described, ours: Described, where: str) -> list[str]:
    """Compare the operations of a client."""
    wrong = []
    for group, methods in theirs["groups"].items():
        for method, described in methods.items():
            mine = ours["groups"].get(group, {}).get(method)
            name = f"{where}{group}.{method}"
            wrong += missing_parameters(described, mine, name) if mine else [name]
    wrong += [f"{where}{method}" for method in theirs["methods"] if method not in ours["methods"]]
    wrong += [f"{where}operations.{name}" for name in theirs["classes"] if name not in ours["classes"]]
    for holder, names in theirs["attributes"].items():
        mine = ours["attributes"].get(holder, [])
        wrong += [f"{where}{'.'.join(filter(None, ('client', holder, name)))}" for name in names if name not in mine]
    return wrong + missing_of_client(theirs["constructor"], ours["constructor"], where)


def missing_of_client(theirs: Described, ours: Described, where: str) -> list[str]:
    """Compare the constructors of two clients."""
    mine = {name: (index, kind, default) for index, (name, kind, default) in enumerate(ours["parameters"])}
    wrong = []
    for index, (name, kind, default) in enumerate(theirs["parameters"]):
        if kind.startswith("VAR") or f"client({name}=)" in GONE:
            continue
        if name not in mine or (default and not mine[name][2]) or (kind != "KEYWORD_ONLY" and mine[name][0] != index):
            wrong.append(f"{where}client({name})")
    wrong += [f"{where}client({name}=)" for name in theirs["keywords"] if name not in mine]
    required = sum(not default for _, _, default in theirs["parameters"] if not _.startswith("VAR"))
    if sum(not default for _, _, default in ours["parameters"]) > required:
        wrong.append(f"{where}client: asks for more")
    return wrong


def missing_constructors(name: str, theirs: list[Any], ours: list[Any]) -> list[str]:
    """Compare the ways to make a model: what theirs take ours take, and what theirs do not ask for ours do not."""
    mine = {parameter: default for way in ours for parameter, _, default in way}
    takes_mapping = any(kind == "POSITIONAL_OR_KEYWORD" for way in ours for _, kind, _ in way)
    wrong = []
    for way in theirs:
        if any(kind == "POSITIONAL_OR_KEYWORD" for _, kind, _ in way):
            wrong += [] if takes_mapping else [f"{name}(mapping)"]
            continue
        given = {parameter for parameter, kind, _ in way if not kind.startswith("VAR")}
        optional = {parameter for parameter, kind, default in way if default}
        if not any(kind == "VAR_POSITIONAL" for _, kind, _ in way):
            asked = {parameter for parameter, default in mine.items() if not default} - {"mapping"}
            wrong += [f"{name}({each}=)" for each in sorted(given - mine.keys())]
            wrong += [f"{name}({each}=): is asked for" for each in sorted(asked & optional | asked - given)]
    return wrong


def missing_models(theirs: Described, ours: Described) -> list[str]:
    """Compare models and enums."""
    wrong = []
    for name, described in theirs.items():
        mine = ours.get(name)
        if mine is None:
            wrong.append(name)
        elif "enum" in described:
            wrong += [
                f"{name}.{key}" for key, value in described["enum"].items() if mine.get("enum", {}).get(key) != value
            ]
        else:
            wrong += [f"{name}.{key}" for key in described["members"] if key not in mine["members"]]
            wrong += missing_constructors(name, described["constructors"], mine["constructors"])
    return wrong


def compare(ours: Described, theirs: Described) -> list[str]:
    """Name all that a package of Microsoft's has and ours has not."""
    wrong = missing_operations(theirs["sync"], ours["sync"], "") + missing_models(theirs["models"], ours["models"])
    if theirs["async"]:
        wrong += missing_operations(theirs["async"], ours["async"], "aio: ")
    return [name for name in wrong if name not in GONE and not name.endswith(".config")]


def signature(described: Described) -> str:
    """Write parameters as one reads them."""
    shown, bare = [], False
    for name, kind, default in described["parameters"]:
        if kind == "KEYWORD_ONLY" and not bare:
            shown.append("*")
            bare = True
        shown.append(
            {"VAR_KEYWORD": f"**{name}", "VAR_POSITIONAL": f"*{name}"}.get(kind, name + ("=" if default else ""))
        )
    return f"({', '.join(shown)})"


def page(ours: Described, theirs: dict[str, Described]) -> str:
    """Write the page."""
    lines = [
        "# What Hythe's library has of Microsoft's package",
        "",
        "Made by `python tools/compare_with_microsofts.py`, which imports azure-mgmt-containerinstance "
        f"{', '.join(theirs)} and Hythe and compares every name and every parameter, sync and async: operations, what "
        "makes clients and models, public attributes, classes of operations, models, enums. "
        "A test does the same. `x` marks the packages that have an operation under this name.",
        "",
        "Every operation also takes `headers`, `params`, `timeout`, `connection_timeout`, `read_timeout`, "
        "`api_version`, `retry_total`, `raw_response_hook` and `cls`; those that begin something also `polling`, "
        "`polling_interval`, `continuation_token` and `deadline`.",
        "",
        "## Operations",
        "",
        f"| operation of `client` | {' | '.join(theirs)} |",
        f"|---|{'---|' * len(theirs)}",
    ]
    for group, methods in sorted(ours["sync"]["groups"].items()):
        for method, described in sorted(methods.items()):
            marks = [" x " if method in each["sync"]["groups"].get(group, {}) else "  " for each in theirs.values()]
            lines.append(f"| `{group}.{method}{signature(described)}` |{'|'.join(marks)}|")
    lines += ["", "## Models", "", f"| model | members | {' | '.join(theirs)} |", f"|---|---|{'---|' * len(theirs)}"]
    for name in sorted({name for each in theirs.values() for name in each["models"]} & set(ours["models"])):
        holders = [each["models"][name] for each in theirs.values() if name in each["models"]]
        known = sorted({key for held in holders for key in held.get("members", held.get("enum", ()))})
        marks = [" x " if name in each["models"] else "  " for each in theirs.values()]
        lines.append(f"| `{name}` | {', '.join(known)} |{'|'.join(marks)}|")
    lines += ["", "## Left out", ""]
    lines += [f"- `{name}`: {why}." for name, why in GONE.items()]
    lines += ["", "By name only, where 1.x takes it by its place too, at which newer packages have something else:", ""]
    lines += [f"- `{name}`" for name in sorted(BY_NAME)]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Compare, and write or check the page."""
    ours = describe(sys.executable, "hythe")
    theirs = {
        version: describe(environment(pins), "azure.mgmt.containerinstance") for version, pins in PACKAGES.items()
    }
    code = 0
    for version, described in theirs.items():
        for name in compare(ours, described):
            print(f"missing of {version}: {name}")
            code = 1
    text = page(ours, theirs)
    if PAGE.exists() and PAGE.read_text() == text:
        return code
    if "--check" in sys.argv[1:]:
        print(f"out of date: {PAGE.relative_to(ROOT)}: run python tools/compare_with_microsofts.py")
        return 1
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(text)
    print(f"wrote {PAGE.relative_to(ROOT)}")
    return code


if __name__ == "__main__":
    sys.exit(main())
