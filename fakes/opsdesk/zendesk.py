"""Zendesk tickets: create, list, read, update, search."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fakes.kit.answers import Answer, RefusedError, build_json_answer
from fakes.kit.bodies import dig, texts
from fakes.kit.entities import Subject
from fakes.kit.limits import Window
from fakes.opsdesk.errors import build_ticket_error, invalid_ticket
from fakes.opsdesk.model import Ticket
from fakes.opsdesk.tickets import build_ticket, format_time, page_of, read_ticket

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fakes.kit.exchange import Exchange
    from fakes.opsdesk.desk import Desk


@dataclass(frozen=True, slots=True)
class _Kept:
    """The answer to a create that carried an idempotency key."""

    body_sha256: str
    answer: Answer
    at: float


class TicketRoutes:
    """Handlers of tickets, with the account's rate limit and its idempotency keys."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.reset()

    def reset(self) -> None:
        """Forget keys and counts."""
        self._kept: dict[str, _Kept] = {}
        self._window: Window | None = None

    def check(self, exchange: Exchange) -> None:
        """Refuse calls past the limit, or without credentials where a token is set."""
        token = self._desk.settings.zendesk_token
        given = exchange.headers.get("authorization", "")
        if token is not None and given != f"Bearer {token}":
            raise RefusedError(build_ticket_error(401, "Unauthorized", ""))
        window = self._find_window()
        if not window.take():
            text = "Rate limit exceeded"
            raise RefusedError(build_ticket_error(429, "TooManyRequests", text, retry_after_s=window.wait_s()))

    def dress(self) -> Iterable[tuple[str, str]]:
        """Give the headers that tell how much of the limit is left."""
        window = self._find_window()
        yield "X-Rate-Limit", str(window.limit)
        yield "X-Rate-Limit-Remaining", str(max(0, window.left()))
        yield "ratelimit-reset", str(round(window.wait_s()))

    def create(self, exchange: Exchange) -> Answer:
        """Open a ticket; the same idempotency key answers the same, another body under it is refused."""
        key = exchange.headers.get("idempotency-key")
        kept = self._find_kept(key)
        if kept is not None:
            if kept.body_sha256 != hashlib.sha256(exchange.body).hexdigest():
                text = "The idempotency key was used with other parameters"
                return build_ticket_error(400, "IdempotentRequestError", text)
            return replace(kept.answer, headers=(*kept.answer.headers, ("x-idempotency-lookup", "hit")))
        now = self._desk.clock.wall()
        ticket = read_ticket(
            exchange,
            Ticket(
                self._desk.ids.number("ticket", digits=9, room=5),
                "",
                "",
                None,
                None,
                "new",
                None,
                None,
                (),
                (),
                now,
                now,
            ),
        )
        self._desk.tickets.put(ticket.id, ticket, entity=exchange.entity, exchange=exchange)
        url = f"http://{exchange.host}/api/v2/tickets/{ticket.id}.json"
        body = {"ticket": build_ticket(ticket, exchange.host), "audit": {"id": ticket.id + 1, "ticket_id": ticket.id}}
        answer = build_json_answer(201, body, headers=[("Location", url)])
        if key is None:
            return answer
        if not exchange.dry_run:
            digest = hashlib.sha256(exchange.body).hexdigest()
            self._kept[key] = _Kept(digest, answer, self._desk.clock.mono())
        return replace(answer, headers=(*answer.headers, ("x-idempotency-lookup", "miss")))

    def list_page(self, exchange: Exchange) -> Answer:
        """Answer tickets, those with one external id if asked; reads what is written at once."""
        external_id = exchange.query.get("external_id")
        held = list(self._desk.tickets) if external_id is None else self._desk.tickets.find("external_id", external_id)
        return self._answer_page(exchange, held, "tickets")

    def search(self, exchange: Exchange) -> Answer:
        """Answer what the search index knows, which lags behind."""
        query = exchange.query.get("query", "")
        if not query.strip():
            return build_ticket_error(422, "RecordInvalid", "Invalid search: query is blank")
        lag_s = self._desk.settings.search_lag_s / self._desk.time_scale
        indexed = self._desk.clock.wall() - lag_s
        words = [word for word in query.split() if word != "type:ticket"]
        held = [ticket for ticket in self._desk.tickets if ticket.updated_at <= indexed and _fits(ticket, words)]
        return self._answer_page(exchange, held, "results")

    def read(self, exchange: Exchange) -> Answer:
        """Answer one ticket."""
        return build_json_answer(200, {"ticket": build_ticket(self._find(exchange), exchange.host)})

    def update(self, exchange: Exchange) -> Answer:
        """Change a ticket; a safe update against a stale stamp is a conflict."""
        held = self._find(exchange)
        given = dig(exchange.object(), "ticket")
        if dig(given, "safe_update") is True and dig(given, "updated_stamp") != format_time(held.updated_at):
            return build_ticket_error(409, "UpdateConflict", "The ticket has changed since it was read")
        if held.status == "closed":
            raise invalid_ticket("status", "Status: closed prevents ticket update", "ClosedTicket")
        changed = replace(read_ticket(exchange, held), updated_at=self._desk.clock.wall())
        self._desk.tickets.put(changed.id, changed, exchange=exchange)
        return build_json_answer(200, {"ticket": build_ticket(changed, exchange.host)})

    def _answer_page(self, exchange: Exchange, held: list[Ticket], name: str) -> Answer:
        shown, more = page_of(held, exchange.query)
        body: dict[str, Any] = {
            name: [build_ticket(ticket, exchange.host) for ticket in shown],
            "count": len(held),
            "next_page": more,
            "previous_page": None,
        }
        return build_json_answer(200, body)

    def _find(self, exchange: Exchange) -> Ticket:
        held = self._desk.tickets.get(exchange.params["id"])
        if held is None:
            raise RefusedError(build_ticket_error(404, "RecordNotFound", "Not found"))
        return held

    def _find_kept(self, key: str | None) -> _Kept | None:
        kept = self._kept.get(key) if key is not None else None
        lifetime = self._desk.settings.idempotency_s / self._desk.time_scale
        return kept if kept is not None and self._desk.clock.mono() - kept.at < lifetime else None

    def _find_window(self) -> Window:
        limit = self._desk.settings.tickets_per_min
        if self._window is None or self._window.limit != limit:
            self._window = Window(self._desk.clock, limit=limit, seconds=60.0 / self._desk.time_scale)
        return self._window


def build_ticket_subject(exchange: Exchange, link_key: str | None) -> Subject:
    """Say which order a ticket is about: the one its external id names, ``<handoff>:<entity>``, or the ticket's own."""
    if exchange.method == "GET":
        return Subject(records=(link_key,) if link_key else ())
    external = texts(dig(exchange.json(), "ticket", "external_id"))
    entity = external[0].partition(":")[2] or external[0] if external else None
    key = exchange.headers.get("idempotency-key") or (external[0] if external else None)
    return Subject(references=external, records=(link_key,) if link_key else (), external_id=entity, key=key)


def _fits(ticket: Ticket, words: list[str]) -> bool:
    return all(_fits_word(ticket, word) for word in words)


def _fits_word(ticket: Ticket, word: str) -> bool:
    name, colon, value = word.partition(":")
    value = value.strip('"')
    if colon and name == "external_id":
        return ticket.external_id == value
    if colon and name == "status":
        return ticket.status == value
    if colon and name == "tags":
        return value in ticket.tags
    return word.lower() in f"{ticket.subject} {ticket.description}".lower()
