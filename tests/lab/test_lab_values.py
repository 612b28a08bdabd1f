"""Addresses, secrets and variables."""

import base64
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from harness.core.outcomes import ResolvedWhen
from harness.core.stack import Handoff, Integration, Stack, System
from harness.lab.credentials import build_role_key, make_credentials, write_private
from harness.lab.environment import (
    Sites,
    build_controls,
    build_environment,
    clear_ours,
    is_for_the_integration,
    name_role_key,
    render_dotenv,
)
from harness.lab.goods import SKUS, build_goods
from harness.lab.layout import choose_vendors, describe_needs
from harness.lab.ports import Address, Listener, find_free_port, is_free
from harness.lab.topics import list_topics


@pytest.fixture(scope="module")
def credentials():
    """Make the secrets of one lab."""
    return make_credentials()


@pytest.fixture
def sites(tmp_path):
    """Name the addresses of a lab."""
    return Sites(
        outbound={"STOREFRONT": "http://127.0.0.1:1", "ERP": "http://127.0.0.1:2"},
        opsdesk="http://127.0.0.1:3",
        controls={"STOREFRONT": "http://127.0.0.1:4", "OPSDESK": "http://127.0.0.1:5"},
        toxics="http://127.0.0.1:7",
        integration=Address("127.0.0.1", 6),
        data_folder=tmp_path / "data",
        private_key_file=tmp_path / "key.pem",
    )


def _build(sites, credentials, **changes):
    given = {"nonce": "n1", "roles": ["integration-oncall"], "stack_path": None, "scale": 20.0, **changes}
    return build_environment(sites, credentials, **given)


def test_the_integration_is_told_everything_and_no_control_plane(sites, credentials):
    """The variables are those of the contract; nothing lets the integration see or steer the fakes."""
    variables = _build(sites, credentials)
    assert set(variables) == {
        "STOREFRONT_URL", "STOREFRONT_TOKEN", "STOREFRONT_WEBHOOK_SECRET",
        "ERP_URL", "ERP_ACCOUNT", "ERP_CLIENT_ID", "ERP_CLIENT_SECRET", "ERP_PRIVATE_KEY_FILE",
        "ERP_CERTIFICATE_ID", "ERP_TOKEN_ID", "ERP_TOKEN_SECRET",
        "OPS_PAGERDUTY_URL", "OPS_SLACK_URL", "OPS_ZENDESK_URL", "OPS_JIRA_URL", "OPS_ROLE_INTEGRATION_ONCALL_KEY",
        "HANDOFF_TIME_SCALE", "INTEGRATION_HOST", "INTEGRATION_PORT", "INTEGRATION_DATA_DIR",
    }  # fmt: skip
    assert credentials.control_token not in variables.values()


def test_a_system_that_is_not_there_has_no_variables(sites, credentials):
    """A stack without an ERP tells of no ERP."""
    few = Sites(
        outbound={}, opsdesk=sites.opsdesk, controls={}, toxics=sites.toxics, integration=sites.integration,
        data_folder=sites.data_folder, private_key_file=sites.private_key_file,
    )  # fmt: skip
    assert not [name for name in _build(few, credentials) if name.startswith(("ERP_", "STOREFRONT_"))]


def test_the_stack_and_the_scale_are_offered(sites, credentials, tmp_path):
    """The path of the stack and the divisor of waits are as given; a whole divisor has no decimals."""
    variables = _build(sites, credentials, stack_path=tmp_path / "stack.yaml", scale=2.5)
    assert variables["HANDOFF_STACK"] == str(tmp_path / "stack.yaml")
    assert variables["HANDOFF_TIME_SCALE"] == "2.5"
    assert _build(sites, credentials, scale=20.0)["HANDOFF_TIME_SCALE"] == "20"


def test_control_planes_are_for_the_shell_of_the_user(sites, credentials):
    """`handoff lab env` adds one URL a fake, the toxic engine's, and the token; none is for the integration."""
    controls = build_controls(sites, credentials)
    assert controls == {
        "STOREFRONT_CONTROL_URL": "http://127.0.0.1:4",
        "OPSDESK_CONTROL_URL": "http://127.0.0.1:5",
        "TOXIPROXY_URL": "http://127.0.0.1:7",
        "HANDOFF_ENGINE": "embedded",
        "CONTROL_TOKEN": credentials.control_token,
    }
    assert not any(map(is_for_the_integration, controls))
    assert all(map(is_for_the_integration, _build(sites, credentials)))


def test_the_key_of_a_role_is_its_own_in_every_lab():
    """The same nonce and role give the same 32 hex characters; another lab or role gives others."""
    key = build_role_key("n1", "compliance")
    assert key == build_role_key("n1", "compliance")
    assert len(key) == len(f"{int(key, 16):032x}") == 32
    assert len({key, build_role_key("n2", "compliance"), build_role_key("n1", "warehouse")}) == 3


@pytest.mark.parametrize(
    ("role", "name"),
    [("integration-oncall", "OPS_ROLE_INTEGRATION_ONCALL_KEY"), ("tier.2 desk", "OPS_ROLE_TIER_2_DESK_KEY")],
)
def test_a_role_names_its_variable(role, name):
    """Everything that a variable cannot hold becomes an underscore."""
    assert name_role_key(role) == name


def test_a_shell_reads_the_variables_as_they_are(tmp_path):
    """Whatever stands in a value, `. file` gives back the same."""
    values = {
        "PLAIN": "http://127.0.0.1:1",
        "SPACES": "two  words ",
        "QUOTES": """it's "quoted" `now` $HOME $(date) \\n""",
        "LINES": "one\ntwo",
        "EMPTY": "",
        "UNICODE": "ümlaut → ✓",
    }
    path = write_private(tmp_path / "lab.env", render_dotenv(values))
    script = '. "$0"; for name in "$@"; do eval "printf %s \\"\\$$name\\""; printf "\\036"; done'
    shown = subprocess.run(["sh", "-c", script, path, *values], capture_output=True, check=True).stdout.decode()
    assert dict(zip(values, shown.split("\036")[:-1], strict=True)) == values


def test_nothing_of_an_outer_lab_reaches_a_child():
    """Variables that labs set are dropped; what is the user's own stays, also where the prefix is the same."""
    mine = {
        "PATH": "/bin",
        "ERP_SUBSIDIARY": "7",
        "HANDOFF_STATE_DIR": "/s",
        "DATABASE_URL": "x",
        "INTEGRATION_MODE": "a",
    }
    theirs = dict.fromkeys(
        ("CONTROL_TOKEN", "ERP_CONTROL_URL", "ERP_URL", "STOREFRONT_TOKEN", "OPS_ROLE_A_B_KEY", "HANDOFF_LAB",
         "HANDOFF_STACK", "INTEGRATION_PORT", "GATEWAY_API_KEY", "WMS_EDI_URL", "OPS_SLACK_URL"), "old"
    )  # fmt: skip
    assert clear_ours({**mine, **theirs}) == mine


def test_secrets_are_fresh_in_every_lab(credentials):
    """No two labs share a secret."""
    other = make_credentials()
    ours = {getattr(credentials, name) for name in credentials.__slots__}
    assert not ours & {getattr(other, name) for name in other.__slots__}


def test_secrets_are_not_shown(credentials):
    """A log line with the credentials in it gives nothing away."""
    assert credentials.control_token not in repr(credentials)


def test_the_key_pair_is_one(credentials):
    """The public half belongs to the private one."""
    private = load_pem_private_key(credentials.private_key, password=None)
    assert private.public_key() == load_pem_public_key(credentials.public_key)


def test_private_files_are_the_owners_only(tmp_path):
    """A file that exists is replaced, and nobody else may read the new one."""
    path = tmp_path / "key.pem"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, b"new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["key.pem"]


def test_a_listener_keeps_its_port_after_it_was_handed_over():
    """The port stays the same for the next process that serves it."""
    listener = Listener()
    for _ in range(2):
        given = listener.hand_over()
        assert given.getsockname() == (listener.address.host, listener.address.port)
        assert not is_free(listener.address.port)
        given.close()
    listener.close()


def test_a_port_that_somebody_took_is_an_error():
    """Binding anew says so instead of serving elsewhere."""
    listener, other = Listener(), Listener()
    listener.close()
    held = other.hand_over()
    listener.address = other.address
    with pytest.raises(OSError, match="in use"):
        listener.hand_over()
    held.close()


def test_ports_for_others_lie_outside_the_ephemeral_range():
    """No outgoing connection can take a port that is kept for the integration."""
    low, high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    port = find_free_port(())
    assert not low <= port <= high
    assert find_free_port({port}) != port


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:9000", "127.0.0.1:9000"),
        ("http://middleware.test/base", "middleware.test:80"),
        ("https://middleware.test", "middleware.test:443"),
    ],
)
def test_an_address_is_read_from_a_url(url, expected):
    """A URL without a port means the scheme's."""
    assert str(Address.of(url)) == expected


def build_stack(*handoffs, **fakes):
    """Build a stack of these systems and handoffs."""
    return Stack(
        name="acme",
        systems={name: System(name, fake=fake) for name, fake in fakes.items()},
        integration=Integration(webhooks={name: f"/webhooks/{name}" for name in fakes}),
        roles={},
        handoffs=handoffs,
    )


def build_handoff(source, protocol, *operations, record=None):
    """Build a handoff that ends in a record, if any."""
    end = ResolvedWhen("erp", record, "exists_once") if record else None
    return Handoff("h", source, "erp", protocol, 60.0, operations=operations, resolved_when=end)


def test_every_vendor_has_a_fake():
    """Shop, ERP, gateway and warehouse are played, each under the prefix of its variables; the ops desk is always there."""
    vendors, absent = choose_vendors(build_stack(shop="shopify", books="netsuite", pay="stripe", depot="wms"))
    assert {name: vendor.prefix for name, vendor in vendors.items()} == {
        "shop": "STOREFRONT", "books": "ERP", "pay": "GATEWAY", "depot": "WMS", "opsdesk": "OPSDESK",
    }  # fmt: skip
    assert absent == {}


def test_gateway_and_warehouse_have_accounts_in_their_formats(sites, credentials):
    """A test key, an endpoint secret, a token, and a Standard Webhooks secret, which is base64; nothing of who is not there."""
    outbound = {"GATEWAY": "http://127.0.0.1:8", "WMS": "http://127.0.0.1:9"}
    variables = _build(replace(sites, outbound=outbound), credentials)
    accounts = {name: value for name, value in variables.items() if name.startswith(("GATEWAY", "WMS", "ERP", "STORE"))}
    assert set(accounts) == {
        "GATEWAY_URL", "GATEWAY_API_KEY", "GATEWAY_WEBHOOK_SECRET", "WMS_URL", "WMS_TOKEN", "WMS_WEBHOOK_SECRET",
    }  # fmt: skip
    assert accounts["GATEWAY_API_KEY"].startswith("sk_test_")
    assert accounts["GATEWAY_WEBHOOK_SECRET"].startswith("whsec_")
    kind, _, encoded = accounts["WMS_WEBHOOK_SECRET"].partition("_")
    assert (kind, len(base64.b64decode(encoded, validate=True))) == ("whsec", 24)
    assert clear_ours(accounts) == {}


def test_a_receiver_is_subscribed_to_what_its_vendor_usually_tells():
    """Where no webhook handoff names topics, each vendor has its own; calls to a vendor are no topics."""
    stack = build_stack(build_handoff("shop", "api", "sales_order.create"), shop="shopify", pay="stripe", depot="wms")
    assert {name: list_topics(stack, name) for name in stack.systems} == {
        "shop": ["orders/create", "orders/updated"],
        "pay": ["payment_intent.succeeded"],
        "depot": ["order.shipped"],
    }


def test_a_receiver_is_subscribed_to_what_its_handoffs_name():
    """The topics of webhook handoffs from a system are taken as they stand, with a slash or not."""
    stack = build_stack(
        build_handoff("shop", "webhook", "orders/create", "orders/cancelled"),
        build_handoff("depot", "webhook", "order.shipped", "inventory.adjusted"),
        build_handoff("depot", "api", "item_fulfillment.transform"),
        shop="shopify",
        depot="wms",
    )
    assert list_topics(stack, "shop") == ["orders/create", "orders/cancelled"]
    assert list_topics(stack, "depot") == ["order.shipped", "inventory.adjusted"]


@pytest.mark.parametrize("record", ["credit_memo", "refund"])
def test_a_shop_whose_refunds_are_booked_tells_of_refunds(record):
    """A handoff from the shop that ends in a credit memo or a refund cannot begin without that topic, named or not."""
    handoffs = (build_handoff("shop", "webhook", "orders/create"), build_handoff("shop", "api", record=record))
    assert list_topics(build_stack(*handoffs, shop="shopify"), "shop") == ["orders/create", "refunds/create"]
    named = (build_handoff("shop", "webhook", "refunds/create"), handoffs[1])
    assert list_topics(build_stack(*named, shop="shopify"), "shop") == ["refunds/create"]


def test_a_lab_is_built_to_its_topics():
    """A stack that needs other topics than a lab that is up was built to does not fit into it."""
    few = build_stack(build_handoff("depot", "webhook"), depot="wms")
    more = build_stack(build_handoff("depot", "webhook", "inventory.adjusted"), depot="wms")
    assert describe_needs(few)["webhook topics"] != describe_needs(more)["webhook topics"]


def test_shop_and_warehouse_begin_with_the_same_goods():
    """Every catalogue item lies at the same locations in the same numbers, and the warehouse knows no other."""
    shop, depot = build_goods("shopify"), build_goods("wms")
    levels = {(item["sku"], at): units for item in shop["records"]["items"] for at, units in item["levels"].items()}
    assert levels == {(item["sku"], item["location"]): item["on_hand"] for item in depot["records"]["stock"]}
    assert {sku for sku, _ in levels} == set(SKUS)
    assert depot["settings"] == {"unknown_items": "refuse"}
    assert build_goods("netsuite") == {}
