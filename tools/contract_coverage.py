"""Write the page that says how each operation of Azure's contract is answered, which tests prove it, and who used it.

Made from the table of routes, the marks ``proves`` of the tests (a test that is marked fails unless the operation was
answered well while it ran), and the newest file that `make test-clients` wrote.  With ``--check`` only compare with the
page that is there.  Ends with 1 if an operation has no route or no test, or if the page is old.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from client_table import LIBRARIES, PYTHON, RESULTS, Results, read
from environments import ROOT

from hythe.service.routes import ROUTES, Route

PAGE = ROOT / "docs" / "reference" / "coverage.md"
OPERATIONS = ROOT / "tools" / "operations.txt"
TESTS = ROOT / "tests"
_CONTRACT = "2026-07-01"


def operations() -> list[str]:
    """Name the operations of the contract."""
    return OPERATIONS.read_text().split()


def proofs() -> dict[str, list[tuple[Path, str]]]:
    """Give the tests, as file and function, that are marked to prove each operation."""
    found: dict[str, list[tuple[Path, str]]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        if "mark.proves" not in (text := path.read_text()):
            continue
        for function in ast.walk(ast.parse(text)):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for name in _proved(function):
                    found.setdefault(name, []).append((path.relative_to(ROOT), function.name))
    return found


def _proved(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """Give what the decorators of a function say that it proves; not of one that is to fail."""
    calls = [each for each in function.decorator_list if isinstance(each, ast.Call)]
    if any(ast.unparse(each.func) == "pytest.mark.xfail" for each in calls):
        return
    for each in calls:
        if ast.unparse(each.func) == "pytest.mark.proves":
            yield from (str(ast.literal_eval(word)) for word in each.args)


def _short(path: str) -> str:
    """Leave out what all paths have."""
    for long, short in (
        ("/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}", "RG"),
        ("/providers/Microsoft.ContainerInstance", "/CI"),
    ):
        path = path.replace(long, short)
    return path


def _request(route: Route) -> str:
    """Write how an operation is asked for, and with which right."""
    right = route.action or ("no token" if route.open else "any token")
    return f"`{route.method} {_short(route.path)}`<br>{right}"


def _sentence(function: str) -> str:
    """Write the name of a test as what it says."""
    return function.removeprefix("test_").replace("_", " ")


def _used(operation: str, results: Results) -> str:
    """Name the versions of the libraries that were seen to use an operation."""
    seen = [client for client in LIBRARIES if results.get(client, {}).get(operation) == "works"]
    return ", ".join(version if name == PYTHON else f"JS {version}" for name, version in seen)


def page(day: str, results: Results) -> str:
    """Write the page.  Raises `LookupError` for an operation without a route or without a proof."""
    routes = {route.name: route for route in ROUTES}
    proved = proofs()
    known = operations()
    if lacking := [each for each in known if each not in routes or each not in proved]:
        raise LookupError(f"no route or no test marked `proves`: {', '.join(lacking)}")
    lines = [
        "# Coverage of the contract",
        "",
        f"Azure's contract {_CONTRACT} has {len(known)} operations; Hythe answers each. This page is made by "
        "`python tools/contract_coverage.py` from the table of routes, from the tests, and from what clients did on "
        f"**{day}**, on real containers ([all of it](clients.md)).",
        "",
        "- *Proven by* names tests of `tests/service` that look at what came of the operation. They are marked with "
        "its name, and fail unless the service answered it well while they ran. `tests/contract` besides sends each "
        "example of the contract and checks the answers against its schemas.",
        "- *Used by* has versions of azure-mgmt-containerinstance, or of @azure/arm-containerinstance (JS).",
        "- In paths, `RG` stands for `/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}`, `CI` for "
        "`providers/Microsoft.ContainerInstance`.",
    ]
    for kind in sorted({name.partition("_")[0] for name in known}):
        lines += ["", f"## {kind}", "", "| operation | request, right | proven by | used by |", "|---|---|---|---|"]
        for name in (each for each in known if each.partition("_")[0] == kind):
            route = routes[name]
            tests = "<br>".join(f"`{path.stem}`: {_sentence(function)}" for path, function in proved[name])
            lines.append(f"| {name} | {_request(route)} | {tests} | {_used(name, results)} |")
    lines += _beyond(set(known))
    return "\n".join(lines) + "\n"


def _beyond(known: set[str]) -> list[str]:
    """List what is answered besides."""
    lines = [
        "",
        "## Beyond the contract",
        "",
        "What else is answered: the Resource Manager around container groups, and Hythe's own additions.",
        "",
        "| operation | request, right |",
        "|---|---|",
    ]
    for route in sorted(ROUTES, key=lambda each: (each.provider != "Microsoft.Resources", each.name)):
        if route.name not in known:
            lines.append(f"| {route.name} | {_request(route)} |")
    return lines


def main() -> int:
    """Write the page, or check it."""
    newest = max(RESULTS.glob("*.json"), default=None)
    if newest is None:
        print("cannot write the coverage: no client was tried. Run make test-clients")
        return 1
    day, results, _ = read(newest)
    try:
        text = page(day, results)
    except LookupError as error:
        print(f"cannot write the coverage: {error}")
        return 1
    if PAGE.exists() and PAGE.read_text() == text:
        return 0
    if "--check" in sys.argv[1:]:
        print(f"out of date: {PAGE.relative_to(ROOT)}: run python tools/contract_coverage.py")
        return 1
    PAGE.write_text(text)
    print(f"wrote {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
