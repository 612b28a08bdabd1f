"""What the containers of a lab are to be, before any is made."""

import ast
import re
import sys
from dataclasses import replace
from importlib.metadata import packages_distributions
from pathlib import Path, PurePath

import pytest

from harness.core.loading import load_stack
from harness.core.problems import StackError
from harness.lab.authority import make_authority
from harness.lab.containers import images, plan
from harness.lab.containers.confinement import NOBODY, choose_user, confine, publish
from harness.lab.containers.daemon import ensure_own_address, ensure_same_kernel
from harness.lab.credentials import make_credentials
from harness.lab.errors import EnvironmentNotReady
from harness.lab.hostnames import list_hosts
from harness.lab.layout import Identity, choose_vendors

ROOT = Path(__file__).parents[2]
STACK_PATH = ROOT / "reference" / "stack.yaml"


@pytest.fixture(scope="module")
def stack():
    """Read the stack of the reference."""
    return load_stack(STACK_PATH.read_text(), file=str(STACK_PATH))


@pytest.fixture(scope="module")
def credentials():
    """Make the secrets of one lab."""
    return make_credentials()


@pytest.fixture
def lab(tmp_path):
    """Name a lab."""
    return Identity("try-0-abc", "n0nce", tmp_path, 20.0)


def test_every_container_is_confined(monkeypatch):
    """No root, no rights, nothing to write but what is in memory, and the labels by which a sweep finds it."""
    monkeypatch.setattr("os.getuid", lambda: 0)
    given = confine({"handoff.lab": "l"})
    assert given["user"] == f"{NOBODY}:{NOBODY}"
    assert given["read_only"]
    assert given["cap_drop"] == ["ALL"]
    assert given["security_opt"] == ["no-new-privileges:true"]
    assert given["labels"] == {"handoff.lab": "l"}
    assert "privileged" not in given


def test_a_harness_that_is_not_root_lends_its_own_user(monkeypatch):
    """What containers write into the lab's folder can then be read and removed."""
    monkeypatch.setattr("os.getuid", lambda: 1234)
    assert choose_user() == 1234


def test_ports_are_published_on_loopback_alone():
    """Nobody on the network reaches a control plane."""
    assert publish({8081: 20999}) == {"8081/tcp": ("127.0.0.1", 20999)}


def test_an_image_is_chosen_before_a_command(stack):
    """What is given wins over the stack; a command runs in the image; one of ours is of this version."""
    assert images.choose_image(stack, None, None) == images.ChosenImage(f"handoff/reference:{images.VERSION}")
    chosen = images.choose_image(stack, "acme/middleware:7", "node server.js --port '8 000'")
    assert chosen == images.ChosenImage("acme/middleware:7", ("node", "server.js", "--port", "8 000"))


def test_a_stack_without_an_image_is_told_where_to_name_one(stack):
    """Exit 4, at the integration's place in the stack."""
    bare = replace(stack, integration=replace(stack.integration, image=None))
    with pytest.raises(StackError) as refused:
        images.choose_image(bare, None, None)
    (problem,) = refused.value.problems
    assert (problem.file, "--image IMAGE" in problem.fix) == (str(STACK_PATH), True)
    assert problem.line


def test_what_gets_an_image_is_told():
    """Ours and those that are built under their names are made here, others are pulled."""
    assert images.tell_image(images.FAKES) == images.tell_image(images.WIREMOCK) == "make images"
    assert images.tell_image("acme/middleware:7") == "docker pull acme/middleware:7"


def test_the_integration_is_given_no_control_token(lab, credentials):
    """It sees its variables, its key and the lab's certificate, read-only, and writes into its data folder alone."""
    box = plan.build_integration(
        images.ChosenImage("i"), {"ERP_URL": "http://127.0.0.1:20102"}, lab, stack_path=STACK_PATH
    )
    assert credentials.control_token not in box.environment.values()
    assert box.environment["SSL_CERT_FILE"] == "/run/handoff/ca.pem"
    assert set(box.files) == {"/run/handoff/ca.pem", "/run/handoff/erp-private.pem", "/run/handoff/stack.yaml"}
    assert box.folders == {"/data": lab.folder / "data"}
    assert (box.beside, box.published) == ("tap", {})


def test_fakes_have_their_account_and_no_others(stack, lab, credentials):
    """The ERP gets the public half of the key, a mapped system its mappings, and every one the control token by variable."""
    vendors, _ = choose_vendors(stack, stack_path=STACK_PATH)
    boxes = {name: plan.build_fake(name, vendor, lab, credentials, control=1) for name, vendor in vendors.items()}
    assert all(box.environment["CONTROL_TOKEN"] == credentials.control_token for box in boxes.values())
    assert all(credentials.control_token not in " ".join(box.command) for box in boxes.values())
    assert "/run/handoff/erp-public.pem" in boxes["erp"].files
    assert boxes["carrier"].files == {"/run/handoff/mappings": ROOT / "fakes" / "carrier"}
    assert boxes["carrier"].command[-1] == "http://wiremock:8080"
    assert "GATEWAY_API_KEY" not in boxes["wms"].environment


def test_doors_do_not_overlap(stack):
    """Each system has a door for calls, each receiver one for webhooks, apart from the tap's own ports and the integration's."""
    vendors, _ = choose_vendors(stack, stack_path=STACK_PATH)
    doors = plan.Doors.of(vendors, stack.integration.webhooks)
    ports = [*doors.outbound.values(), *doors.inbound.values(), plan.TAP_CONTROL_PORT, plan.TAP_ADMIN_PORT]
    assert len(set(ports)) == len(ports)
    assert plan.INTEGRATION_PORT not in ports
    assert doors.tell_outbound("erp") == f"http://127.0.0.1:{doors.outbound['erp']}"


@pytest.mark.parametrize("address", ["tcp://10.0.0.1:2375", "ssh://ops@docker.example.com", "tcp://[2001:db8::1]:2376"])
def test_an_engine_elsewhere_is_refused_before_it_is_asked(address):
    """Clocks of two machines tell no gaps: exit 12, saying so."""
    with pytest.raises(EnvironmentNotReady, match="one kernel"):
        ensure_own_address(address)


@pytest.mark.parametrize("address", ["", "unix:///var/run/docker.sock", "tcp://127.0.0.1:2375", "tcp://localhost:2375"])
def test_an_engine_here_is_taken(address):
    """By its socket, or on loopback."""
    ensure_own_address(address)


def test_an_engine_on_another_kernel_is_refused():
    """A virtual machine on this machine is another machine."""
    with pytest.raises(EnvironmentNotReady, match=r"6\.0-elsewhere"):
        ensure_same_kernel("6.0-elsewhere")


def test_the_certificate_is_one_a_client_can_read(tmp_path):
    """What is mounted into the integration is PEM, and carries no key."""
    pem = make_authority().ca_pem
    assert pem.startswith("-----BEGIN CERTIFICATE-----")
    assert "KEY" not in pem


@pytest.mark.parametrize("package", ["fakes", "reference"])
def test_the_requirements_of_an_image_are_what_its_sources_import(package):
    """An image holds no package that is missing, and none that nobody imports."""
    imported = {name for path in (ROOT / package).rglob("*.py") for name in _imports(path)}
    known = packages_distributions()
    ours = {"fakes", "reference"} | set(sys.stdlib_module_names)
    needed = {_normal(known[name][0]) for name in imported - ours}
    listed = {_normal(line) for line in (ROOT / "images" / package / "requirements.txt").read_text().split()}
    assert needed <= listed, "missing from the image"
    # uvicorn finds these two by itself
    assert listed - needed <= {"httptools", "uvloop"}, "imported by nobody"


def test_images_are_built_under_the_names_labs_start():
    """The script, the compose file and the lab agree about what is not ours."""
    script = (ROOT / "images" / "build").read_text()
    compose = (ROOT / "docker-compose.yml").read_text()
    for image in (images.TOXIPROXY, images.WIREMOCK):
        assert image in script
        assert f"image: {image}\n" in compose


def _imports(path: PurePath):
    for node in ast.walk(ast.parse(Path(path).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_hosts_are_the_stacks_own_and_the_vendors_usual_ones(stack):
    """A name in the stack wins over a usual one, and two systems cannot have one name."""
    vendors, _ = choose_vendors(stack, stack_path=STACK_PATH)
    usual = list_hosts(stack, vendors)
    assert usual["api.stripe.com"] == "gateway"
    assert usual["tstdrv1-sb1.suitetalk.api.netsuite.com"] == "erp"
    carrier = replace(stack.systems["carrier"], hosts=("api.stripe.com", "api.parcels.example"))
    ours = replace(stack, systems={**stack.systems, "carrier": carrier})
    assert list_hosts(ours, vendors) == {**usual, "api.stripe.com": "carrier", "api.parcels.example": "carrier"}
    crm = replace(stack.systems["crm"], hosts=("api.parcels.example",))
    with pytest.raises(StackError, match=r"api\.parcels\.example"):
        list_hosts(replace(ours, systems={**ours.systems, "crm": crm}), vendors)
