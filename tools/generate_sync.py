"""Generate the synchronous clients and their tests from the asynchronous ones; with ``--check``, only compare.

The tool that translates, unasyncd, needs an older rich than Hythe has, so it lives in an environment of its own,
made here on first use.  What it can't translate is written twice, by hand, in the files named in ``PAIRS``.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / "tools/unasyncd.toml"
UNASYNCD = "unasyncd==0.10.1"
ENVIRONMENT = ROOT / ".cache/unasyncd-venv"
FOLDERS = [("src/hythe/client/_async", "src/hythe/client/_sync"), ("tests/client/_async", "tests/client/_sync")]
PAIRS = {"__init__.py", "_io.py", "subject.py"}
STYLE = ["--isolated", "--line-length=120", "--target-version=py311"]
IMPORTS = ["--select=I,F401", "--config=lint.isort.known-first-party=['hythe']"]


def translator() -> Path:
    """Return the path of unasyncd, after installing it if need be."""
    program = ENVIRONMENT / "bin/unasyncd"
    stamp = ENVIRONMENT / "installed"
    if not program.exists() or not stamp.exists() or stamp.read_text() != UNASYNCD:
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        venv.create(ENVIRONMENT, with_pip=True)
        subprocess.run([ENVIRONMENT / "bin/python", "-m", "pip", "install", "--quiet", UNASYNCD], check=True)
        (ENVIRONMENT.parent / ".gitignore").write_text("*\n")
        stamp.write_text(UNASYNCD)
    return program


def generate(out: Path) -> dict[Path, str]:
    """Write all generated files below ``out``, and give their texts by their paths in the project."""
    made: dict[Path, Path] = {}
    pairs: list[str] = []
    for source, target in FOLDERS:
        for path in sorted((ROOT / source).glob("*.py")):
            if path.name not in PAIRS:
                copy = out / target / path.name
                copy.parent.mkdir(parents=True, exist_ok=True)
                pairs.append(f"{path.relative_to(ROOT)}:{copy}")
                made[Path(target) / path.name] = copy
    # it exits with 1 when it wrote something as well as when it could not, so the files themselves are looked at
    run = subprocess.run(
        [translator(), "--quiet", "--config", CONFIG, *pairs], cwd=ROOT, check=False, capture_output=True, text=True
    )
    if missing := [str(path) for path, copy in made.items() if not copy.exists()]:
        raise SystemExit(f"cannot generate {', '.join(missing)}: {run.stdout}{run.stderr}")
    for pair in pairs:
        source, _, copy_name = pair.partition(":")
        copy = Path(copy_name)
        banner = f"# Generated from {source} by tools/generate_sync.py: change that file, not this one.\n"
        copy.write_text(banner + copy.read_text())
    ruff = [sys.executable, "-m", "ruff"]
    files = [str(path) for path in made.values()]
    subprocess.run([*ruff, "check", "--quiet", "--fix", *STYLE, *IMPORTS, *files], check=True)
    subprocess.run([*ruff, "format", "--quiet", *STYLE, *files], check=True)
    return {path: copy.read_text() for path, copy in made.items()}


def stale(texts: dict[Path, str]) -> list[Path]:
    """List the generated files that are missing, different, or left over."""
    wrong = [path for path, text in texts.items() if not (ROOT / path).exists() or (ROOT / path).read_text() != text]
    for _, target in FOLDERS:
        for path in sorted((ROOT / target).glob("*.py")):
            if path.name not in PAIRS and path.relative_to(ROOT) not in texts:
                wrong.append(path.relative_to(ROOT))
    return wrong


def main() -> int:
    """Generate or check; 1 if a committed file is out of date."""
    with tempfile.TemporaryDirectory() as folder:
        texts = generate(Path(folder))
    wrong = stale(texts)
    if "--check" in sys.argv[1:]:
        for path in wrong:
            print(f"out of date: {path}")
        if wrong:
            print("run python tools/generate_sync.py")
        return bool(wrong)
    for path in wrong:
        if path in texts:
            (ROOT / path).write_text(texts[path])
        else:
            (ROOT / path).unlink()
        print(f"wrote {path}" if path in texts else f"removed {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
