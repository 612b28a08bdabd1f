"""One call to a fake: what came in, whom it concerns, what went out; and the recorder that journals it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from fakes.kit.bodies import BadBodyError, load_json
from fakes.kit.entities import Subject
from fakes.kit.headers import encode_header

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from fakes.kit.catalogue import Catalogue, Operation
    from fakes.kit.entities import EntityIndex
    from fakes.kit.journal import Journal

EXCHANGE = "handoff.exchange"
MAX_BODY = 32 * 1024 * 1024


@dataclass(slots=True)
class Exchange:
    """
    A call in progress.

    ``path`` is the raw path without query, ``params`` the named groups of the operation's pattern, ``headers`` have
    lower-case names. ``entity``, ``key`` and ``code`` may be set by the handler. While ``dry_run`` is true nothing may
    be written: collections see to it, anything else a handler keeps must ask. ``quirk`` are the parameters of a fault of
    the vendor's own kind that hit this call: the handler carries it out.
    """

    id: str
    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes
    operation: Operation | None
    params: Mapping[str, str]
    received_mono: float
    host: str = ""
    entity: str | None = None
    key: str | None = None
    code: str | None = None
    dry_run: bool = False
    quirk: Mapping[str, Any] | None = None
    faults: list[str] = field(default_factory=list)
    status: int | None = None
    response_bytes: int = 0
    withheld: Callable[[int | None], None] = lambda _: None
    _json: Any = None

    @property
    def shared(self) -> bool:
        """Whether the call serves no single order."""
        return self.operation is None or self.operation.shared

    @property
    def target(self) -> str:
        """The path with its query."""
        return f"{self.path}?{self.query_string}" if self.query_string else self.path

    @property
    def query(self) -> dict[str, str]:
        """The query parameters, the last of each name."""
        return dict(parse_qsl(self.query_string, keep_blank_values=True))

    @property
    def media_type(self) -> str:
        """The body's type in lower case without parameters, empty when the call names none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def json(self) -> Any:
        """Return the decoded body; raises BadBodyError when it is no JSON."""
        if self._json is None:
            self._json = (load_json(self.body),)
        return self._json[0]

    def object(self) -> dict[str, Any]:
        """Return the body as a JSON object; raises BadBodyError."""
        value = self.json()
        if not isinstance(value, dict):
            raise BadBodyError("the body is not a JSON object")
        return value


def exchange_of(scope: Scope) -> Exchange:
    """Return the call a request scope belongs to."""
    exchange: Exchange = scope[EXCHANGE]
    return exchange


class ExchangeRecorder:
    """Outermost ASGI layer: read the body once, classify, find the order, and journal the call when it was answered."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        catalogue: Catalogue,
        journal: Journal,
        entities: EntityIndex,
        subject_of: Callable[[Exchange], Subject],
        too_large: Callable[[Exchange], ASGIApp],
        dress: Callable[[Exchange], Iterable[tuple[str, str]]] = lambda _: (),
    ) -> None:
        """``dress`` gives the headers the vendor puts on every answer, asked when the answer starts."""
        self._app = app
        self._catalogue = catalogue
        self._journal = journal
        self._entities = entities
        self._subject_of = subject_of
        self._too_large = too_large
        self._dress = dress
        self._count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            return
        received = self._journal.clock.mono()
        body = await _read_body(receive)
        if body is None:
            return
        exchange = self._build_exchange(scope, body, received)
        self._identify(exchange)
        record = _Record(exchange, self._journal)
        exchange.withheld = record.withhold
        scope[EXCHANGE] = exchange
        app = self._app if len(body) <= MAX_BODY else self._too_large(exchange)

        async def send_out(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                extra = [encode_header(name, value) for name, value in self._dress(exchange)]
                message = {**message, "headers": [*message["headers"], *extra]}
            else:
                exchange.response_bytes += len(message.get("body", b""))
            await send(message)

        await app(scope, receive, send_out)
        record.answer()

    def _build_exchange(self, scope: Scope, body: bytes, received: float) -> Exchange:
        self._count += 1
        path = scope["raw_path"].decode("ascii", "replace")
        match = self._catalogue.classify(scope["method"], path)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        return Exchange(
            id=f"{self._journal.epoch}-{self._count}",
            method=scope["method"],
            path=path,
            query_string=scope["query_string"].decode("ascii", "replace"),
            headers=headers,
            body=body,
            operation=match.operation,
            params=match.params,
            received_mono=received,
            host=headers.get("host") or "{}:{}".format(*scope["server"]),
        )

    def _identify(self, exchange: Exchange) -> None:
        try:
            subject = self._subject_of(exchange)
        except BadBodyError:
            subject = Subject()
        exchange.key = subject.key
        if not exchange.shared:
            exchange.entity = self._entities.resolve(subject)


@dataclass(slots=True)
class _Record:
    exchange: Exchange
    journal: Journal
    written: bool = False

    def answer(self) -> None:
        if not self.written:
            self._write(self.exchange.status, answered_mono=self.journal.clock.mono())

    def withhold(self, status: int | None) -> None:
        self.exchange.code, self.exchange.response_bytes = None, 0
        self._write(None, answered_mono=None, withheld_status=status)

    def _write(self, status: int | None, *, answered_mono: float | None, **more: Any) -> None:
        self.written = True
        x = self.exchange
        self.journal.append(
            "exchange",
            id=x.id,
            operation=x.operation.name if x.operation else None,
            shared=x.shared,
            entity=x.entity,
            key=x.key,
            method=x.method,
            path=x.target,
            request_sha256=hashlib.sha256(x.body).hexdigest(),
            request_bytes=len(x.body),
            status=status,
            code=x.code,
            response_bytes=x.response_bytes,
            received_mono=x.received_mono,
            answered_mono=answered_mono,
            faults=x.faults,
            **more,
        )


async def _read_body(receive: Receive) -> bytes | None:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk = message.get("body", b"")
        size += len(chunk)
        chunks.append(chunk)
        if not message.get("more_body", False) or size > MAX_BODY:
            return b"".join(chunks)
