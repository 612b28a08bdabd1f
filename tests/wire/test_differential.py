"""The embedded engine beside a real Toxiproxy server: the same toxics, the same bytes, order and ends, for client and upstream."""

import random

import pytest

from harness.wire.toxiproxy import Toxic
from tests.programs import needs_toxiproxy
from wire.differential import DATA, Scene, call, compare, got, half_close, reached, reset_all, send
from wire.stands import run

pytestmark = needs_toxiproxy
BIG = random.Random(5).randbytes(600_000)  # noqa: S311 - bytes to tell apart, no secret
HALF_CLOSE = (send(DATA), half_close())
# What closes a connection with bytes unread in it: see `Seen.told`.
LOOSE = frozenset({"client", "upstream"})

CASES = {
    "nothing": Scene(),
    "half close": Scene(upstream="silent", steps=HALF_CLOSE),
    # One that is still to come may be overtaken by the end, with the real server too.
    "half close, after the answer": Scene(upstream=b"late", steps=(send(DATA), got(4), half_close()), loose=LOOSE),
    "upstream closes": Scene(upstream="close", loose=frozenset({"upstream"})),
    "upstream resets": Scene(upstream="reset", steps=(send(b"x"),)),
    "upstream refuses": Scene(upstream="refuse", steps=()),
    "a big body there": Scene(upstream="silent", steps=(send(BIG),)),
    "a big body back": Scene(upstream=BIG, steps=(send(b"x"),)),
    "a big body back and the end": Scene(upstream=BIG, steps=(send(b"x"),), hangs_up=True),
    "a big body there and back": Scene(steps=(send(BIG),)),
    "a big body, cut and slow": Scene(
        (Toxic("slicer", {"average_size": 20_000, "size_variation": 3_000}), Toxic("bandwidth", {"rate": 2_000})),
        upstream=BIG,
        steps=(send(b"x"),),
        hangs_up=True,
    ),
    "a big body within a limit": Scene((Toxic("limit_data", {"bytes": 599_999}),), upstream=BIG, steps=(send(b"x"),)),
    "slicer then limit": Scene(
        (Toxic("slicer", {"average_size": 50, "size_variation": 10}), Toxic("limit_data", {"bytes": 333})), loose=LOOSE
    ),
    "limit then slicer": Scene(
        (Toxic("limit_data", {"bytes": 333}), Toxic("slicer", {"average_size": 50, "size_variation": 10})), loose=LOOSE
    ),
    "limit then slow close": Scene(
        (Toxic("limit_data", {"bytes": 9}), Toxic("slow_close", {"delay": 40})), loose=LOOSE
    ),
    "two limits, the second lower": Scene(
        (Toxic("limit_data", {"bytes": 9}, name="a"), Toxic("limit_data", {"bytes": 5}, name="b")), loose=LOOSE
    ),
    "timeout then limit": Scene((Toxic("timeout", {"timeout": 40}), Toxic("limit_data", {"bytes": 9})), loose=LOOSE),
    "limit then timeout": Scene((Toxic("limit_data", {"bytes": 9}), Toxic("timeout", {"timeout": 0})), loose=LOOSE),
    "a limit on both ways": Scene(
        (Toxic("limit_data", {"bytes": 700}, "upstream"), Toxic("limit_data", {"bytes": 300}, "downstream")),
        steps=(send(DATA[:500]),),
        loose=LOOSE,
    ),
    "answer beside a limit": Scene(
        (Toxic("limit_data", {"bytes": 100}),), upstream=b"a" * 101, hangs_up=True, loose=LOOSE
    ),
    "answer within a limit": Scene((Toxic("limit_data", {"bytes": 100}),), upstream=b"a" * 99, hangs_up=True),
    "silent upstream and timeout": Scene((Toxic("timeout", {"timeout": 60}),), upstream="silent", loose=LOOSE),
    "reset both ways": Scene(
        (Toxic("reset_peer", {"timeout": 30}, "upstream"), Toxic("reset_peer", {"timeout": 0}, "downstream")),
        upstream="silent",
    ),
    "spared by a reset, the upstream hangs up": Scene(
        (Toxic("reset_peer", {"timeout": 0}, toxicity=0),), upstream=b"bye", hangs_up=True
    ),
    "a type that does nothing": Scene((Toxic("noop"),)),
}
ATTRIBUTES = [
    ("noop", {}),
    ("latency", {"latency": 0}),
    ("latency", {"latency": 30}),
    ("latency", {"latency": 30, "jitter": 20}),
    ("latency", {"latency": -5}),
    ("bandwidth", {"rate": 100}),
    ("bandwidth", {"rate": 1_000_000}),
    ("bandwidth", {"rate": 0}),
    ("slow_close", {"delay": 0}),
    ("slow_close", {"delay": 50}),
    ("timeout", {"timeout": 60}),
    ("timeout", {"timeout": 0}),
    ("reset_peer", {"timeout": 0}),
    ("reset_peer", {"timeout": 60}),
    ("slicer", {"average_size": 64, "size_variation": 16, "delay": 10}),
    ("slicer", {"average_size": 1}),
    ("slicer", {"average_size": 1_000_000, "size_variation": 1, "delay": 5}),
    ("limit_data", {"bytes": 0}),
    ("limit_data", {"bytes": -1}),
    ("limit_data", {"bytes": 1}),
    ("limit_data", {"bytes": len(DATA) - 1}),
    ("limit_data", {"bytes": len(DATA)}),
    ("limit_data", {"bytes": len(DATA) + 1}),
]
for kind, attributes in ATTRIBUTES:
    for toxicity in (1, 0):
        values = "-".join(map(str, attributes.values()))
        for stream, behave in (("upstream", "silent"), ("downstream", DATA)):
            name = f"{kind} {values} {stream}" + ("" if toxicity else ", spared")
            toxics = (Toxic(kind, attributes, stream, toxicity),)
            CASES[name] = Scene(toxics, upstream=behave, loose=LOOSE if kind != "reset_peer" else frozenset())
        CASES[f"{kind} {values} upstream, half close" + ("" if toxicity else ", spared")] = Scene(
            (Toxic(kind, attributes, "upstream", toxicity),), upstream="silent", steps=HALF_CLOSE, loose=LOOSE
        )
        CASES[f"{kind} {values} downstream, upstream closes" + ("" if toxicity else ", spared")] = Scene(
            (Toxic(kind, attributes, "downstream", toxicity),),
            upstream=DATA,
            steps=(send(b"x"),),
            hangs_up=True,
            loose=LOOSE if kind != "reset_peer" else frozenset({"upstream"}),
        )


@pytest.mark.parametrize("case", CASES)
def test_client_and_upstream_see_the_same_as_with_the_real_server(wire, real, case):
    """Bytes, order and the kind of end agree."""

    async def scene():
        ours, theirs = await compare((wire.admin_url, real), CASES[case])
        assert ours == theirs

    run(scene)


WARM = (send(b"warm"), got(4))
LONG = Toxic("latency", {"latency": 600_000}, name="long")
LIVE = {
    "latency added": Scene(steps=(*WARM, call("add_toxic", Toxic("latency", {"latency": 20})), send(DATA))),
    "latency lowered lets go of what it holds": Scene(
        (LONG,), steps=(send(DATA), reached(len(DATA)), call("update_toxic", "long", {"latency": 9_000_000}))
    ),
    "latency removed lets go of what it holds": Scene(
        (LONG,), steps=(send(DATA), reached(len(DATA)), call("remove_toxic", "long"))
    ),
    "a toxic added after it has latency let go of what it holds": Scene(
        (LONG,),
        steps=(send(b"held"), reached(4), call("add_toxic", Toxic("limit_data", {"bytes": 2}))),
    ),
    "a toxic removed after it has latency let go of what it holds": Scene(
        (LONG, Toxic("limit_data", {"bytes": 9}, name="after")),
        steps=(send(b"held"), reached(4), call("remove_toxic", "after")),
    ),
    "a toxic removed before it leaves latency alone": Scene(
        (Toxic("limit_data", {"bytes": 9}, name="before"), LONG),
        steps=(send(b"held"), reached(4), call("remove_toxic", "before")),
    ),
    "limit added": Scene(steps=(*WARM, call("add_toxic", Toxic("limit_data", {"bytes": 10})), send(DATA)), loose=LOOSE),
    "limit raised": Scene(
        (Toxic("limit_data", {"bytes": 6}),),
        steps=(*WARM, call("update_toxic", "limit_data_downstream", {"bytes": 20}), send(DATA)),
        loose=LOOSE,
    ),
    "limit lowered below what has passed": Scene(
        (Toxic("limit_data", {"bytes": 600}),),
        steps=(*WARM, call("update_toxic", "limit_data_downstream", {"bytes": 2}), send(DATA)),
        loose=LOOSE,
    ),
    "limit removed": Scene(
        (Toxic("limit_data", {"bytes": 6}),), steps=(*WARM, call("remove_toxic", "limit_data_downstream"), send(DATA))
    ),
    "timeout added": Scene(
        steps=(*WARM, call("add_toxic", Toxic("timeout", {"timeout": 50})), send(DATA)), loose=LOOSE
    ),
    "timeout added and removed": Scene(
        steps=(*WARM, call("add_toxic", Toxic("timeout", {"timeout": 0})), call("remove_toxic", "timeout_downstream")),
        loose=LOOSE,
    ),
    "timeout removed from a connection that it spared": Scene(
        (Toxic("timeout", {"timeout": 0}, toxicity=0),),
        steps=(*WARM, call("remove_toxic", "timeout_downstream"), send(DATA)),
        loose=LOOSE,
    ),
    "timeout given a time": Scene(
        (Toxic("timeout", {"timeout": 0}),),
        steps=(send(DATA), call("update_toxic", "timeout_downstream", {"timeout": 40})),
        loose=LOOSE,
    ),
    "bandwidth removed": Scene(
        (Toxic("bandwidth", {"rate": 0}),),
        steps=(send(DATA), reached(len(DATA)), call("remove_toxic", "bandwidth_downstream")),
    ),
    "bandwidth raised": Scene(
        (Toxic("bandwidth", {"rate": 0}),),
        steps=(
            send(DATA),
            reached(len(DATA)),
            call("update_toxic", "bandwidth_downstream", {"rate": 1_000}),
            send(DATA),
        ),
    ),
    "slicer removed in the middle": Scene(
        (Toxic("slicer", {"average_size": 64, "delay": 600_000_000}),),
        upstream=DATA,
        steps=(send(b"x"), got(1), call("remove_toxic", "slicer_downstream")),
    ),
    "slicer updated in the middle": Scene(
        (Toxic("slicer", {"average_size": 64, "delay": 600_000_000}),),
        upstream=DATA,
        steps=(send(b"x"), got(1), call("update_toxic", "slicer_downstream", {"delay": 1})),
    ),
    "reset added": Scene(
        steps=(*WARM, call("add_toxic", Toxic("reset_peer", {"timeout": 0})), send(b"x")), upstream="echo"
    ),
    "reset added, the client in the middle of nothing": Scene(
        steps=(*WARM, call("add_toxic", Toxic("reset_peer", {"timeout": 0})))
    ),
    "reset removed before it met anything": Scene(
        (Toxic("reset_peer", {"timeout": 0}),), steps=(call("remove_toxic", "reset_peer_downstream"), send(DATA))
    ),
    "reset removed, the upstream hangs up": Scene(
        (Toxic("reset_peer", {"timeout": 0}),),
        upstream=b"bye",
        hangs_up=True,
        steps=(call("remove_toxic", "reset_peer_downstream"), send(DATA)),
    ),
    "reset removed while it waits": Scene(
        (Toxic("reset_peer", {"timeout": 100}),),
        steps=(send(b"x"), reached(1), call("remove_toxic", "reset_peer_downstream")),
        loose=frozenset({"upstream"}),
    ),
    "slow close shortened": Scene(
        (Toxic("slow_close", {"delay": 600_000}),),
        upstream=b"bye",
        hangs_up=True,
        steps=(send(b"x"), got(3), call("update_toxic", "slow_close_downstream", {"delay": 30})),
    ),
    "slow close removed": Scene(
        (Toxic("slow_close", {"delay": 600_000}),),
        upstream=b"bye",
        hangs_up=True,
        steps=(send(b"x"), got(3), call("remove_toxic", "slow_close_downstream")),
    ),
    "toxicity raised": Scene(
        (Toxic("limit_data", {"bytes": 6}, toxicity=0),),
        steps=(*WARM, call("update_toxic", "limit_data_downstream", {}, toxicity=1.0), send(DATA)),
        loose=LOOSE,
    ),
    "toxicity lowered": Scene(
        (Toxic("limit_data", {"bytes": 6}),),
        steps=(*WARM, call("update_toxic", "limit_data_downstream", {}, toxicity=0.0), send(DATA)),
    ),
    "everything reset": Scene(
        (Toxic("limit_data", {"bytes": 6}), Toxic("bandwidth", {"rate": 1}, "upstream")),
        steps=(send(b"warm"), got(4), reset_all(), send(DATA)),
    ),
    "the proxy taken down": Scene(steps=(*WARM, call("update_proxy", enabled=False))),
    "the proxy led elsewhere": Scene(steps=(*WARM, call("update_proxy", upstream="127.0.0.1:9"))),
}


@pytest.mark.parametrize("case", LIVE)
def test_a_change_on_an_open_connection_acts_as_with_the_real_server(wire, real, case):
    """Adding, updating and removing reach connections that are open, and what is under way in them."""

    async def scene():
        ours, theirs = await compare((wire.admin_url, real), LIVE[case])
        assert ours == theirs

    run(scene)


def draw_toxics(draw, stream, size):
    """Draw one to four toxics for a stream that carries so many bytes."""
    makes = {
        "noop": dict,
        "latency": lambda: {"latency": draw.randrange(40), "jitter": draw.randrange(20)},
        "bandwidth": lambda: {"rate": draw.randrange(500, 50_000)},
        "slow_close": lambda: {"delay": draw.randrange(60)},
        "slicer": lambda: {"average_size": draw.randrange(500, 20_000), "size_variation": draw.randrange(400)},
        "limit_data": lambda: {"bytes": draw.randrange(2 * size)},
        "timeout": lambda: {"timeout": draw.choice((0, 100))},
    }
    kinds = draw.choices(list(makes), [3, 3, 3, 3, 3, 2, 1], k=draw.randrange(1, 5))
    return tuple(
        Toxic(kind, makes[kind](), stream, draw.choice((1, 1, 1, 0)), f"{kind}-{number}")
        for number, kind in enumerate(kinds)
    )


def draw_scene(seed):
    """Draw toxics for one way of the bytes, and bytes in some pieces; nothing is on the other way that could race with them."""
    draw = random.Random(seed)  # noqa: S311 - a plan that can be made again, no secret
    size = draw.choice((1, 100, 5_000, 40_000, 200_000))
    body = BIG[:size]
    stream = draw.choice(("upstream", "downstream"))
    toxics = draw_toxics(draw, stream, size)
    if stream == "downstream":
        return Scene(toxics, upstream=body, steps=(send(b"x"),), hangs_up=draw.random() < 0.5, loose=LOOSE)
    cuts = sorted(draw.randrange(size + 1) for _ in range(draw.randrange(4)))
    pieces = [body[start:end] for start, end in zip([0, *cuts], [*cuts, size], strict=True)]
    end = (half_close(),) if draw.random() < 0.5 else ()
    return Scene(toxics, upstream="silent", steps=(*map(send, pieces), *end), loose=LOOSE)


def compare_drawn(wire, real, seed):
    """Play a scene that was drawn; it is told in full where the engines differ."""
    drawn = draw_scene(seed)

    async def scene():
        ours, theirs = await compare((wire.admin_url, real), drawn)
        assert ours == theirs, drawn.toxics

    run(scene)


@pytest.mark.parametrize("seed", range(12))
def test_toxics_in_any_order_act_as_with_the_real_server(wire, real, seed):
    """Whatever toxics are put one after another, the same bytes come out and the connection ends alike."""
    compare_drawn(wire, real, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12, 400))
def test_many_more_toxics_in_any_order_act_as_with_the_real_server(wire, real, seed):
    """The same, many times over."""
    compare_drawn(wire, real, seed)
