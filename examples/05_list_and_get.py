"""Step 5: list the groups of a resource group and of the subscription, and look at each closely."""

from hythe import ContainerInstanceManagementClient, get_client_from_auth_file

with get_client_from_auth_file(ContainerInstanceManagementClient) as aci:
    print("in the subscription:", [group.name for group in aci.container_groups.list()])

    # Lists have no instance view, as on Azure; a single group has.
    for listed in aci.container_groups.list_by_resource_group("hythe-examples"):
        group = aci.container_groups.get("hythe-examples", listed.name)
        print(f"\n{group.name}: {group.instance_view.state}")
        for container in group.containers:
            view = container.instance_view
            now = view.current_state
            print(f"  {container.name}: {now.state} since {now.start_time}, exit code {now.exit_code}")
            print(f"    restarts: {view.restart_count}")
            for event in view.events or []:
                print(f"    {event.last_timestamp} {event.name} {event.message}")
