"""Run containers with the hook and the operator of Airflow's provider for Azure; nothing in here knows of Hythe.

Usage: python airflow_operator.py RESOURCE-GROUP; AIRFLOW_CONN_AZURE_DEFAULT describes the connection.
"""

import sys

from airflow.exceptions import AirflowException
from airflow.providers.microsoft.azure.hooks.container_instance import AzureContainerInstanceHook
from airflow.providers.microsoft.azure.operators.container_instances import AzureContainerInstancesOperator

RG = sys.argv[1]


class Messages:
    """Keeps what the operator hands on, as a task instance does."""

    def __init__(self):
        self.kept = {}

    def xcom_push(self, key, value):
        self.kept[key] = value


def operator(name, *command, **options):
    return AzureContainerInstancesOperator(
        task_id=name,
        ci_conn_id="azure_default",
        resource_group=RG,
        name=name,
        image="microsoft/aci-wordcount",
        region="eastus",
        cpu=0.5,
        memory_in_gb=0.5,
        command=["sh", "-c", *command],
        **options,
    )


hook = AzureContainerInstanceHook()
able, why = hook.test_connection()
assert able, why

messages = Messages()
asked = operator(
    "good",
    'echo "$WORD"; echo "$SECRET" | wc -c; sleep 2',
    environment_variables={"WORD": "hello", "SECRET": "1234"},
    secured_variables=["SECRET"],
    xcom_all=True,
    remove_on_success=False,
)
assert asked.execute({"ti": messages}) == 0
assert [line.strip() for line in messages.kept["logs"]] == ["hello", "5"], messages.kept
assert hook.exists(RG, "good")
assert hook.get_state(RG, "good").containers[0].instance_view.current_state.exit_code == 0
assert hook.get_logs(RG, "good", tail=1) == ["5\n"], hook.get_logs(RG, "good", tail=1)
hook.delete(RG, "good")
assert not hook.exists(RG, "good")
try:
    operator("bad", "exit 3").execute({"ti": messages})
    raise AssertionError("a container that failed was taken for a good one")
except AirflowException as failed:
    assert "non-zero exit code, 3" in str(failed), failed
assert not hook.exists(RG, "bad")
print("the operator did what it should")
