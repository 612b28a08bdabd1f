"""The events and webhook endpoints side of the API: one handler an operation."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fakes.gateway.catalogue import TOPICS
from fakes.gateway.errors import invalid, missing, refuse
from fakes.gateway.execution import Work
from fakes.gateway.listing import answer_list, answer_object, cut, read_page
from fakes.gateway.model import Endpoint
from fakes.gateway.objects import build_endpoint, build_event
from fakes.gateway.params import read_params

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fakes.gateway.account import Account
    from fakes.gateway.execution import Executor
    from fakes.gateway.params import Params
    from fakes.kit.answers import Answer
    from fakes.kit.exchange import Exchange

_IGNORED = ("connect", "expand")


class NoticeRoutes:
    """Handlers of events and webhook endpoints; plain http addresses are taken, as a lab needs them."""

    def __init__(self, account: Account, executor: Executor) -> None:
        self._account = account
        self._executor = executor

    def build(self) -> dict[str, Callable[[Exchange], Answer | Awaitable[Answer]]]:
        """Return the handlers by operation."""
        return {
            "event.list": self.list_events,
            "event.read": self.read_event,
            "webhook_endpoint.create": self._executor.wrap(self.create),
            "webhook_endpoint.list": self.list_endpoints,
            "webhook_endpoint.read": self.read_endpoint,
            "webhook_endpoint.delete": self.delete,
        }

    def list_events(self, exchange: Exchange) -> Answer:
        """Answer one page of events, the newest first, of some types if asked."""
        params = read_params(exchange)
        page, one_type, types = read_page(params), params.text("type"), params.items("types")
        _finish(params)
        held = [
            one for one in self._account.events if one_type in (None, one.type) and one.type in (types or [one.type])
        ]
        shown, more = cut(held, page, what="event")
        return answer_list("/v1/events", shown, build_event, more=more)

    def read_event(self, exchange: Exchange) -> Answer:
        """Answer one event."""
        _finish(read_params(exchange))
        event = self._account.events.get(exchange.params["id"])
        if event is None:
            raise missing("event", exchange.params["id"])
        return answer_object(build_event(event))

    def create(self, exchange: Exchange) -> Work:
        """Subscribe an address; its secret is shown in this answer and never again."""
        params = read_params(exchange)
        url, topics = params.required("url"), params.items("enabled_events")
        if not topics:
            raise refuse("parameter_missing", "Missing required param: enabled_events.", param="enabled_events")
        unknown = [topic for topic in topics if topic not in (*TOPICS, "*")]
        if unknown:
            raise invalid(
                f"Invalid enabled_events: {unknown[0][:80]!r} is not an event type here", param="enabled_events"
            )
        if not _is_web_address(url):
            raise refuse(
                "url_invalid", "Invalid URL: An explicit scheme (such as https) must be provided.", param="url"
            )
        made = Endpoint(
            self._account.new_id("we"),
            url,
            tuple(dict.fromkeys(topics)),
            self._account.clock.wall(),
            secret=f"whsec_{self._account.ids.text('endpoint-secret', length=32)}",
            metadata=params.metadata({}),
            description=params.text("description"),
            api_version=params.text("api_version"),
        )
        _finish(params)

        def run() -> Answer:
            self._account.subscribe(made, exchange)
            return answer_object({**build_endpoint(made), "secret": made.secret})

        return Work(run)

    def list_endpoints(self, exchange: Exchange) -> Answer:
        """Answer one page of webhook endpoints."""
        params = read_params(exchange)
        page = read_page(params)
        _finish(params)
        shown, more = cut(self._account.endpoints, page, what="webhook_endpoint")
        return answer_list("/v1/webhook_endpoints", shown, build_endpoint, more=more)

    def read_endpoint(self, exchange: Exchange) -> Answer:
        """Answer one webhook endpoint."""
        _finish(read_params(exchange))
        return answer_object(build_endpoint(self._find(exchange)))

    def delete(self, exchange: Exchange) -> Answer:
        """Remove a webhook endpoint; what is on its way to it is not tried again."""
        held = self._find(exchange)
        self._account.unsubscribe(held, exchange)
        return answer_object({"id": held.id, "object": "webhook_endpoint", "deleted": True})

    def _find(self, exchange: Exchange) -> Endpoint:
        held = self._account.endpoints.get(exchange.params["id"])
        if held is None:
            raise missing("webhook endpoint", exchange.params["id"])
        return held


def _finish(params: Params) -> None:
    params.drop(_IGNORED)
    params.finish()


def _is_web_address(address: str) -> bool:
    if not address.isascii() or not address.isprintable() or " " in address:
        return False
    try:
        parts = urlsplit(address)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
