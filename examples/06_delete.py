"""Step 6: delete a group, then the resource group with all that is left in it."""

from hythe import ContainerInstanceManagementClient, ResourceManagementClient, get_client_from_auth_file

with (
    get_client_from_auth_file(ResourceManagementClient) as resources,
    get_client_from_auth_file(ContainerInstanceManagementClient) as aci,
):
    aci.container_groups.delete("hythe-examples", "single")
    print("left:", [group.name for group in aci.container_groups.list_by_resource_group("hythe-examples")])

    resources.resource_groups.begin_delete("hythe-examples").result()
    print("resource groups:", [group.name for group in resources.resource_groups.list()])
