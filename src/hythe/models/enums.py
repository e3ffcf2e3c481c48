"""The words of the contract.  Fields take any string: the service may know newer words than this list."""

from __future__ import annotations

from enum import Enum


class ContainerGroupRestartPolicy(str, Enum):
    """When a container that ended is started again."""

    ALWAYS = always = "Always"
    ON_FAILURE = on_failure = "OnFailure"
    NEVER = never = "Never"


class ContainerGroupNetworkProtocol(str, Enum):
    """Protocol of a port of the group's address."""

    TCP = tcp = "TCP"
    UDP = udp = "UDP"


class ContainerNetworkProtocol(str, Enum):
    """Protocol of a port of a container."""

    TCP = tcp = "TCP"
    UDP = udp = "UDP"


class ContainerGroupIpAddressType(str, Enum):
    """Who can reach the group's address."""

    PUBLIC = public = "Public"
    PRIVATE = private = "Private"


class OperatingSystemTypes(str, Enum):
    """Operating system of the containers of a group."""

    LINUX = linux = "Linux"
    WINDOWS = windows = "Windows"


class ContainerGroupSku(str, Enum):
    """Size class of a group."""

    NOT_SPECIFIED = not_specified = "NotSpecified"
    STANDARD = standard = "Standard"
    DEDICATED = dedicated = "Dedicated"
    CONFIDENTIAL = confidential = "Confidential"


class ContainerGroupPriority(str, Enum):
    """Regular, or Spot: may be evicted."""

    REGULAR = regular = "Regular"
    SPOT = spot = "Spot"


class ContainerGroupProvisioningState(str, Enum):
    """Where the last operation on a group stands."""

    NOT_SPECIFIED = "NotSpecified"
    ACCEPTED = "Accepted"
    PENDING = "Pending"
    UPDATING = "Updating"
    CREATING = "Creating"
    REPAIRING = "Repairing"
    UNHEALTHY = "Unhealthy"
    FAILED = "Failed"
    CANCELED = "Canceled"
    SUCCEEDED = "Succeeded"
    DELETING = "Deleting"
    NOT_ACCESSIBLE = "NotAccessible"
    PRE_PROVISIONED = "PreProvisioned"


class DnsNameLabelReusePolicy(str, Enum):
    """How the host name of a group is made unique."""

    UNSECURE = unsecure = "Unsecure"
    TENANT_REUSE = tenant_reuse = "TenantReuse"
    SUBSCRIPTION_REUSE = subscription_reuse = "SubscriptionReuse"
    RESOURCE_GROUP_REUSE = resource_group_reuse = "ResourceGroupReuse"
    NOREUSE = noreuse = "Noreuse"


class LogAnalyticsLogType(str, Enum):
    """Which tables of a log workspace are written."""

    CONTAINER_INSIGHTS = container_insights = "ContainerInsights"
    CONTAINER_INSTANCE_LOGS = container_instance_logs = "ContainerInstanceLogs"


class ResourceIdentityType(str, Enum):
    """Kinds of managed identity that a group has."""

    SYSTEM_ASSIGNED = system_assigned = "SystemAssigned"
    USER_ASSIGNED = user_assigned = "UserAssigned"
    SYSTEM_ASSIGNED_USER_ASSIGNED = system_assigned_user_assigned = "SystemAssigned, UserAssigned"
    NONE = none = "None"


class Scheme(str, Enum):
    """Scheme of a probe by HTTP."""

    HTTP = http = "http"
    HTTPS = https = "https"


class GpuSku(str, Enum):
    """Kinds of GPU."""

    K80 = k80 = "K80"
    P100 = p100 = "P100"
    V100 = v100 = "V100"


class NGroupUpdateMode(str, Enum):
    """How the groups of a set follow a changed profile."""

    MANUAL = manual = "Manual"
    ROLLING = rolling = "Rolling"


class NGroupProvisioningState(str, Enum):
    """Where the last operation on a set stands."""

    CREATING = creating = "Creating"
    UPDATING = updating = "Updating"
    FAILED = failed = "Failed"
    SUCCEEDED = succeeded = "Succeeded"
    CANCELED = canceled = "Canceled"
    DELETING = deleting = "Deleting"
    MIGRATING = migrating = "Migrating"


class SandboxGroupProvisioningState(str, Enum):
    """Where the last operation on a sandbox group stands."""

    SUCCEEDED = succeeded = "Succeeded"
    FAILED = failed = "Failed"
    CANCELED = canceled = "Canceled"
    UPDATING = updating = "Updating"
    DELETING = deleting = "Deleting"
    ACCEPTED = accepted = "Accepted"


class AzureFileShareAccessType(str, Enum):
    """How the groups of a set use a share."""

    SHARED = shared = "Shared"
    EXCLUSIVE = exclusive = "Exclusive"


class IdentityAccessLevel(str, Enum):
    """Which identities of a group may be used."""

    ALL = all_ = "All"
    SYSTEM = system = "System"
    USER = user = "User"


class ContainerInstanceOperationsOrigin(str, Enum):
    """Who carries an operation out."""

    USER = user = "User"
    SYSTEM = system = "System"


class CreatedByType(str, Enum):
    """Kinds of those who make resources."""

    USER = "User"
    APPLICATION = "Application"
    MANAGED_IDENTITY = "ManagedIdentity"
    KEY = "Key"


class ManagedServiceIdentityType(str, Enum):
    """Kinds of managed identity that a sandbox group has."""

    NONE = "None"
    SYSTEM_ASSIGNED = "SystemAssigned"
    USER_ASSIGNED = "UserAssigned"
    SYSTEM_ASSIGNED_USER_ASSIGNED = "SystemAssigned,UserAssigned"


class AzureFileShareAccessTier(str, Enum):
    """How a share is stored."""

    COOL = "Cool"
    HOT = "Hot"
    PREMIUM = "Premium"
    TRANSACTION_OPTIMIZED = "TransactionOptimized"
