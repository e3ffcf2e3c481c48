"""Write the page that says which clients do what against Hythe, from the newest file that `make test-clients` wrote.

With ``--check`` only compare with the page that is there.  Ends with 1 if the page is old, or if the tests pin another
version of a client than was tried.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from environments import ROOT, pinned

RESULTS = ROOT / "docs" / "reference" / "clients"
PAGE = ROOT / "docs" / "reference" / "clients.md"
PINS = ROOT / "tests" / "real" / "clients"
TOOLS = ROOT / "tests" / "real" / "tools" / "pins"
PYTHON, JAVASCRIPT = "azure-mgmt-containerinstance", "@azure/arm-containerinstance"
LIBRARIES = [
    *((PYTHON, pinned(PINS / pins, PYTHON)) for pins in
      ("old.txt", "7.0.0.txt", "9.2.0.txt", "current.txt", "10.2.0b2.txt")),
    (JAVASCRIPT, pinned(PINS / "js", JAVASCRIPT)),
]  # fmt: skip
OTHERS = [
    (package, pinned(TOOLS / pins, package))
    for package, pins in (
        ("azure-cli", "azure-cli.txt"),
        ("prefect-azure", "prefect.txt"),
        ("apache-airflow-providers-microsoft-azure", "airflow.txt"),
        ("c7n-azure", "c7n.txt"),
        ("ansible", "ansible.txt"),
    )
]

Client = tuple[str, str]
Results = dict[Client, dict[str, str]]


def read(path: Path) -> tuple[str, Results, list[str]]:
    """Give the day of a result file, what each client did in each version, and the tests that failed."""
    said: dict[str, Any] = json.loads(path.read_bytes())
    results: Results = {}
    for each in said["proved"]:
        results.setdefault((each["client"], each["version"]), {})[each["operation"]] = each["result"]
    return said["date"], results, said["failed"]


def page(day: str, results: Results, failed: list[str]) -> str:
    """Write the page."""
    lines = [
        "# Clients that are tried with Hythe",
        "",
        "Each client is installed unmodified in an environment of its own and used against a running service with real "
        "containers; the tests look at what came of each operation. `make test-clients` tries all of them and writes "
        f"a file for the day; this page was made from that of **{day}** by `python tools/client_table.py`. "
        "`make test` tries the libraries too.",
        "",
    ]
    lines += ["## Failed", "", *(f"- `{each}`" for each in failed), ""] if failed else []
    names = [f"{client} {version}" for client, version in LIBRARIES]
    lines += ["## Libraries", "", "Those for Python are tried synchronously and, but for 1.4.1, which has no such "
              "client, asynchronously. Empty: not in this version, or not tried.", "",
              f"| operation | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]  # fmt: skip
    for operation in sorted({each for client in LIBRARIES for each in results.get(client, {})}):
        cells = [results.get(client, {}).get(operation, "") for client in LIBRARIES]
        lines.append(f"| {operation} | {' | '.join(cells)} |")
    for client in OTHERS:
        lines += ["", f"## {client[0]} {client[1]}", "", "| operation | |", "|---|---|"]
        lines += [f"| {operation} | {result} |" for operation, result in sorted(results.get(client, {}).items())]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the page, or check it."""
    check = "--check" in sys.argv[1:]
    newest = max(RESULTS.glob("*.json"), default=None)
    if newest is None:
        print("cannot write the table of clients: none was tried. Run make test-clients")
        return 1
    day, results, failed = read(newest)
    if untried := [f"{client} {version}" for client, version in LIBRARIES + OTHERS if (client, version) not in results]:
        print(f"not tried in {newest.relative_to(ROOT)}: {', '.join(untried)}. Run make test-clients")
        return 1
    text = page(day, results, failed)
    if PAGE.exists() and PAGE.read_text() == text:
        return 0
    if check:
        print(f"out of date: {PAGE.relative_to(ROOT)}: run python tools/client_table.py")
        return 1
    PAGE.write_text(text)
    print(f"wrote {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
