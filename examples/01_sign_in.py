"""Step 1: sign in with the file that `hythe sp create --sdk-auth > my.azureauth` writes.

export AZURE_AUTH_LOCATION=my.azureauth
"""

from hythe import ContainerInstanceManagementClient, ResourceManagementClient, get_client_from_auth_file

with (
    get_client_from_auth_file(ResourceManagementClient) as resources,
    get_client_from_auth_file(ContainerInstanceManagementClient) as aci,
):
    print("resource groups: ", [group.name for group in resources.resource_groups.list()])
    print("container groups:", [group.name for group in aci.container_groups.list()])
