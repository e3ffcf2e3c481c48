"""Knows the clouds of Azure: where their Resource Manager is, who gives tokens, and for what they are."""

from __future__ import annotations

from msgspec import Struct


class Cloud(Struct, frozen=True, kw_only=True):
    """One cloud, as data."""

    name: str
    resource_manager: str
    authority: str
    audience: str

    @property
    def scopes(self) -> tuple[str, ...]:
        """What to ask a token for."""
        return (f"{self.audience.rstrip('/')}/.default",)


PUBLIC = Cloud(
    name="AzureCloud",
    resource_manager="https://management.azure.com",
    authority="https://login.microsoftonline.com",
    audience="https://management.azure.com",
)
CHINA = Cloud(
    name="AzureChinaCloud",
    resource_manager="https://management.chinacloudapi.cn",
    authority="https://login.chinacloudapi.cn",
    audience="https://management.chinacloudapi.cn",
)
US_GOVERNMENT = Cloud(
    name="AzureUSGovernment",
    resource_manager="https://management.usgovcloudapi.net",
    authority="https://login.microsoftonline.us",
    audience="https://management.usgovcloudapi.net",
)

_NAMES = {
    "azurecloud": PUBLIC, "azure": PUBLIC, "public": PUBLIC, "azure_public_cloud": PUBLIC,
    "azurechinacloud": CHINA, "china": CHINA, "azure_china_cloud": CHINA, "azure_china": CHINA,
    "azureusgovernment": US_GOVERNMENT, "usgov": US_GOVERNMENT, "us_government": US_GOVERNMENT,
    "azure_us_government": US_GOVERNMENT,
}  # fmt: skip


def cloud(setting: object) -> Cloud:
    """Find a cloud: one of these, its name, or a member of azure-core's AzureClouds.  Raises ValueError."""
    if isinstance(setting, Cloud):
        return setting
    names = (getattr(setting, "value", None), getattr(setting, "name", None), setting)
    for name in names:
        known = _NAMES.get(str(name).lower())
        if known is not None:
            return known
    raise ValueError(
        f"cannot use the cloud {setting!r}: known are public, china and us_government. For another give the "
        "https address of its Resource Manager."
    )
