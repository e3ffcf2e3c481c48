"""Chooses the certificate authorities that are trusted: the system's, and those named by user or environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from hythe.client.reaching import answering
from hythe.errors import ConnectionFailed

if TYPE_CHECKING:
    import ssl

_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


class Trust(Struct, frozen=True, kw_only=True):
    """Whom to trust, as data."""

    verify: bool = True
    ca: str | None = None
    """File with further certificates, for every host."""
    loopback_ca: str | None = None
    """File with further certificates, for hosts on this machine only."""
    only: bool = False
    """Whether on this machine nobody else than ``loopback_ca`` is trusted: the system's take their time to read."""

    @classmethod
    def of(cls, ca: str | os.PathLike[str] | bool | None, loopback_ca: str | None = None) -> Trust:
        """Read what a caller gave as ``ca=``: a path, True or None for the usual, False for no check at all."""
        if isinstance(ca, bool) or ca is None:
            return cls(verify=ca is not False, loopback_ca=loopback_ca)
        return cls(ca=os.fspath(ca), loopback_ca=loopback_ca)

    def of_this_machine(self) -> ssl.SSLContext:
        """Make a context for hosts on this machine.  Raises `ConnectionFailed`."""
        import ssl

        if not (self.only and self.loopback_ca):
            return self.extend(ssl.create_default_context(), loopback=True)
        with answering(self.loopback_ca):
            return ssl.create_default_context(cafile=self.loopback_ca)

    def extend(self, context: ssl.SSLContext, *, loopback: bool) -> ssl.SSLContext:
        """Add to a context that already trusts the system's authorities."""
        import ssl

        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            return context
        named = [("ca", self.ca), *((name, os.environ.get(name)) for name in _VARIABLES)]
        if loopback:
            named.append(("the file beside the auth file", self.loopback_ca))
        for path, source in {path: source for source, path in named if path}.items():
            _load(context, source, path)
        return context


def _load(context: ssl.SSLContext, source: str, path: str) -> None:
    import ssl

    try:
        if Path(path).is_dir():
            context.load_verify_locations(capath=path)
        else:
            context.load_verify_locations(cafile=path)
    except (OSError, ssl.SSLError) as why:
        raise ConnectionFailed(
            f"cannot trust {path!r}, named by {source}: {why}. Give a file of PEM certificates.", reason="untrusted"
        ) from why
