"""Never listens in the machine's own network instead of a group's."""

from __future__ import annotations

import os

import pytest

from hythe.engines.base import Transient
from hythe.engines.containerd import inside


async def test_a_process_of_the_machine_itself_is_not_entered() -> None:
    with pytest.raises(Transient, match="its process is gone"):
        await inside.listen(os.getpid(), "169.254.169.254", 80)


async def test_a_process_that_is_gone_is_said() -> None:
    with pytest.raises(Transient, match="cannot listen on"):
        await inside.listen(2**22 + 1, "169.254.169.254", 80)
