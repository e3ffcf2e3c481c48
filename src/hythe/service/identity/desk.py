"""Puts the parts of identity together: what the rest of the service asks who somebody is and what they may."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..call import Caller
from ..store import SqlStore
from . import tls
from .authfile import readdress_auth_file, sdk_auth, write_auth_file
from .authority import Authority, application, owns
from .bundle import bundle
from .issuer import Issuer, signing_key
from .principals import Principals

AZURE_NAMES = (
    "management.azure.com", "login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net",
)  # fmt: skip
"""Azure's own hosts, which `hythe run-with` leads here."""
_LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")
_OWNER = "owner"


class Identity:
    """Who may ask, and with which names this service answers."""

    def __init__(self, data_dir: Path, store: SqlStore, *, tenant: str, names: Sequence[str]) -> None:
        self._data_dir = data_dir
        self._store = store
        self._tenant = tenant
        self._names = frozenset(name.lower() for name in (*_LOCAL_NAMES, *AZURE_NAMES, *names))
        files = tls.server_files(data_dir, names)
        self.certificate, self.certificate_key = files.certfile, files.keyfile
        bundle(data_dir)
        self.certificate_for = tls.Certificates(data_dir).context
        self._principals = Principals(store)
        issuer = Issuer(signing_key(data_dir), tenant)
        self.verify = issuer.verify
        self.authority = application(Authority(self._principals, issuer, self.answers_for))
        self.is_authority_path = owns

    # --- names ---

    def answers_for(self, host: str) -> bool:
        """Tell whether a Host header names this service."""
        name = host.lower()
        if not name.endswith("]"):
            name = name.rpartition(":")[0] if ":" in name else name
        return name in self._names or name.endswith(".localhost")

    # --- principals ---

    def first_principal(self, url: str, subscription: str) -> None:
        """Make the owner on first start; its secret stands in the auth file of the data dir and nowhere else."""
        if self._store.fact(_OWNER) is not None:
            readdress_auth_file(self._data_dir, url)
            return
        principal, secret = self._principals.create("hythe-owner", self._tenant)
        document = sdk_auth(
            client_id=principal.app_id, client_secret=secret, subscription=subscription, tenant=self._tenant, url=url
        )
        write_auth_file(self._data_dir, document)
        self._store.add_fact(_OWNER, principal.app_id)

    def new_principal(self, display_name: str, subscription: str, url: str) -> bytes:
        """Make a principal and give its auth file: the only time that its secret is shown."""
        principal, secret = self._principals.create(display_name, self._tenant)
        return sdk_auth(
            client_id=principal.app_id, client_secret=secret, subscription=subscription, tenant=self._tenant, url=url
        )

    def may(self, caller: Caller, action: str, scope: str) -> bool:
        """Tell whether a caller may do something: everybody who can sign in uses the API, the owner does the rest."""
        return not action.startswith("Hythe/") or caller.app_id == self._store.fact(_OWNER)

    def intercept(self) -> dict[str, object]:
        """Make a certificate for Azure's names that lasts for one run of `hythe run-with`."""
        made = tls.intercept_certificate(AZURE_NAMES)
        return {
            "names": list(AZURE_NAMES),
            "certificate": made.certificate_pem,
            "key": made.key_pem,
            "ca": made.ca_pem,
        }
