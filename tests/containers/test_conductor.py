"""What a conductor tells, to whom, and how a harness finds it."""

import threading
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
import uvicorn

from harness.core.loading import load_stack
from harness.lab.choice import choose_lab
from harness.lab.conducted import KIND, find_conducted, hold_conducted
from harness.lab.containers.conductor import Conductor, build_app
from harness.lab.containers.places import Places
from harness.lab.errors import EnvironmentNotReady
from harness.lab.ports import Listener

STACK_PATH = Path(__file__).parents[2] / "reference" / "stack.yaml"
TOKEN = "of-this-lab"
INSIDE = {
    "ERP_URL": "http://tap:20102",
    "ERP_CONTROL_URL": "http://erp:8081",
    "INTEGRATION_HOST": "integration",
    "INTEGRATION_PORT": "8000",
    "HANDOFF_OUTSIDE": "ERP_CONTROL_URL=http://127.0.0.1:8482 INTEGRATION_HOST=127.0.0.1 INTEGRATION_PORT=8490",
    "PATH": "/bin",
}


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """Keep the register, and what is known of conductors, in a folder of the test's own."""
    monkeypatch.setenv("HANDOFF_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("HANDOFF_LAB_TOKEN", TOKEN)


@pytest.fixture
def conductor(monkeypatch):
    """Serve a conductor whose lab is connected, and name it to the harness."""
    for name, value in INSIDE.items():
        monkeypatch.setenv(name, value)
    stack = load_stack(STACK_PATH.read_text(), file=str(STACK_PATH))
    conductor = Conductor(stack, STACK_PATH, Places.read(INSIDE), TOKEN, connected=True)
    with _serve(conductor) as url:
        monkeypatch.setenv("HANDOFF_LAB_URL", url)
        yield conductor, url


@contextmanager
def _serve(conductor):
    listener = Listener()
    server = uvicorn.Server(uvicorn.Config(build_app(conductor), log_config=None, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener.hand_over()]})
    thread.start()
    try:
        yield listener.address.url
    finally:
        server.should_exit = True
        thread.join()


def test_a_lab_is_found_by_its_conductor(conductor):
    """Its variables come as this machine reaches it, with where its tap reaches the integration."""
    record = find_conducted()
    assert (record.id, record.kind) == (conductor[0].id, KIND)
    assert record.environment["ERP_CONTROL_URL"] == "http://127.0.0.1:8482"
    assert record.environment["ERP_URL"] == "http://tap:20102"
    assert record.environment["INTEGRATION_PORT"] == "8490"
    assert record.environment["INTEGRATION_ADDRESS"] == "integration:8000"
    assert record.environment["CONTROL_TOKEN"] == TOKEN
    assert "PATH" not in record.environment


def test_without_a_lab_in_the_register_the_conductors_is_joined(conductor):
    """By the stack or by its own id; an id nobody has is told with those there are."""
    assert choose_lab(STACK_PATH).id == conductor[0].id
    assert choose_lab(None, lab_id=conductor[0].id).id == conductor[0].id
    with pytest.raises(EnvironmentNotReady, match=conductor[0].id):
        choose_lab(None, lab_id="up-0-abc")


def test_one_run_has_the_lab_to_itself(conductor):
    """The second is told so; when the first hangs up the next may."""
    url = conductor[1]
    with hold_conducted(url), pytest.raises(EnvironmentNotReady, match="another run"), hold_conducted(url):
        pass
    for _ in range(200):  # the conductor notices the hang-up a moment after us
        try:
            with hold_conducted(url):
                return
        except EnvironmentNotReady:
            continue
    pytest.fail("the lab was never let go of")


def test_another_token_opens_nothing(conductor, monkeypatch):
    """Neither variables nor the lab itself, and the way to the right one is told."""
    monkeypatch.setenv("HANDOFF_LAB_TOKEN", "of-another-lab")
    with pytest.raises(EnvironmentNotReady, match="does not take our token") as refused:
        find_conducted()
    assert "HANDOFF_LAB_TOKEN" in refused.value.next_command
    with pytest.raises(EnvironmentNotReady), hold_conducted(conductor[1]):
        pass


def test_a_lab_that_is_being_connected_is_not_joined(conductor):
    """Health says so too, which is what compose waits for."""
    conductor[0].connected = False
    assert httpx2.get(f"{conductor[1]}/healthz", trust_env=False).status_code == 503
    with pytest.raises(EnvironmentNotReady, match="not up yet"):
        find_conducted()


def test_a_conductor_that_was_named_must_answer(monkeypatch):
    """One that nobody named may be missing; none is asked where the name is empty."""
    closed = Listener()
    closed.close()
    monkeypatch.setenv("HANDOFF_LAB_URL", closed.address.url)
    with pytest.raises(EnvironmentNotReady, match="does not answer") as missing:
        find_conducted()
    assert missing.value.next_command == "docker compose up --wait"
    monkeypatch.setenv("HANDOFF_LAB_URL", "")
    assert find_conducted() is None
