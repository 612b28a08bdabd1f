"""Do what a lab needs side by side, and fail as its first failing part did."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, NoReturn

from harness.lab.errors import EnvironmentNotReady, ProcessFailed


async def run_together(parts: Iterable[Coroutine[Any, Any, None]]) -> None:
    """
    Run all at once; the first that fails cancels the others, and its error is the one raised.

    A part that ended or never became ready is raised as EnvironmentNotReady.
    """
    try:
        async with asyncio.TaskGroup() as group:
            for part in parts:
                group.create_task(part)
    except BaseExceptionGroup as errors:
        _raise_first(errors)


def _raise_first(errors: BaseExceptionGroup[BaseException]) -> NoReturn:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, ProcessFailed):
        raise EnvironmentNotReady(error.role, error.told, "handoff doctor") from error
    raise error
