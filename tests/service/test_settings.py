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


def test_shares_are_folders_that_lie_in_none_of_the_others(tmp_path: Path) -> None:
    (tmp_path / "hythe.toml").write_text(
        '[[shares]]\naccount = "acc"\nname = "data"\npath = "/srv/a"\nquota_gb = 2\n'
        '[[shares]]\naccount = "acc"\nname = "more"\npath = "/srv/b"\n'
    )

    one, other = load(tmp_path).shares

    assert (one.path, one.quota_gb, other.name, other.quota_gb) == ("/srv/a", 2, "more", 0)


@pytest.mark.parametrize("path", ["srv", "/srv/../etc", "/", "/srv/a/in", "/srv", "{data}", "{data}/x"])
def test_shares_where_a_container_could_plant_a_link_are_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / "hythe.toml").write_text(
        '[[shares]]\naccount = "acc"\nname = "data"\npath = "/srv/a"\n'
        f'[[shares]]\naccount = "acc"\nname = "more"\npath = "{path.format(data=tmp_path)}"\n'
    )

    with pytest.raises(ValueError, match="the share acc/"):
        load(tmp_path)
