"""What name servers a group may ask for.  Pure.

Azure takes them only together with a subnet; here every group may have them, for they work in each.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from ....models import ContainerGroup
from ....wire.faults import Detail

_MOST_SERVERS, _MOST_DOMAINS, _MOST_LETTERS = 3, 32, 2048
_DOMAIN = re.compile(r"\.|([A-Za-z0-9_]([-A-Za-z0-9_]{0,62}))(\.[A-Za-z0-9_][-A-Za-z0-9_]{0,62})*\.?")
_OPTION = re.compile(r"[A-Za-z0-9-]+(:[0-9]+)?")


def resolving_problems(group: ContainerGroup, name: str) -> Iterator[Detail]:
    """Check ``dnsConfig``: what the resolver of a C library takes."""
    asked = group.dns_config
    if asked is None:
        return
    for word, wrong in (
        ("nameServers", _wrong_servers(asked.name_servers)),
        ("searchDomains", _wrong_words(asked.search_domains, _DOMAIN, "search domain")),
        ("options", _wrong_words(asked.options, _OPTION, "option")),
    ):
        if wrong:
            yield Detail(
                code="InvalidDnsConfig",
                message=f"The 'dnsConfig' of container group '{name}' is invalid. {wrong}",
                target=f"properties.dnsConfig.{word}",
            )


def _wrong_servers(servers: list[str]) -> str | None:
    if not 1 <= len(servers) <= _MOST_SERVERS:
        return f"There must be between 1 and {_MOST_SERVERS} name servers."
    for server in servers:
        try:
            ipaddress.ip_address(server)
        except ValueError:
            return f"The name server '{server}' is no IP address."
    return None


def _wrong_words(text: str | None, form: re.Pattern[str], what: str) -> str | None:
    words = (text or "").split()
    if len(words) > _MOST_DOMAINS or len(text or "") > _MOST_LETTERS:
        return f"There can be at most {_MOST_DOMAINS} of each kind, of {_MOST_LETTERS} letters together."
    wrong = [word for word in words if not form.fullmatch(word)]
    return f"'{wrong[0]}' is no {what}." if wrong else None
