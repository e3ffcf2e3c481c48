"""What the properties of a group do to its real containers."""

from __future__ import annotations

import base64
import json
import time
from datetime import timedelta
from typing import Any

import pytest

from hythe.models import (
    ContainerExec,
    ContainerGroupIdentity,
    ContainerHttpGet,
    ContainerPort,
    ContainerProbe,
    DnsConfiguration,
    EnvironmentVariable,
    HttpHeader,
    InitContainerDefinition,
    ResourceRequests,
    ResourceRequirements,
    SecurityContextCapabilitiesDefinition,
    SecurityContextDefinition,
)

from .conftest import TOOLS, Running, container, group, traces, wait_for, web

pytestmark = pytest.mark.containers

POLITE = "trap 'exit 0' TERM; while :; do sleep 0.1; done"
"""Ends as soon as it is asked to."""


def create(real: Running, folder: str, name: str, what: object) -> Any:
    return real.aci.container_groups.begin_create_or_update(folder, name, what).result()


def shell(script: str, name: str = "c", **options: Any) -> Any:
    return container(name, image=TOOLS, command=["sh", "-c", script], **options)


def view(real: Running, folder: str, name: str = "g", number: int = 0) -> Any:
    return real.aci.container_groups.get(folder, name).containers[number].instance_view


def events(real: Running, folder: str, name: str = "g", number: int = 0) -> dict[str, Any]:
    return {event.name: event for event in view(real, folder, name, number).events}


# --- probes ---


def test_a_container_that_is_not_live_any_more_is_restarted_in_place(real: Running) -> None:
    folder = real.folder("live")
    ask = ContainerProbe(
        exec_=ContainerExec(command=["sh", "-c", "test ! -e /tmp/bad || { echo it is bad; exit 1; }"]),
        period_seconds=1,
        failure_threshold=2,
        timeout_seconds=20,
    )
    made = create(real, folder, "g", group(shell(f"touch /tmp/bad; {POLITE}", liveness_probe=ask)))

    seen = wait_for(lambda: (one := view(real, folder)).restart_count and one)
    found = events(real, folder)

    assert made.containers[0].liveness_probe == ask
    assert seen.previous_state.state == "Terminated"
    assert found["Unhealthy"].message == "Liveness probe failed: it is bad"
    assert found["Unhealthy"].type == "Warning" and found["Unhealthy"].count >= 2
    assert "Killing" in found


def test_under_never_a_container_that_is_not_live_is_ended_and_stays_so(real: Running) -> None:
    folder = real.folder("live-never")
    asked = ContainerExec(command=["sh", "-c", "test ! -e /tmp/traps"])
    ask = ContainerProbe(exec_=asked, period_seconds=1, failure_threshold=1, timeout_seconds=20)
    create(
        real,
        folder,
        "g",
        group(
            shell("trap 'exit 7' TERM; touch /tmp/traps; while :; do sleep 0.1; done", liveness_probe=ask),
            restart_policy="Never",
        ),
    )

    wait_for(lambda: real.state(folder, "g") == "Failed")
    time.sleep(1.5)

    assert view(real, folder).restart_count == 0
    assert view(real, folder).current_state.exit_code == 7


def test_readiness_is_asked_over_http_with_headers(real: Running) -> None:
    folder = real.folder("ready")
    server = (
        "import http.server as h\n"
        "class A(h.BaseHTTPRequestHandler):\n"
        " def do_GET(s):\n"
        "  s.send_response(200 if s.path == '/ready?a=1' and s.headers['X-Who'] == 'me' else 503); s.end_headers()\n"
        " def log_message(s, *a): print(s.path, s.headers['X-Who'], flush=True)\n"
        "h.ThreadingHTTPServer(('', 8080), A).serve_forever()\n"
    )

    def ask(who: str) -> ContainerProbe:
        asked = ContainerHttpGet(path="/ready?a=1", port=8080, http_headers=[HttpHeader(name="X-Who", value=who)])
        return ContainerProbe(http_get=asked, period_seconds=1)

    for name, who in (("yes", "me"), ("no", "you")):
        one = container(image=TOOLS, command=["python3", "-c", server], readiness_probe=ask(who))
        create(real, folder, name, group(one))

    wait_for(lambda: "/ready?a=1 me" in real.log(folder, "yes"))
    wanted = "Readiness probe failed: HTTP probe failed with statuscode: 503"
    wait_for(lambda: wanted in [event.message for event in view(real, folder, "no").events])
    assert real.state(folder, "no") == "Running" and view(real, folder, "no").restart_count == 0


# --- rights ---


def test_rights_can_be_given_up(real: Running) -> None:
    rights = SecurityContextDefinition(
        allow_privilege_escalation=False,
        capabilities=SecurityContextCapabilitiesDefinition(drop=["ALL"]),
        run_as_user=1234,
        run_as_group=4321,
    )
    folder = real.folder("rights-less")
    task = shell("id -u; id -g; grep -E 'CapBnd|NoNewPrivs' /proc/self/status", security_context=rights)
    create(real, folder, "g", group(task, restart_policy="Never"))
    wait_for(lambda: real.state(folder, "g") == "Succeeded")

    said = real.log(folder, "g").split()
    assert said[:2] == ["1234", "4321"]
    assert int(said[said.index("CapBnd:") + 1], 16) == 0
    assert said[said.index("NoNewPrivs:") + 1] == "1"


def test_capabilities_and_privilege_where_the_owner_allows_them(real: Running) -> None:
    folder = real.folder("rights-more")
    more = SecurityContextDefinition(
        capabilities=SecurityContextCapabilitiesDefinition(add=["CAP_NET_RAW", "SYS_TIME"])
    )
    task = shell("grep CapEff /proc/self/status", security_context=more)
    create(real, folder, "more", group(task, restart_policy="Never"))
    all_ = shell(
        "grep -E 'Seccomp:' /proc/self/status; test -e /dev/kmsg && echo devices",
        security_context=SecurityContextDefinition(privileged=True),
    )
    create(real, folder, "all", group(all_, restart_policy="Never"))
    wait_for(lambda: real.state(folder, "more") == "Succeeded" and real.state(folder, "all") in ("Succeeded", "Failed"))

    bits = int(real.log(folder, "more").split()[1], 16)
    assert bits >> 13 & 1 and bits >> 25 & 1 and not bits >> 21 & 1
    assert real.log(folder, "all").split() == ["Seccomp:", "0", "devices"]


def test_a_seccomp_profile_of_its_own(real: Running) -> None:
    folder = real.folder("seccomp")
    profile = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}],
    }
    rights = SecurityContextDefinition(seccomp_profile=base64.b64encode(json.dumps(profile).encode()).decode())
    task = shell(
        "mkdir /tmp/x 2>/dev/null && echo made || echo refused; touch /tmp/y && echo touched", security_context=rights
    )
    create(real, folder, "g", group(task, restart_policy="Never"))
    wait_for(lambda: real.state(folder, "g") == "Succeeded")

    assert real.log(folder, "g") == "refused\ntouched\n"
    assert list((real.data_dir / "engine" / "seccomp").iterdir()) == []


def test_name_servers_of_its_own(real: Running) -> None:
    config = DnsConfiguration(name_servers=["192.0.2.7"], search_domains="a.example b.example", options="ndots:3")

    said = real.run(real.folder("dns"), "g", "cat /etc/resolv.conf; hostname", dns_config=config)

    assert "nameserver 192.0.2.7" in said
    assert "search a.example b.example" in said and "options ndots:3" in said
    assert said.splitlines()[-1].startswith("SandboxHost-")


# --- life ---


def test_too_much_memory_is_shown_as_such(real: Running) -> None:
    folder = real.folder("oom")
    greedy = container(image=TOOLS, command=["python3", "-c", "x = b'x' * (400 << 20); print(len(x))"])
    greedy.resources = ResourceRequirements(requests=ResourceRequests(cpu=0.5, memory_in_gb=0.1))
    create(real, folder, "g", group(greedy, restart_policy="Never"))
    wait_for(lambda: real.state(folder, "g") == "Failed")

    ended = view(real, folder).current_state
    assert (ended.exit_code, ended.detail_status) == (137, "OOMKilled")


def test_a_crash_loop_is_told_with_its_next_delay(real: Running) -> None:
    folder = real.folder("loop")
    create(real, folder, "g", group(shell("exit 5")))

    def crashed() -> Any:
        one = view(real, folder)
        return one.restart_count >= 2 and one.current_state.state == "Waiting" and one

    seen = wait_for(crashed)
    assert seen.current_state.detail_status == "CrashLoopBackOff: Back-off restarting failed"
    assert seen.previous_state.exit_code == 5
    found = events(real, folder)
    assert "Back-off" in found["BackOff"].message and found["Started"].count >= 3
    assert real.state(folder, "g") == "Running"


def test_init_containers_run_again_on_start_and_restart_and_the_address_stays(real: Running) -> None:
    folder = real.folder("init")
    first = InitContainerDefinition(name="first", image=TOOLS, command=["sh", "-c", "date +%s%N"])
    wanted = web()
    wanted.init_containers = [first]
    made = create(real, folder, "g", wanted)
    groups = real.aci.container_groups

    def begun() -> Any:
        state = groups.get(folder, "g").init_containers[0].instance_view.current_state
        assert (state.state, state.detail_status, state.exit_code) == ("Terminated", "Completed", 0)
        return state.start_time

    starts = [begun()]
    groups.begin_restart(folder, "g").result()
    starts.append(begun())
    groups.stop(folder, "g")
    groups.begin_start(folder, "g").result()
    starts.append(begun())
    changed = web()
    changed.init_containers = [first]
    changed.containers[0].environment_variables = [EnvironmentVariable(name="A", value="b")]
    create(real, folder, "g", changed)
    starts.append(begun())

    assert starts[0] < starts[1] < starts[2] == starts[3]
    assert groups.get(folder, "g").ip_address.ip == made.ip_address.ip


def test_an_update_restarts_only_what_changed(real: Running) -> None:
    folder = real.folder("update")
    create(real, folder, "g", group(shell(POLITE, "a"), shell(POLITE, "b")))
    before = [view(real, folder, number=each).current_state.start_time for each in (0, 1)]
    create(real, folder, "g", group(shell(POLITE, "a"), shell(f": changed; {POLITE}", "b")))
    after = [view(real, folder, number=each).current_state.start_time for each in (0, 1)]

    assert before[0] == after[0] and before[1] < after[1]


def test_stop_asks_politely_and_then_kills(real: Running) -> None:
    folder = real.folder("stop")
    create(
        real,
        folder,
        "g",
        group(
            shell("trap 'echo asked; exit 0' TERM; echo ready; while :; do sleep 0.1; done", "polite"),
            shell("trap '' TERM; while :; do sleep 0.1; done", "deaf"),
            shell("trap '' TERM; while :; do sleep 0.1; done", "deaf-too"),
        ),
    )
    wait_for(lambda: real.log(folder, "g", "polite"))
    begun = time.monotonic()
    real.aci.container_groups.stop(folder, "g")
    took = time.monotonic() - begun

    assert 2.5 < took < 5.5, "the grace period of one, not of both"
    assert real.log(folder, "g", "polite") == "ready\nasked\n"
    state, other = (view(real, folder, number=each).current_state for each in (1, 2))
    assert abs(state.finish_time - other.finish_time) < timedelta(seconds=2.5), "one has not waited for the other"
    assert (state.state, state.detail_status) == ("Terminated", "Container stopped per client request")


def test_a_task_with_a_time_to_live_deletes_itself(real: Running) -> None:
    folder = real.folder("ttl")
    create(real, folder, "g", group(shell("true"), restart_policy="Never", tags={"hythe.ttl": "PT1S"}))

    wait_for(lambda: not list(real.aci.container_groups.list_by_resource_group(folder)))


# --- identity ---

ASK = """
import json, sys, urllib.request, urllib.error
base = "http://169.254.169.254/metadata/identity/oauth2/token?"
def ask(query, **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(base + query, headers=headers), timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
full = "api-version=2018-02-01&resource=https://management.azure.com/"
print(json.dumps([ask(full, Metadata="true"), ask(full), ask("api-version=2018-02-01", Metadata="true")]))
import http.server
print("serving", flush=True)
http.server.HTTPServer(("", 80), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


def test_tokens_of_a_managed_identity(real: Running) -> None:
    folder = real.folder("identity")
    one = container(image=TOOLS, command=["python3", "-c", ASK], ports=[ContainerPort(port=80)])
    wanted = group(one, identity=ContainerGroupIdentity(type="SystemAssigned"))
    made = create(real, folder, "g", wanted)
    wait_for(lambda: "serving" in real.log(folder, "g"))

    good, bare, aimless = json.loads(real.log(folder, "g").splitlines()[0])
    assert good[0] == 200 and bare[0] == 400 and aimless[0] == 400
    token = good[1]
    assert token["token_type"] == "Bearer" and token["resource"] == "https://management.azure.com/"
    assert all(isinstance(token[name], str) for name in ("expires_in", "expires_on", "not_before"))
    claims = json.loads(base64.urlsafe_b64decode(token["access_token"].split(".")[1] + "=="))
    assert claims["oid"] == made.identity.principal_id and claims["tid"] == made.identity.tenant_id


def test_tokens_are_given_again_after_the_service_came_back(real: Running) -> None:
    folder = real.folder("identity-again")
    before = traces(real)
    script = (
        "import time, urllib.request\n"
        "ask = urllib.request.Request('http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01"
        "&resource=r', headers={'Metadata': 'true'})\n"
        "while True:\n"
        " try: print(urllib.request.urlopen(ask, timeout=2).status, flush=True)\n"
        " except OSError as error: print('none', flush=True)\n"
        " time.sleep(0.2)\n"
    )
    one = container(image=TOOLS, command=["python3", "-c", script])
    create(real, folder, "g", group(one, identity=ContainerGroupIdentity(type="SystemAssigned")))
    wait_for(lambda: "200" in real.log(folder, "g"))
    assert traces(real) != before
    real.end_service()
    time.sleep(1)
    real.up()

    wait_for(lambda: real.log(folder, "g").split()[-3:] == ["200"] * 3)
    assert "none" in real.log(folder, "g").split()
    real.aci.container_groups.begin_delete(folder, "g").result()
    wait_for(lambda: traces(real).within(before))


def test_a_group_without_identity_is_told_so_and_reaches_nobody_near_that_address(real: Running) -> None:
    ask = (
        "import urllib.request as u, urllib.error as e\n"
        "def get(url):\n"
        " try: return u.urlopen(u.Request(url, headers={'Metadata': 'true'}), timeout=20).status\n"
        " except e.HTTPError as x: return x.code, x.read().decode()\n"
        " except e.URLError as x: return x.reason\n"
        "where = 'http://169.254.169.254/metadata/'\n"
        "print(get(where + 'identity/oauth2/token?api-version=2018-02-01&resource=r'))\n"
        "print(get(where + 'instance?api-version=2018-02-01'))\n"
        "print(get('http://169.254.169.254:8080/'))\n"
        "print(get('http://169.254.169.253/'))\n"
    )

    tokens, instance, *others = real.run(real.folder("no-identity"), "g", f'python -c "{ask}"').splitlines()

    assert tokens.startswith("(404,") and "DefaultIdentityNotDefined" in tokens
    assert instance.startswith("(404,")
    assert len(others) == 2 and all("refused" in each for each in others)
