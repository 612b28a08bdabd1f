"""
Make the archive of classes with which WireMock starts in half the time: `python -m harness.lab.class_archive`.

Java writes down what WireMock has loaded once it serves, and maps it in at later starts. The archive lies beside the jar and is
for this Java and this jar: any other passes it over and starts as slowly as before.
"""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

import httpx2

from harness.lab.environment import clear_ours
from harness.lab.ports import Listener
from harness.lab.readiness import Healthy
from harness.lab.tools import read_java_version
from harness.lab.wiremock import JAVA_OPTIONS, READY_WITHIN_S, Programs, find_programs, name_archive

# The first Java that writes such an archive at its end.
OLDEST_JAVA = 13


async def make_archive(programs: Programs) -> Path:
    """Make the archive and return where it is; raises OSError or TimeoutError where WireMock cannot be served or ended."""
    archive = name_archive(programs.jar)
    part = archive.with_suffix(".part")
    free = Listener()
    free.close()
    at = free.address
    with tempfile.TemporaryDirectory() as root:
        options = [*JAVA_OPTIONS, f"-XX:ArchiveClassesAtExit={part}", "-jar", str(programs.jar)]
        serve = ["--port", str(at.port), "--bind-address", at.host, "--root-dir", root, "--disable-banner"]
        process = await asyncio.create_subprocess_exec(
            programs.java, *options, *serve, stdout=asyncio.subprocess.DEVNULL, env=clear_ours(os.environ)
        )
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                await Healthy(f"{at.url}/__admin/health").wait()
                async with httpx2.AsyncClient(trust_env=False) as client:
                    await client.post(f"{at.url}/__admin/shutdown")
                await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
    part.replace(archive)
    return archive


def main() -> int:
    """Make it where there is WireMock and a Java that can; say what was made or is lacking."""
    programs = find_programs()
    if isinstance(programs, Programs) and (read_java_version(programs.java) or 0) < OLDEST_JAVA:
        programs = f"only Java {OLDEST_JAVA} or later writes an archive; WireMock starts without one, if more slowly"
    if isinstance(programs, str):
        print(programs, file=sys.stderr)  # noqa: T201 - for who runs it by hand
        return 12
    print(asyncio.run(make_archive(programs)))  # noqa: T201 - as above
    return 0


if __name__ == "__main__":
    sys.exit(main())
