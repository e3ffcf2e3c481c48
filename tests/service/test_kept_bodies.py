"""What is kept of resources, so that it need not be written again, goes with them."""

from __future__ import annotations

from hythe.service.answers import Bodies

from .harness import GROUPS, group, running


def kept(bodies: Bodies) -> int:
    """Give the bytes that are kept, by two counts that must agree."""
    size = sum(one.size for each in bodies._kept.values() for one in each.values())
    assert size == bodies._size
    return size


async def test_what_is_kept_of_a_group_goes_with_it() -> None:
    async with running() as service:
        await service.make_folder()
        bodies = service.api.resources._bodies
        before = kept(bodies)
        await service.ask("PUT", f"{GROUPS}/web", group())
        await service.ask("GET", f"{GROUPS}/web")
        await service.ask("GET", f"{GROUPS}/web", version="2018-10-01")
        held = kept(bodies)
        await service.ask("GET", f"{GROUPS}/web")
        assert kept(bodies) == held > before
        await service.ask("POST", f"{GROUPS}/web/stop")
        await service.ask("GET", f"{GROUPS}/web")
        assert kept(bodies) > before

        await service.ask("DELETE", f"{GROUPS}/web")

        assert kept(bodies) == before
