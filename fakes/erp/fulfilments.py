"""Item fulfilments: made of a sales order, changed and taken back, with the order's lines and status kept in step."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fakes.erp.content import Content
from fakes.erp.errors import USER_ERROR, RefusalError
from fakes.erp.model import ITEM_FULFILLMENT, SALES_ORDER
from fakes.erp.open_lines import FULFILLABLE, fulfilled_of, open_of
from fakes.erp.shares import Shares, build_shares

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fakes.erp.record import Line, Record
    from fakes.erp.records import RecordStore
    from fakes.kit.exchange import Exchange

_FROM_ORDER = ("entity", "shipMethod", "subsidiary", "department", "class")
_FROM_LINE = ("item", "description", "units", "location", "department", "class")


class Fulfilments:
    """Write item fulfilments, each together with its sales order in one step."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store

    def fulfil(
        self, order: Record, content: Content, exchange: Exchange | None = None, *, only_named: bool = False
    ) -> Record:
        """
        Make a fulfilment of a sales order: everything open in full, save as the body's lines say.

        `only_named` leaves the lines the body does not name unfulfilled. Raises RefusalError: `USER_ERROR` when the external id is taken,
        the order is in no state to be fulfilled, or more is asked for than is open; the external id is looked at first.
        """
        self._store.ensure_free(ITEM_FULFILLMENT, content.fields.get("externalId"))
        if order.status["id"] not in FULFILLABLE:
            detail = f"Error while accessing a resource. You can not initialize itemFulfillment: invalid reference {order.id}."
            raise RefusalError(USER_ERROR, detail)
        room = {line["line"]: open_of(line) for line in order.lines}
        unnamed = {} if only_named and content.lines is not None else room
        shares, said = build_shares(order, content.lines or (), room=room, unnamed=unnamed)
        fields = {name: order.fields[name] for name in _FROM_ORDER if name in order.fields}
        fields |= {name: value for name, value in content.fields.items() if value is not None}
        lines = [_build_line(order, number, shares, said) for number in shares]
        made = Content({**fields, "createdFrom": _build_reference(order)}, tuple(lines))
        record = self._store.create(ITEM_FULFILLMENT, made, exchange)
        self._move(order, shares, exchange)
        return record

    def change(self, record: Record, content: Content, exchange: Exchange, *, only_named: bool = False) -> Record:
        """
        Write over a fulfilment; the quantities its lines change move on the sales order too.

        Lines are named by `line`, `orderLine` or item; one that is set to nothing goes. Raises RefusalError as `fulfil` does.
        """
        order = self._order_of(record)
        if content.lines is None or order is None:
            return self._store.update(record, Content(content.fields, None), exchange)
        own = _quantities_of(record)
        is_fulfillable = order.status["id"] in FULFILLABLE
        room = {
            line["line"]: own.get(line["line"], Decimal()) + (open_of(line) if is_fulfillable else Decimal())
            for line in order.lines
        }
        given = [_name_order_line(line, record) for line in content.lines]
        shares, said = build_shares(order, given, room=room, unnamed={} if only_named else own)
        numbers = {int(line["orderLine"]): line["line"] for line in record.lines}
        lines = [
            {**said.get(number, {}), "line": numbers[number], "quantity": shares[number]}
            if number in numbers
            else _build_line(order, number, shares, said)
            for number in shares
        ]
        changed = self._store.update(record, Content(content.fields, tuple(lines)), exchange, replace_lines=True)
        moved = {number: shares.get(number, Decimal()) - own.get(number, Decimal()) for number in {*shares, *own}}
        self._move(order, moved, exchange)
        return changed

    def remove(self, record: Record, exchange: Exchange) -> None:
        """Delete a fulfilment; what it took is open again."""
        order = self._order_of(record)
        self._store.delete(record, exchange)
        if order is not None:
            self._move(order, {number: -quantity for number, quantity in _quantities_of(record).items()}, exchange)

    def _order_of(self, record: Record) -> Record | None:
        return self._store.find(SALES_ORDER, record.fields["createdFrom"]["id"])

    def _move(self, order: Record, moved: Mapping[int, Decimal], exchange: Exchange | None) -> None:
        lines = tuple(
            {"line": line["line"], "quantityFulfilled": fulfilled_of(line) + moved[line["line"]]}
            for line in order.lines
            if moved.get(line["line"])
        )
        if lines:
            self._store.update(order, Content({}, lines), exchange)


def _build_reference(order: Record) -> dict[str, str]:
    reference = {"id": order.id, "refName": f"Sales Order #{order.fields['tranId']}"}
    return {**reference, "externalId": order.external_id} if order.external_id else reference


def _build_line(order: Record, number: int, shares: Shares, said: Mapping[int, Line]) -> dict[str, Any]:
    source = next(line for line in order.lines if line["line"] == number)
    line = {name: source[name] for name in _FROM_LINE if name in source}
    return {**line, **said.get(number, {}), "orderLine": Decimal(number), "quantity": shares[number]}


def _quantities_of(record: Record) -> Shares:
    return {int(line["orderLine"]): line["quantity"] for line in record.lines}


def _name_order_line(given: Line, record: Record) -> Line:
    if given.get("orderLine") is not None or given.get("line") is None:
        return given
    named = next((line for line in record.lines if line["line"] == given["line"]), None)
    return given if named is None else {**given, "orderLine": named["orderLine"]}
