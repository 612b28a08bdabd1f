"""The ops desk, put together."""

from __future__ import annotations

from fakes.kit.clock import SystemClock
from fakes.kit.fake import Fake
from fakes.opsdesk.catalogue import CATALOGUE
from fakes.opsdesk.desk import Desk
from fakes.opsdesk.errors import build_replies
from fakes.opsdesk.routes import Routes
from fakes.opsdesk.seed import DeskActs


def build_opsdesk(*, nonce: str, time_scale: float = 1.0) -> Fake:
    """Return an ops desk of its own."""
    desk = Desk(SystemClock(), nonce=nonce, time_scale=time_scale)
    routes = Routes(desk)
    acts = DeskActs(desk)

    def reset() -> None:
        desk.reset()
        routes.reset()

    return Fake(
        system="opsdesk",
        catalogue=CATALOGUE,
        journal=desk.journal,
        board=desk.board,
        entities=desk.entities,
        collections=(desk.alerts, desk.messages, desk.tickets),
        handlers=routes.build(),
        replies=build_replies(time_scale),
        subject_of=routes.subject_of,
        acts=acts.build(),
        seeds=acts.build_seeds(),
        guard=routes.check,
        dress=routes.dress,
        reset=reset,
        bad_request=b'{"status":"invalid event","message":"Event object is invalid","errors":["not HTTP"]}',
    )
