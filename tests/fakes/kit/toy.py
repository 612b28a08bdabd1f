"""The smallest vendor the kit allows: notes that may be created, read and replaced, and a webhook for each new one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from fakes.kit.answers import Answer, Replies, build_json_answer
from fakes.kit.board import FaultBoard
from fakes.kit.bodies import dig, texts
from fakes.kit.catalogue import Catalogue, ErrorCode, Operation
from fakes.kit.clock import SystemClock
from fakes.kit.entities import EntityIndex, Subject
from fakes.kit.fake import Act, Fake, Seeds
from fakes.kit.ids import IdSource
from fakes.kit.journal import Journal
from fakes.kit.kinds import API_KINDS, WEBHOOK_KINDS
from fakes.kit.options import Options, build_parser, read_options
from fakes.kit.outbox import Outbox, OutboxSettings, Webhook
from fakes.kit.records import Collection
from fakes.kit.serve import build_service, run

if TYPE_CHECKING:
    from fakes.kit.exchange import Exchange

CATALOGUE = Catalogue(
    "toy",
    (
        Operation("note.create", "POST", r"/notes"),
        Operation("note.read", "GET", r"/notes/(?P<id>\d{1,19})"),
        Operation("note.replace", "PUT", r"/notes/(?P<id>\d{1,19})"),
        Operation("ping", "GET", r"/ping", shared=True),
    ),
    codes=(ErrorCode("BROKEN", 422, "It is broken."),),
    kinds=API_KINDS + WEBHOOK_KINDS,
    topics=("notes/created", "notes/updated"),
)


@dataclass(frozen=True, slots=True)
class Note:
    """A note."""

    id: int
    text: str


class ToySettings(BaseModel):
    """Where webhooks go."""

    model_config = ConfigDict(extra="forbid")
    address: str | None = None


def fail(status: int, message: str, code: str | None = None, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """Return an error in the toy's shape."""
    return build_json_answer(status, {"error": message}, code=code, headers=headers)


def _retry(seconds: float | None) -> tuple[tuple[str, str], ...]:
    return () if seconds is None else (("Retry-After", f"{seconds:g}"),)


REPLIES = Replies(
    status=lambda _, status, retry: fail(status, "status", headers=_retry(retry)),
    error=lambda _, code, text: fail(422, text or "It is broken.", code),
    rate_limited=lambda _, retry: fail(429, "slow down", "LIMIT", _retry(retry)),
    session_expired=lambda _: fail(401, "session expired", "SESSION"),
    permission_denied=lambda _: fail(403, "not allowed", "PERMISSION"),
    not_found=lambda _: fail(404, "not found"),
    method_not_allowed=lambda _, allowed: fail(405, f"only {allowed}"),
    bad_body=lambda _, detail: fail(400, detail),
    too_large=lambda _: fail(413, "too large"),
)


class Toy:
    """The toy's state and handlers."""

    def __init__(self, options: Options) -> None:
        self.journal = Journal(SystemClock())
        self.board = FaultBoard(self.journal)
        self.entities = EntityIndex()
        self.ids = IdSource(options.nonce)
        self.address: str | None = None
        self.notes: Collection[Note] = Collection(
            "notes",
            show=lambda note: {"text": note.text},
            journal=self.journal,
            entities=self.entities,
            indexes={"text": lambda note: note.text},
        )
        settings = OutboxSettings(
            dress=lambda _, body, signing: (
                [("X-Toy-Signature", f"{signing}:{len(body)}")] if signing != "missing" else []
            ),
            ladder_s=(10.0, 20.0),
            total_timeout_s=1.0,
            new_webhook_id=lambda: self.ids.uuid("webhook"),
            time_scale=options.time_scale,
        )
        self.outbox = Outbox(self.journal, self.board, settings)

    def create(self, exchange: Exchange) -> Answer:
        """Make a note."""
        text = exchange.object().get("text")
        if not isinstance(text, str):
            return fail(422, "text is needed", "BROKEN")
        note = Note(self.ids.number("note"), text)
        self.notes.put(note.id, note, entity=exchange.entity, exchange=exchange)
        if self.address and not exchange.dry_run:
            self.notify(note, "notes/created")
        return build_json_answer(201, {"id": note.id, "text": text}, headers=[("Location", f"/notes/{note.id}")])

    def notify(self, note: Note, topic: str) -> str:
        """Send a webhook about a note."""
        body = build_json_answer(200, {"id": note.id, "text": note.text, "created_at": "now"}).body
        webhook = Webhook(
            self.ids.uuid("webhook"),
            self.ids.uuid("event"),
            topic,
            self.address or "",
            body,
            self.journal.clock.wall(),
            entity=self.notes.entity_of(note.id),
        )
        self.outbox.send(webhook)
        return webhook.webhook_id

    def read(self, exchange: Exchange) -> Answer:
        """Show a note."""
        note = self.notes.get(exchange.params["id"])
        return fail(404, "no such note") if note is None else build_json_answer(200, {"id": note.id, "text": note.text})

    def replace(self, exchange: Exchange) -> Answer:
        """Replace a note."""
        note = self.notes.get(exchange.params["id"])
        if note is None:
            return fail(404, "no such note")
        self.notes.put(note.id, replace(note, text=str(exchange.object().get("text"))), exchange=exchange)
        return Answer(204)

    def subject_of(self, exchange: Exchange) -> Subject:
        """Say whom a call concerns."""
        if exchange.method == "POST":
            body = exchange.json()
            reference = texts(dig(body, "reference"), dig(body, "text"))
            return Subject(references=reference, external_id=dig(body, "external_id"), key=dig(body, "external_id"))
        return Subject(records=(self.notes.link_key(exchange.params.get("id", "")),))

    def configure(self, settings: ToySettings) -> None:
        """Take on settings."""
        self.address = settings.address

    def clear(self) -> None:
        """Put everything back."""
        self.address = None
        self.outbox.reset()

    def act_notify(self, params: Any) -> dict[str, Any]:
        """Send a webhook about the first note."""
        note = next(iter(self.notes))
        return {"webhook_id": self.notify(note, params.topic)}

    def build(self) -> Fake:
        """Put the toy together."""
        return Fake(
            system="toy",
            catalogue=CATALOGUE,
            journal=self.journal,
            board=self.board,
            entities=self.entities,
            collections=(self.notes,),
            handlers={
                "note.create": self.create,
                "note.read": self.read,
                "note.replace": self.replace,
                "ping": lambda _: build_json_answer(200, {"pong": True}),
            },
            replies=REPLIES,
            subject_of=self.subject_of,
            acts={"notify": Act("Send a webhook about the first note", self.act_notify, NotifyParams)},
            seeds=Seeds(settings=(ToySettings, self.configure)),
            dress=lambda _: [("X-Toy-Request", "1")],
            reset=self.clear,
            close=self.outbox.reset,
        )


class NotifyParams(BaseModel):
    """Parameters of ``notify``."""

    topic: str = "notes/updated"


def main() -> None:
    """Serve the toy."""
    options = read_options(build_parser("toy").parse_args())
    run(lambda: build_service(Toy(options).build(), options), options)


if __name__ == "__main__":
    main()
