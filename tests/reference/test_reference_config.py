"""What the environment must say, and what is said when it does not."""

import os
import socket
import subprocess
import sys

import pytest

from reference.app import build
from reference.config import ConfigurationError, read_settings


def test_the_settings_are_read(environment):
    """Addresses, scale and the key of every role come from the variables."""
    settings = read_settings(environment | {"OPS_ROLE_NIGHT_SHIFT_KEY": "n"})

    assert settings.storefront_url.endswith("/shop/admin/api/2026-10")
    assert settings.scaled(100) == 2
    assert settings.role_keys["night-shift"] == "n"


def test_an_address_with_a_version_is_kept(environment):
    """A storefront address that names an API version is used as it is."""
    settings = read_settings(environment | {"STOREFRONT_URL": "http://shop/admin/api/2026-07/"})
    assert settings.storefront_url == "http://shop/admin/api/2026-07"


def test_secrets_are_not_shown(environment):
    """Printing the settings shows no secret."""
    shown = repr(read_settings(environment))
    for secret in ("hush", "shop-token", "key-oncall"):
        assert secret not in shown


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ERP_URL": "", "STOREFRONT_TOKEN": ""}, "STOREFRONT_TOKEN, ERP_URL"),
        ({"ERP_PRIVATE_KEY_FILE": "/nowhere"}, "ERP_PRIVATE_KEY_FILE"),
        ({"HANDOFF_TIME_SCALE": "fast"}, "HANDOFF_TIME_SCALE must be a number"),
        ({"HANDOFF_TIME_SCALE": "0"}, "HANDOFF_TIME_SCALE must be above zero"),
        ({"HANDOFF_TIME_SCALE": "inf"}, "HANDOFF_TIME_SCALE"),
        ({"GATEWAY_URL": "http://gateway"}, "GATEWAY_API_KEY, GATEWAY_WEBHOOK_SECRET"),
        ({"WMS_URL": "http://wms", "WMS_TOKEN": "t"}, "WMS_WEBHOOK_SECRET"),
        ({"INTEGRATION_PORT": "-1"}, "INTEGRATION_PORT"),
        ({"INTEGRATION_PORT": "70000"}, "INTEGRATION_PORT"),
        ({"INTEGRATION_PORT": "80.5"}, "INTEGRATION_PORT"),
    ],
)
def test_what_is_missing_or_wrong_is_named(environment, changes, words):
    """The error names every variable at fault."""
    with pytest.raises(ConfigurationError, match=words):
        read_settings(environment | changes)


@pytest.mark.parametrize("missing", ["ERP_URL", "OPS_ROLE_ECOMMERCE_OPS_KEY"])
def test_the_process_says_what_it_lacks(environment, missing):
    """A service that cannot run ends with one line that names the variable, and exit code 4."""
    variables = {name: value for name, value in {**os.environ, **environment}.items() if name != missing}
    ended = subprocess.run(
        [sys.executable, "-m", "reference"], env=variables, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 4
    assert missing in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_role_is_needed_once_its_handoff_is_there(environment):
    """The roles of the warehouse need keys as soon as there is a warehouse, and no sooner."""
    warehouse = {"WMS_URL": "http://wms", "WMS_TOKEN": "t", "WMS_WEBHOOK_SECRET": "whsec_c2VjcmV0"}
    build(read_settings(environment))
    with pytest.raises(ConfigurationError, match="OPS_ROLE_WAREHOUSE_OPS_KEY"):
        build(read_settings(environment | warehouse))
    build(read_settings(environment | warehouse | {"OPS_ROLE_WAREHOUSE_OPS_KEY": "k"}))


def test_an_address_in_use_is_said(environment):
    """A port that is taken is named, with exit code 4."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        variables = {**os.environ, **environment, "INTEGRATION_PORT": port}
        ended = subprocess.run(
            [sys.executable, "-m", "reference"], env=variables, capture_output=True, text=True, check=False
        )

    assert ended.returncode == 4
    assert port in ended.stderr
