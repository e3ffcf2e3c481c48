"""Managed identities of groups: who they are, and which one a token is for."""

from __future__ import annotations

import pytest

from hythe.models import ContainerGroupIdentity, UserAssignedIdentities
from hythe.service.identity.managed import admitted, of_group, own, shown_identity
from hythe.service.identity.metadata import _chosen, _Refusal
from hythe.wire.faults import Fault

ONE, TWO = "/subscriptions/s/one", "/subscriptions/s/two"
KNOWN = {
    ONE: UserAssignedIdentities(principal_id="p1", client_id="c1"),
    TWO: UserAssignedIdentities(principal_id="p2", client_id="c2"),
}


def asked(kind: str, *ids: str) -> ContainerGroupIdentity | None:
    wanted = ContainerGroupIdentity(
        type=kind,
        principal_id="forged",
        user_assigned_identities={each: UserAssignedIdentities(client_id="forged") for each in ids} or None,
    )
    return admitted(wanted, "g", "tenant", KNOWN.get)


def test_a_group_of_another_uid_is_somebody_else() -> None:
    assert own("a") == own("a")
    assert len({own("a").client_id, own("a").object_id, own("b").client_id, own("b").object_id}) == 4


def test_ids_are_filled_in_and_never_taken_from_the_caller() -> None:
    both = asked("SystemAssigned, UserAssigned", ONE)

    assert both is not None and both.tenant_id == "tenant"
    shown = shown_identity(both, "uid")
    assert shown is not None and shown.principal_id == own("uid").object_id
    assert shown.user_assigned_identities == {ONE: KNOWN[ONE]}
    assert asked("None") is None


@pytest.mark.parametrize(("kind", "ids"), [("UserAssigned", ()), ("UserAssigned", ("/x",)), ("Mine", ())])
def test_what_is_not_there_is_refused(kind: str, ids: tuple[str, ...]) -> None:
    with pytest.raises(Fault) as refused:
        asked(kind, *ids)
    assert refused.value.code == "InvalidIdentity"


@pytest.mark.parametrize(
    ("kind", "ids", "query", "client"),
    [
        ("SystemAssigned", (), {}, own("u").client_id),
        ("SystemAssigned, UserAssigned", (ONE,), {}, own("u").client_id),
        ("SystemAssigned, UserAssigned", (ONE,), {"client_id": "C1"}, "c1"),
        ("UserAssigned", (ONE,), {}, "c1"),
        ("UserAssigned", (ONE, TWO), {"mi_res_id": TWO.upper()}, "c2"),
        ("UserAssigned", (ONE, TWO), {"object_id": "p1"}, "c1"),
        ("UserAssigned", (ONE, TWO), {}, 400),
        ("UserAssigned", (ONE,), {"client_id": "c2"}, 400),
        ("None", (), {}, 404),
    ],
)
def test_which_identity_a_token_is_for(
    kind: str, ids: tuple[str, ...], query: dict[str, str], client: str | int
) -> None:
    identities = of_group(asked(kind, *ids), "u")

    if isinstance(client, str):
        assert _chosen(query, identities).client_id == client
    else:
        with pytest.raises(_Refusal) as refused:
            _chosen(query, identities)
        assert refused.value.status == client
