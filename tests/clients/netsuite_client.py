"""
Drives the ERP fake with the `netsuite` package, unchanged; runs in an environment of its own.

Reads `{"url", "config", "calls": [{"verb", "path", …}], "at_once"?}` on stdin: `verb` is a method of the client, everything else but the
path is handed on to it. Writes a list on stdout, one `{"value"}` or `{"error", "status", "text"}` for each call.
"""

import asyncio
import json
import sys
from typing import Any

from netsuite import Config, NetSuiteRestApi
from netsuite.exceptions import NetsuiteAPIRequestError


async def make_call(api: NetSuiteRestApi, base: str, call: dict[str, Any]) -> dict[str, Any]:
    """Make one call and tell how it ended."""
    given = dict(call)
    verb = getattr(api, given.pop("verb"))
    path = given.pop("path", None)
    if path is None:
        given["url"] = f"{base}/services/rest/query/v1/suiteql"
    else:
        given |= {"subpath": path, "url": f"{base}/services/rest{path}"}
    try:
        return {"value": await verb(**given)}
    except NetsuiteAPIRequestError as error:
        return {"error": type(error).__name__, "status": error.status_code, "text": str(error)}


async def run_story(story: dict[str, Any]) -> list[dict[str, Any]]:
    """Make the calls of a story, one after another or all at once."""
    api = NetSuiteRestApi(Config(**story["config"]), concurrent_requests=50)
    calls = [make_call(api, story["url"], call) for call in story["calls"]]
    if story.get("at_once"):
        return list(await asyncio.gather(*calls))
    return [await call for call in calls]


if __name__ == "__main__":
    json.dump(asyncio.run(run_story(json.load(sys.stdin))), sys.stdout)
