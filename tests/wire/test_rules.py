"""Rules choose the upstream exchange by exchange."""

import pytest

from fakes.kit.problems import ProblemError
from harness.wire.matching import EntityFinder, Route, RouteTable, path_of
from harness.wire.rules import Rule
from wire.stands import Origin, answer_ok, ask_for_body, open_tap, read_request, run

ROUTES = (Route("order.create", "POST", "/orders"), Route("order.read", "GET", "/orders/[^/]+"))
ORDERS = {"#1001": ("7001", "1001"), "#1002": ("7002", "1002")}


async def say_503(reader, writer, _):
    """Answer every request with 503."""
    while True:
        await read_request(reader)
        writer.write(b"HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\n\r\n")


def rule(upstream, name="f1", **fields):
    """Build a rule on the listener of the tests."""
    return Rule(name, "erp", upstream, **fields)


def test_exactly_the_first_two_attempts_of_one_order_meet_the_fault():
    """On one keep-alive connection the other order's calls and the third attempt go the clean way."""

    async def scene():
        async with Origin(answer_ok) as clean, Origin(say_503) as faulted, open_tap(clean.address) as stand:
            stand.tap.arm_rule(rule(faulted.address, entities=ORDERS, attempts=(1, 2)))
            stand.tap.arm_rule(rule("127.0.0.1:1", name="f2", entities={"#1009": ("9",)}))
            async with stand.client() as client:
                asked = [b"7001", b'{"memo":"1002x"}', b'{"memo":"order 1001"}', b"7001", b"nothing", b"7001"]
                assert [await client.ask("/orders", body) for body in asked] == [503, 200, 503, 200, 200, 200]
            entries = await stand.exchanges(6)
            assert [(e["rule"], e["ordinal"], e["entity"]) for e in entries] == [
                ("f1", 1, "#1001"),
                (None, None, None),
                ("f1", 2, "#1001"),
                (None, None, "#1001"),
                (None, None, None),
                (None, None, "#1001"),
            ]
            assert len({entry["connection"] for entry in entries}) == 1
            assert clean.connections == 1
            assert faulted.connections == 2
            assert stand.tap.rules()[0]["hits"] == 2

    run(scene)


def test_each_order_has_its_own_attempts():
    """Attempts are counted for each entity apart."""

    async def scene():
        async with Origin(answer_ok) as clean, Origin(say_503) as faulted, open_tap(clean.address) as stand:
            stand.tap.arm_rule(rule(faulted.address, entities=ORDERS, attempts=(2,)))
            async with stand.client() as client:
                asked = [b"1001", b"1002", b"1001", b"1002", b"1001"]
                assert [await client.ask("/", body) for body in asked] == [200, 200, 503, 503, 200]

    run(scene)


def test_a_rule_acts_from_the_next_exchange_of_an_open_connection():
    """Neither arming nor lifting needs a new client connection."""

    async def scene():
        async with Origin(answer_ok) as clean, Origin(say_503) as faulted, open_tap(clean.address) as stand:
            async with stand.client() as client:
                before = await client.ask("/")
                stand.tap.arm_rule(rule(faulted.address))
                during = await client.ask("/")
                stand.tap.lift_rule("f1")
                assert (before, during, await client.ask("/")) == (200, 503, 200)
            events = [(entry["rule"], entry["event"]) for entry in stand.entries("rule")]
            assert events == [("f1", "armed"), ("f1", "lifted")]
            assert len(stand.entries("exchange_open")) == 1

    run(scene)


def test_a_rule_armed_while_a_request_comes_in_leaves_it_alone():
    """An exchange keeps the choice made when its request was known."""

    async def scene():
        async with Origin(answer_ok) as clean, open_tap(clean.address) as stand, stand.client() as client:
            client.writer.write(b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n")
            await clean.connected()
            stand.tap.arm_rule(rule("refuse"))
            client.writer.write(b"body")
            assert (await client.answer())[0] == 200

    run(scene)


def test_the_rule_armed_first_acts_and_the_others_count():
    """Ordinals of every rule count every exchange it matches, whoever takes it."""

    async def scene():
        async with Origin(answer_ok) as clean, Origin(say_503) as faulted, open_tap(clean.address) as stand:
            stand.tap.arm_rule(rule(faulted.address, name="a", attempts=(1,)))
            stand.tap.arm_rule(rule(faulted.address, name="b", attempts=(1, 2)))
            async with stand.client() as client:
                assert [await client.ask("/") for _ in range(3)] == [503, 503, 200]
            assert [(e["rule"], e["ordinal"]) for e in stand.entries()] == [("a", 1), ("b", 2), (None, None)]

    run(scene)


def test_an_operation_limits_a_rule():
    """Routes name operations by method and whole path; a rule for one leaves the others alone."""

    async def scene():
        async with (
            Origin(answer_ok) as clean,
            Origin(say_503) as faulted,
            open_tap(clean.address, routes=ROUTES) as stand,
        ):
            stand.tap.arm_rule(rule(faulted.address, operation="order.create"))
            async with stand.client() as client:
                assert await client.ask("/orders?x=1") == 503
                assert await client.ask("/orders/7") == 200
                assert await client.ask("/orders/") == 200
            assert [entry["operation"] for entry in stand.entries()] == ["order.create", None, None]

    run(scene)


def test_a_rule_that_needs_the_body_waits_for_it():
    """A body in pieces is looked at whole, and reaches the upstream whole."""

    async def scene():
        async with Origin(answer_ok) as clean, Origin(say_503) as faulted, open_tap(clean.address) as stand:
            stand.tap.arm_rule(rule(faulted.address, entities=ORDERS))
            async with stand.client() as client:
                client.writer.write(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nx 7\r\n")
                await client.writer.drain()
                client.writer.write(b"3\r\n001\r\n0\r\n\r\n")
                # The scripted upstream reads no chunked bodies, so its answer comes after the head.
                assert (await client.answer())[0] == 503
            assert clean.connections == 0
            assert stand.entries()[0]["entity"] == "#1001"

    run(scene)


def test_only_the_first_64_kib_of_a_body_are_looked_at():
    """A token beyond does not count, and a large body is not kept."""

    async def scene():
        async with Origin(answer_ok) as clean, Origin(say_503) as faulted, open_tap(clean.address) as stand:
            stand.tap.arm_rule(rule(faulted.address, entities=ORDERS))
            async with stand.client() as client:
                assert await client.ask("/", b" " * 65536 + b"7001") == 200
                assert await client.ask("/", b" " * 65532 + b"7001") == 503

    run(scene)


def test_a_client_that_waits_for_100_continue_is_answered_once():
    """While a rule must see the body the tap asks for it, and the upstream's own interim answer is not repeated."""

    async def scene():
        async with Origin(ask_for_body) as clean, Origin(ask_for_body) as faulted, open_tap(clean.address) as stand:
            stand.tap.arm_rule(rule(faulted.address, entities=ORDERS))
            async with stand.client() as client:
                client.writer.write(b"PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
                assert await client.answer() == (100, b"")
                client.writer.write(b"7001")
                assert await client.answer() == (200, b"ok")
            assert (clean.connections, faulted.connections) == (0, 1)

    run(scene)


def test_a_rule_lifts_itself():
    """After its time to live a rule no longer acts, and the journal says it expired."""

    async def scene():
        async with Origin(answer_ok) as clean, open_tap(clean.address) as stand:
            stand.tap.arm_rule(rule("refuse", ttl_s=0.05))
            entries = await stand.written("rule", 2)
            assert entries[1]["event"] == "expired"
            assert stand.tap.rules() == []
            async with stand.client() as client:
                assert await client.ask("/") == 200

    run(scene)


def test_rules_can_be_refused():
    """A second rule of one id is a conflict; a rule needs its listener."""

    async def scene():
        async with Origin(answer_ok) as clean, open_tap(clean.address) as stand:
            stand.tap.arm_rule(rule("refuse"))
            with pytest.raises(ProblemError) as taken:
                stand.tap.arm_rule(rule("refuse"))
            with pytest.raises(ProblemError) as unknown:
                stand.tap.arm_rule(Rule("f9", "wms", "refuse"))
            with pytest.raises(ProblemError) as absent:
                stand.tap.lift_rule("f9")
            assert [error.value.status for error in (taken, unknown, absent)] == [409, 404, 404]

    run(scene)


def test_an_opaque_connection_meets_rules_without_operation_and_entities():
    """What is not HTTP has one decision, when it begins."""

    async def scene():
        async with Origin(answer_ok) as clean, open_tap(clean.address) as stand:
            stand.tap.arm_rule(rule("refuse", attempts=(1,)))
            async with stand.client() as client:
                client.writer.write(b"\x16\x03\x01")
                assert await client.end() == "reset"
            (entry,) = await stand.written("connection", 1)
            assert (entry["rule"], entry["ordinal"], entry["end"], entry["bytes_up"]) == ("f1", 1, "refused", 3)

    run(scene)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"7001", "#1001"),
        (b'{"externalId":"7001"}', "#1001"),
        (b"order_7002-retry", "#1002"),
        (b"/eid:1002", "#1002"),
        (b"a=%231001&b", "#1001"),
        (b"17001", None),
        (b"70010", None),
        (b"x7001", None),
        (b"", None),
        (b"1002 1001", "#1002"),
    ],
)
def test_a_token_counts_as_a_whole_word(text, found):
    """Digits or letters around a token make it another one; percent codes are read."""
    assert EntityFinder(ORDERS).find(text) == found


def test_an_entity_without_tokens_is_never_found():
    """Nothing matches nothing."""
    assert EntityFinder({"#1": ()}).find(b"anything") is None


def test_routes_are_tried_in_order_over_the_path_without_query():
    """The method must fit and the pattern the whole path."""
    table = RouteTable(ROUTES)
    assert table.find("GET", "/orders/7?fields=id") == "order.read"
    assert table.find("GET", "http://erp.example/orders/7") == "order.read"
    assert table.find("GET", "/orders/7/lines") is None
    assert table.find("PUT", "/orders/7") is None
    assert path_of("http://erp.example") == "/"
