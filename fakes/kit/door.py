"""Who may call a control plane: whoever has its token, and no web page."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from fakes.kit.pages import find_page
from fakes.kit.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response


class Door:
    """Lets calls in that carry the token."""

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}".encode()

    def admit(self, headers: Mapping[str, str], *, public: bool = False) -> None:
        """Let a call with these headers, their names in lower case, in; raises ProblemError. A ``public`` call needs no token."""
        page = find_page(headers)
        if page is not None:
            raise ProblemError(*page)
        if not public and not hmac.compare_digest(headers.get("authorization", "").encode("latin-1"), self._expected):
            raise ProblemError(401, "the control token is missing or wrong")


def build_refusal(problem: ProblemError) -> Response:
    """Return the answer to a call that is refused."""
    response = problem.build_response()
    if problem.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="handoff control plane"'
    return response
