"""Puts the parts of identity together: what the rest of the service asks who somebody is and what they may."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from starlette.types import ASGIApp

from ..call import Caller
from ..kinds.identities import assigned, by_client_id
from ..providers import REGIONS
from ..store import Principal, SqlStore
from . import tls
from .authfile import readdress_auth_file, sdk_auth, write_auth_file
from .authority import Authority, application, owns
from .bundle import bundle
from .host import HostEndpoint, endpoint_key
from .issuer import Issuer, signing_key
from .principals import Principals
from .rights import CONTRIBUTOR, OWNER, Rights, Role, grant

AZURE_NAMES = (
    "management.azure.com", "login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net",
    # the clouds of governments and of China
    "management.usgovcloudapi.net", "login.microsoftonline.us", "login-us.microsoftonline.com",
    "login.usgovcloudapi.net", "management.chinacloudapi.cn", "login.chinacloudapi.cn",
    "login.partner.microsoftonline.cn",
    # regions by themselves
    *(f"{region}.{host}" for host in ("management.azure.com", "login.microsoft.com") for region in REGIONS),
)  # fmt: skip
"""Azure's own hosts, which `hythe run-with` leads here."""
_HOST = re.compile(r"([a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])\.?(?::\d{1,5})?")
"""A name, perhaps with the dot that ends it, and a port."""
_LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")
_OWNER = "owner"
_RIGHTS = "rights"
"""Fact: roles are assigned.  Data dirs of before had none, and let every principal do everything."""


class Identity:
    """Who may ask, and with which names this service answers."""

    def __init__(
        self, data_dir: Path, store: SqlStore, *, tenant: str, names: Sequence[str], url: str = "https://localhost"
    ) -> None:
        self._data_dir = data_dir
        self._store = store
        self._tenant = tenant
        self._url = url
        self._names = frozenset(name.lower() for name in (*_LOCAL_NAMES, *AZURE_NAMES, *names))
        files = tls.server_files(data_dir, names)
        self.certificate: Path = files.certfile
        self.certificate_key: Path = files.keyfile
        bundle(data_dir)
        self.certificate_for: Callable[[str], ssl.SSLContext] = tls.Certificates(data_dir).context
        self._principals = Principals(store)
        issuer = self._issuer = Issuer(signing_key(data_dir), tenant)
        self.verify: Callable[[str], Caller] = issuer.verify
        self.authority: ASGIApp = application(Authority(self._principals, issuer, self.answers_for))
        self.is_authority_path: Callable[[str], bool] = owns
        self._rights = Rights(store)
        self.host: HostEndpoint = HostEndpoint(endpoint_key(data_dir), partial(by_client_id, store), self.managed_token)

    # --- names ---

    def answers_for(self, host: str) -> bool:
        """Tell whether a Host header names this service."""
        found = _HOST.fullmatch(host.lower())
        return found is not None and (found[1] in self._names or found[1].endswith(".localhost"))

    # --- principals ---

    def first_principal(self, url: str, subscription: str) -> None:
        """Make the owner on first start; its secret stands in the auth file of the data dir and nowhere else."""
        if self._store.fact(_OWNER) is not None:
            readdress_auth_file(self._data_dir, url)
            self._first_roles()
            return
        principal, secret = self._principals.create("hythe-owner", self._tenant)
        document = sdk_auth(
            client_id=principal.app_id, client_secret=secret, subscription=subscription, tenant=self._tenant, url=url
        )
        write_auth_file(self._data_dir, document)
        self._store.add_fact(_OWNER, principal.app_id)
        self._first_roles()

    def _first_roles(self) -> None:
        """Give everybody a role who had none when roles came: the owner's is Owner of the tenant."""
        if self._store.fact(_RIGHTS) is not None:
            return
        owner = self._store.fact(_OWNER)
        for principal in self._store.principals():
            if not self._rights.sees(principal.object_id, ""):
                grant(self._store, principal.object_id, OWNER if principal.app_id == owner else CONTRIBUTOR, "")
        self._store.add_fact(_RIGHTS, "assigned")

    def new_principal(
        self, display_name: str, subscription: str, url: str, role: Role | None, scopes: Sequence[str]
    ) -> bytes:
        """Make a principal with a role, or none, and give its auth file: the only time that its secret is shown."""
        principal, secret = self._principals.create(display_name, self._tenant)
        for scope in scopes if role else ():
            grant(self._store, principal.object_id, role or CONTRIBUTOR, scope)
        return sdk_auth(
            client_id=principal.app_id, client_secret=secret, subscription=subscription, tenant=self._tenant, url=url
        )

    def may(self, caller: Caller, action: str, scope: str) -> bool:
        """Tell whether a caller may do something over a scope, an id in lower case: the roles assigned to it decide.

        What begins with ``Hythe/`` is for the owner of the installation alone.
        """
        if action.startswith("Hythe/"):
            return caller.app_id == self._store.fact(_OWNER)
        return self._rights.may(caller.object_id, action, scope.rstrip("/").lower())

    def sees(self, caller: Caller, scope: str) -> bool:
        """Tell whether a caller has any role over a scope or over something in it."""
        return self._rights.sees(caller.object_id, scope.rstrip("/").lower())

    def managed_token(self, client_id: str, object_id: str, audience: str) -> tuple[str, int]:
        """Sign a token for a managed identity; give it with the second of the epoch in which it expires."""
        bearer = Principal(
            app_id=client_id,
            object_id=object_id,
            tenant=self._tenant,
            display_name="",
            secret_hash="",
            created_at=0,
        )
        return self._issuer.issue(bearer, audience, f"{self._url}/{self._tenant}/", "1.0")

    def host_variables(self, name: str) -> dict[str, str] | None:
        """Give what a program on this machine needs to be a user-assigned identity; None if there is no such one."""
        found = assigned(self._store, name) or by_client_id(self._store, name)
        return self.host.variables(found) if found and self.host.port else None

    def intercept(self) -> dict[str, object]:
        """Make a certificate for Azure's names that lasts for one run of `hythe run-with`."""
        made = tls.intercept_certificate(AZURE_NAMES)
        return {
            "names": list(AZURE_NAMES),
            "certificate": made.certificate_pem,
            "key": made.key_pem,
            "ca": made.ca_pem,
        }
