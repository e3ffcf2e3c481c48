"""Generate the Python modules of the .proto files; with ``--check``, only tell whether they are up to date."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "src/hythe/engines/containerd/proto"


def generate(out: Path) -> None:
    """Write the modules and their type stubs below ``out``."""
    command = [
        sys.executable, "-m", "grpc_tools.protoc", f"-I{FOLDER}", f"--python_out={out}", f"--pyi_out={out}",
        *(str(path) for path in sorted(FOLDER.glob("*.proto"))),
    ]  # fmt: skip
    subprocess.run(command, check=True)


def main() -> int:
    """Generate or check; 1 if a committed file is out of date."""
    if "--check" not in sys.argv[1:]:
        generate(FOLDER)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        stale = [path.name for path in Path(folder).iterdir() if path.read_bytes() != (FOLDER / path.name).read_bytes()]
    if stale:
        print(f"out of date: {', '.join(stale)}; run python tools/generate_proto.py")
    return bool(stale)


if __name__ == "__main__":
    sys.exit(main())
