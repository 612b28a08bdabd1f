"""Integrations that the tap does not see: one that nobody calls and that calls nobody, one that goes around it."""

from __future__ import annotations

import json
import shlex
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.experiments import Place, Watch
from harness.lab.layout import choose_vendors
from harness.zoo.sabotage.ground import Unsuitable, spoil

if TYPE_CHECKING:
    from harness.core.result import Result
    from harness.zoo.sabotage.ground import Ground

GLANCE_S = 0.2
MUTE = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == HEALTH else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *words): pass
address = (os.environ["INTEGRATION_HOST"], int(os.environ["INTEGRATION_PORT"]))
http.server.ThreadingHTTPServer(address, Handler).serve_forever()
"""
AROUND = """
import os, pathlib, sys
told = pathlib.Path(sys.argv[1])
if told.exists():
    os.environ[sys.argv[2]] = told.read_text()
os.execvp(sys.argv[3], sys.argv[3:])
"""


async def nobody_calls(ground: Ground) -> Result:
    """Start an integration that is healthy and does nothing, and tell it nothing."""
    stack = replace(ground.stack, integration=replace(ground.stack.integration, webhooks={}))
    hasty = replace(ground.clean, steps=(Place((1,)), Watch(GLANCE_S, "anything at all")))
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "mute.py"
        script.write_text(f"HEALTH = {json.dumps(stack.integration.health)}{MUTE}", encoding="utf-8")
        async with ground.open(stack, shlex.join([sys.executable, str(script)])) as bench:
            return await spoil(bench, hasty)


async def around_the_tap(ground: Ground) -> Result:
    """Give the integration the vendor's own address, so that one of its connections is seen by one witness only."""
    experiment = ground.clean
    command = shlex.split(ground.options.integration_command or "") or list(ground.stack.integration.command)
    if not command:
        raise Unsuitable("the integration is not ours to start")
    first = sys.executable if command[0] in {"python", "python3"} else command[0]
    system = ground.retried.faults[0].system
    with tempfile.TemporaryDirectory() as folder:
        script, told = Path(folder) / "around.py", Path(folder) / "real"
        script.write_text(AROUND, encoding="utf-8")
        words = [sys.executable, str(script), str(told), _name_url(ground, system), first, *command[1:]]
        async with ground.open(command=shlex.join(words)) as bench:
            told.write_text(f"http://{bench.lab.vendor_addresses[system]}", encoding="utf-8")
            await bench.lab.integration.restart()
            return await spoil(bench, experiment)


def _name_url(ground: Ground, system: str) -> str:
    """Name the variable that leads to a system."""
    vendors, _ = choose_vendors(ground.stack, stack_path=ground.options.stack_path)
    return f"{vendors[system].prefix}_URL"
