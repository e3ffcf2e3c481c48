// Every operation on container groups that @azure/arm-containerinstance has.
//
// Usage: node every.mjs RESOURCE-GROUP; HYTHE_URL and AZURE_{TENANT_ID,CLIENT_ID,CLIENT_SECRET,SUBSCRIPTION_ID} are set,
// NODE_EXTRA_CA_CERTS names whom to trust.  Prints `proved: OPERATION` for each that did what it should.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import { ContainerInstanceManagementClient } from "@azure/arm-containerinstance";
import { ResourceManagementClient } from "@azure/arm-resources";
import { ClientSecretCredential } from "@azure/identity";

const [rg] = process.argv.slice(2);
const {
  HYTHE_URL: url,
  AZURE_TENANT_ID: tenant,
  AZURE_CLIENT_ID: id,
  AZURE_CLIENT_SECRET: secret,
  AZURE_SUBSCRIPTION_ID: subscription,
} = process.env;
const credential = new ClientSecretCredential(tenant, id, secret, {
  authorityHost: url,
  disableInstanceDiscovery: true,
});
const aci = new ContainerInstanceManagementClient(credential, subscription, { endpoint: url });
const resources = new ResourceManagementClient(credential, subscription, { endpoint: url });
const proved = (operation) => console.log(`proved: ${operation}`);

async function items(pages) {
  const all = [];
  for await (const each of pages) all.push(each);
  return all;
}

async function waitFor(state) {
  for (let turn = 0; (await aci.containerGroups.get(rg, "one")).instanceView.state !== state; turn++) {
    assert(turn < 150, `waited in vain for ${state}`);
    await sleep(200);
  }
}

async function groups() {
  const made = await aci.containerGroups.beginCreateOrUpdateAndWait(rg, "one", {
    location: "eastus",
    osType: "Linux",
    containers: [
      {
        name: "c",
        image: "microsoft/aci-wordcount",
        command: ["sh", "-c", "trap exit TERM; i=0; while true; do i=$((i+1)); echo line $i; sleep 0.1; done"],
        resources: { requests: { cpu: 0.5, memoryInGB: 0.5 } },
      },
    ],
  });
  assert.equal(made.provisioningState, "Succeeded");
  proved("ContainerGroups_CreateOrUpdate");
  await waitFor("Running");
  proved("ContainerGroups_Get");
  assert((await items(aci.containerGroups.list())).some((each) => each.name === "one"));
  proved("ContainerGroups_List");
  assert.deepEqual((await items(aci.containerGroups.listByResourceGroup(rg))).map((each) => each.name), ["one"]);
  proved("ContainerGroups_ListByResourceGroup");
  assert.deepEqual((await aci.containerGroups.update(rg, "one", { tags: { a: "b" } })).tags, { a: "b" });
  proved("ContainerGroups_Update");
  assert(Array.isArray(await aci.containerGroups.getOutboundNetworkDependenciesEndpoints(rg, "one")));
  proved("ContainerGroups_GetOutboundNetworkDependenciesEndpoints");
}

async function containers() {
  const { content } = await aci.containers.listLogs(rg, "one", "c", { tail: 1, timestamps: true });
  assert.match(content, /^\d{4}-\S+Z line \d+\n$/);
  proved("Containers_ListLogs");
  const asked = { command: "/bin/sh", terminalSize: { rows: 24, cols: 80 } };
  const session = await aci.containers.executeCommand(rg, "one", "c", asked);
  assert(session.webSocketUri.startsWith("wss://") && session.password);
  proved("Containers_ExecuteCommand");
  const attached = await aci.containers.attach(rg, "one", "c");
  assert(attached.webSocketUri.startsWith("wss://") && attached.password);
  proved("Containers_Attach");
}

async function verbs() {
  await aci.containerGroups.stop(rg, "one");
  await waitFor("Stopped");
  proved("ContainerGroups_Stop");
  await aci.containerGroups.beginStartAndWait(rg, "one");
  await waitFor("Running");
  proved("ContainerGroups_Start");
  await aci.containerGroups.beginRestartAndWait(rg, "one");
  await waitFor("Running");
  proved("ContainerGroups_Restart");
  await aci.containerGroups.beginDeleteAndWait(rg, "one");
  assert.deepEqual(await items(aci.containerGroups.listByResourceGroup(rg)), []);
  proved("ContainerGroups_Delete");
}

async function locations() {
  const usages = await items(aci.location.listUsage("eastus"));
  assert(usages.some((each) => each.name.value === "ContainerGroups"));
  proved("Location_ListUsage");
  assert((await items(aci.location.listCachedImages("eastus"))).every((each) => each.osType === "Linux" && each.image));
  proved("Location_ListCachedImages");
  assert((await items(aci.location.listCapabilities("eastus")))[0].capabilities.maxCpu > 0);
  proved("Location_ListCapabilities");
  const named = (await items(aci.operations.list())).map((each) => each.name);
  assert(named.includes("Microsoft.ContainerInstance/containerGroups/read"));
  proved("Operations_List");
}

await resources.resourceGroups.createOrUpdate(rg, { location: "eastus" });
await groups();
await containers();
await verbs();
await locations();
await resources.resourceGroups.beginDeleteAndWait(rg);
assert.equal((await resources.resourceGroups.checkExistence(rg)).body, false);
