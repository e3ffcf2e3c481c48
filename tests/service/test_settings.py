"""Settings come from a file in the data dir; the command line wins."""

from __future__ import annotations

from pathlib import Path

import pytest

from hythe.service.settings import load


def test_file_and_command_line(tmp_path: Path) -> None:
    (tmp_path / "hythe.toml").write_text(
        '[service]\nport = 9000\nnames = ["aci.example"]\n[engine]\npool = 5\n[engine.containerd]\nruntime = "runc"\n'
    )

    settings = load(tmp_path, port=9001, engine="sim")

    assert settings.data_dir == tmp_path
    assert (settings.service.port, settings.service.names) == (9001, ("aci.example",))
    assert (settings.engine.name, settings.engine.pool, settings.engine.containerd.runtime) == ("sim", 5, "runc")
    assert load(tmp_path).service.port == 9000


def test_without_a_file_everything_has_a_default(tmp_path: Path) -> None:
    assert load(tmp_path).service.port == 8443


@pytest.mark.parametrize("text", ["[service]\nprot = 1\n", "[service]\nport = 'x'\n", "not toml", "data_dir = '/x'\n"])
def test_a_file_that_is_wrong_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "hythe.toml").write_text(text)

    with pytest.raises(ValueError, match=r"cannot read .*hythe\.toml"):
        load(tmp_path)
