"""docker-compose.yml, held against what the harness starts itself."""

import re
from pathlib import Path, PurePath

import pytest
from ruamel.yaml import YAML

from harness.core.loading import load_stack
from harness.lab.conducted import DEFAULT_TOKEN, DEFAULT_URL
from harness.lab.containers import plan
from harness.lab.containers.conductor import DEFAULT_NONCE, PORT
from harness.lab.containers.images import TOXIPROXY, VERSION, WIREMOCK
from harness.lab.containers.places import Places
from harness.lab.credentials import build_role_key, make_credentials
from harness.lab.environment import Sites, build_environment, name_role_key
from harness.lab.hostnames import list_hosts
from harness.lab.layout import choose_vendors
from harness.lab.ports import Address
from harness.lab.vendors import OPSDESK
from harness.lab.wiremock import JAVA_OPTIONS, SERVE_OPTIONS

ROOT = Path(__file__).parents[2]
STACK_PATH = ROOT / "reference" / "stack.yaml"


@pytest.fixture(scope="module")
def services():
    """Read the services, with every variable at its default."""
    text = re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", (ROOT / "docker-compose.yml").read_text())
    return YAML(typ="safe").load(text)["services"]


@pytest.fixture(scope="module")
def stack():
    """Read the stack of the reference."""
    return load_stack(STACK_PATH.read_text(), file=str(STACK_PATH))


@pytest.fixture(scope="module")
def vendors(stack):
    """Choose who plays the stack's systems."""
    return choose_vendors(stack, stack_path=STACK_PATH)[0]


def test_every_service_is_confined(services):
    """None is root, none writes its root, none has a right, none may get one."""
    for name, service in services.items():
        assert service["user"] not in {"root", "0", "0:0"}, name
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.keys() & {"privileged", "cap_add", "network_mode", "pid", "devices"}, name


def test_everything_is_published_on_loopback(services):
    """No port is open to others, and none is published twice."""
    ports = [port for service in services.values() for port in service.get("ports", ())]
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert len({port.split(":")[1] for port in ports}) == len(ports)


def test_images_are_pinned(services):
    """What others publish is the release the harness was tried with; ours are of this version."""
    assert services["toxiproxy"]["image"] == TOXIPROXY
    assert services["wiremock"]["image"] == WIREMOCK
    for name, service in services.items():
        image, _, tag = service["image"].rpartition(":")
        assert tag not in {"", "latest"}, name
        assert not image.startswith("handoff/") or tag == VERSION, name


def test_what_is_started_by_up_is_asked_whether_it_is_healthy(services):
    """`up --wait` waits for something."""
    assert all("healthcheck" in service for service in services.values() if "profiles" not in service)


def test_profiles_are_what_is_not_the_core(services):
    """The core has none, so that `up` starts it."""
    profiles = {name: service["profiles"] for name, service in services.items() if "profiles" in service}
    assert profiles == {
        "harness": ["harness"],
        "load": ["load"],
        "prometheus": ["observability"],
        "postgres": ["postgres"],
    }


def test_every_system_of_the_reference_has_its_fake(services, vendors):
    """The command is the one the lab of containers starts, mappings included."""
    for name, vendor in vendors.items():
        command = services[name]["command"]
        assert vendor.module in command
        if vendor.mappings is not None:
            assert command[command.index("--mappings") + 1].endswith(f"/{vendor.mappings.relative_to(ROOT)}")


def test_wiremock_is_started_as_everywhere(services):
    """With the options without which its fakes would not work."""
    assert services["wiremock"]["command"][-len(SERVE_OPTIONS) :] == list(SERVE_OPTIONS)
    assert services["wiremock"]["environment"]["JAVA_OPTS"] == " ".join(JAVA_OPTIONS)


def test_the_integration_is_told_everything(services, stack, vendors):
    """All variables of a lab, at the tap; what opens a vendor is what its fake was started with."""
    given = services["integration"]["environment"]
    prefixes = {name: vendor.prefix for name, vendor in vendors.items() if name != OPSDESK}
    sites = Sites(
        outbound=dict.fromkeys(prefixes.values(), "http://tap"),
        opsdesk="http://tap",
        controls={},
        toxics="",
        integration=Address("0.0.0.0", 8000),
        data_folder=PurePath("/data"),
        private_key_file=PurePath("/run/handoff/erp-private.pem"),
    )
    needed = build_environment(
        sites, make_credentials(), nonce="n", roles=stack.roles, stack_path=None, scale=stack.time.scale
    )
    assert needed.keys() | set(plan.TRUST) == given.keys()
    assert {given[name] for name in plan.TRUST} == {plan.CA_FILE}
    assert all(url.startswith("http://tap:") for name, url in given.items() if name.endswith("_URL"))
    for name, system in prefixes.items():
        told = services[name]["environment"]
        assert {key: told[key] for key in given if key in told} == {key: given[key] for key in given if key in told}
        assert any(key.startswith(system) for key in told)


def test_the_vendors_own_names_lead_to_the_tap(services, stack, vendors):
    """Every name that a program may have baked in is the tap's in the lab's network."""
    assert set(services["tap"]["networks"]["lab"]["aliases"]) == set(list_hosts(stack, vendors))


def test_role_keys_are_those_the_ops_desk_learns(services, stack):
    """Each role has the key that the conductor derives."""
    given = services["integration"]["environment"]
    assert services["lab"]["environment"]["HANDOFF_NONCE"] == DEFAULT_NONCE
    for role in stack.roles:
        assert given[name_role_key(role)] == build_role_key(DEFAULT_NONCE, role), role


def test_the_conductor_finds_every_part(services, vendors):
    """Each control plane is the fake's own, each door another; from outside each is where it is published."""
    environment = {name: str(value) for name, value in services["lab"]["environment"].items()}
    places = Places.read(environment)
    doors = [places.locate_door(vendor) for vendor in vendors.values()]
    assert len(set(doors)) == len(doors)
    for name, vendor in vendors.items():
        assert places.locate_control(vendor.prefix) == f"http://{name}:{plan.CONTROL_PORT}"
        assert places.locate_vendor(vendor) == f"{name}:{plan.VENDOR_PORT}"
        outside = Address.of(places.give_outside(environment)[f"{vendor.prefix}_CONTROL_URL"])
        assert services[name]["ports"] == [f"127.0.0.1:{outside.port}:{plan.CONTROL_PORT}"]
    tap = Address.of(places.give_outside(environment)["TAP_CONTROL_URL"])
    assert services["tap"]["ports"] == [f"127.0.0.1:{tap.port}:{plan.TAP_CONTROL_PORT}"]
    assert places.inside["INTEGRATION_ADDRESS"] == "integration:8000"


def test_the_harness_finds_the_conductor(services):
    """Its address and token are those that are tried unless others are given."""
    assert services["lab"]["ports"] == [f"127.0.0.1:{Address.of(DEFAULT_URL).port}:{PORT}"]
    assert services["lab"]["environment"]["CONTROL_TOKEN"] == DEFAULT_TOKEN
    inside = services["harness"]["environment"]
    assert inside["HANDOFF_LAB_URL"] == f"http://lab:{PORT}"
    assert inside["HANDOFF_LAB_TOKEN"] == DEFAULT_TOKEN


def test_time_is_divided_as_the_stack_says(services, stack):
    """Fakes and integration wait on one scale."""
    told = {
        str(each["environment"]["HANDOFF_TIME_SCALE"])
        for each in services.values()
        if "HANDOFF_TIME_SCALE" in each.get("environment", {})
    }
    assert {float(scale) for scale in told} == {stack.time.scale}
