"""
The record types the fake knows: their fields, what a written value may be, and how names are checked.

Field names follow NetSuite's REST metadata; the selection is what order integrations write. Custom fields (`custbody_…`, `custcol_…`,
`custentity_…`) take any scalar or reference.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

Kind = Literal[
    "text",
    "number",
    "boolean",
    "date",
    "datetime",
    "reference",
    "order_status",
    "ship_status",
    "subrecord",
    "custom",
]
Verb = Literal["create", "list", "upsert", "read", "update", "delete"]

ORDER_STATUSES: Mapping[str, str] = {
    "A": "Pending Approval",
    "B": "Pending Fulfillment",
    "C": "Cancelled",
    "D": "Partially Fulfilled",
    "E": "Pending Billing/Partially Fulfilled",
    "F": "Pending Billing",
    "G": "Billed",
    "H": "Closed",
}
"""Sales order states by the letter the vendor uses for them."""

SHIP_STATUSES: Mapping[str, str] = {"A": "Picked", "B": "Packed", "C": "Shipped"}
"""How far an item fulfilment is."""

CREDIT_STATUSES: Mapping[str, str] = {"A": "Open", "B": "Fully Applied"}
"""Credit memo states; nothing applies one here, so each stays open."""


@dataclass(frozen=True, slots=True)
class Statuses:
    """The states of a record type: their names by letter, the one it starts in, and the body field that sets it, if one does."""

    names: Mapping[str, str]
    first: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class RecordType:
    """
    One record type.

    `name` is the path segment, `operations` the first part of its catalogue names, `collection` its name on the control plane, `table`
    its SuiteQL table and `code` what that calls the type. `prefix` begins the numbers it is given, `permission` is what a role needs.
    `noun` is what the vendor calls a duplicate of it. `read_only` names are accepted in a body and ignored.
    """

    name: str
    operations: str
    collection: str
    table: str
    prefix: str
    permission: str
    noun: str
    fields: Mapping[str, Kind]
    read_only: frozenset[str]
    references: tuple[str, ...]
    custom_prefixes: tuple[str, ...]
    lines: Mapping[str, Kind] = field(default_factory=dict)
    code: str = ""
    statuses: Statuses | None = None
    verbs: tuple[Verb, ...] = ("create", "list", "upsert", "read", "update", "delete")

    def kind_of(self, name: str) -> Kind | None:
        """Tell what a body field holds; None for a name this type does not have."""
        return "custom" if name.startswith(self.custom_prefixes) else self.fields.get(name)

    def kind_of_column(self, name: str) -> Kind | None:
        """Tell what a field of an item line holds; None for a name lines do not have."""
        return "custom" if name.startswith("custcol") else self.lines.get(name)


def _fields(**kinds: str) -> dict[str, Kind]:
    return {name: kind for kind, names in kinds.items() for name in names.split()}  # type: ignore[misc]  # keywords are kinds


_COMMON_READ_ONLY = frozenset({"id", "links", "refName", "createdDate", "dateCreated", "lastModifiedDate"})

SALES_ORDER = RecordType(
    name="salesOrder",
    operations="sales_order",
    collection="sales_orders",
    table="transaction",
    prefix="SO",
    permission="Transactions -> Sales Order",
    noun="record",
    code="SalesOrd",
    statuses=Statuses(ORDER_STATUSES, "B", "orderStatus"),
    fields=_fields(
        text="externalId tranId memo otherRefNum email message source linkedTrackingNumbers",
        number="shippingCost handlingCost taxTotal discountTotal exchangeRate discountRate",
        boolean="toBeEmailed toBePrinted toBeFaxed shipComplete shipIsResidential",
        date="tranDate shipDate startDate endDate salesEffectiveDate actualShipDate",
        reference="entity currency subsidiary location department class terms shipMethod salesRep customForm discountItem "
        "paymentMethod partner leadSource promoCode shipAddressList billAddressList opportunity job",
        order_status="orderStatus",
        subrecord="shippingAddress billingAddress",
    ),
    read_only=_COMMON_READ_ONLY | {"status", "total", "subtotal", "currencyName", "shipAddress", "billAddress"},
    references=("externalId", "memo", "otherRefNum", "tranId"),
    custom_prefixes=("custbody",),
    lines=_fields(
        text="description",
        number="line quantity rate amount taxRate1",
        boolean="isClosed isTaxable",
        date="expectedShipDate",
        reference="item units location department class taxCode price",
    ),
)

ITEM_FULFILLMENT = RecordType(
    name="itemFulfillment",
    operations="item_fulfillment",
    collection="item_fulfillments",
    table="transaction",
    prefix="IF",
    permission="Transactions -> Item Fulfillment",
    noun="record",
    code="ItemShip",
    statuses=Statuses(SHIP_STATUSES, "C", "shipStatus"),
    fields=_fields(
        text="externalId tranId memo linkedTrackingNumbers",
        number="shippingCost handlingCost",
        boolean="shipIsResidential generateIntegratedShipperLabel",
        date="tranDate pickedDate packedDate shippedDate",
        reference="entity createdFrom shipMethod customForm subsidiary department class postingPeriod",
        ship_status="shipStatus",
        subrecord="package shippingAddress",
    ),
    read_only=_COMMON_READ_ONLY | {"status", "createdFrom", "orderId"},
    references=("externalId", "memo", "tranId"),
    custom_prefixes=("custbody",),
    lines=_fields(
        text="description itemName",
        number="line orderLine quantity",
        boolean="itemReceive itemreceive",
        reference="item location units department class",
        subrecord="inventoryDetail",
    ),
    verbs=("list", "read", "update", "delete"),
)
"""Made of a sales order, never by itself. The vendor's own samples write `itemreceive` where its metadata says `itemReceive`."""

CREDIT_MEMO = RecordType(
    name="creditMemo",
    operations="credit_memo",
    collection="credit_memos",
    table="transaction",
    prefix="CM",
    permission="Transactions -> Credit Memo",
    noun="record",
    code="CustCred",
    statuses=Statuses(CREDIT_STATUSES, "A"),
    fields=_fields(
        text="externalId tranId memo otherRefNum email message source",
        number="shippingCost handlingCost taxTotal discountTotal exchangeRate discountRate",
        boolean="toBeEmailed toBePrinted toBeFaxed autoApply",
        date="tranDate salesEffectiveDate",
        reference="entity createdFrom currency subsidiary location department class account salesRep customForm discountItem "
        "postingPeriod partner leadSource promoCode job",
        subrecord="billingAddress apply",
    ),
    read_only=_COMMON_READ_ONLY
    | {"status", "total", "subtotal", "applied", "unapplied", "currencyName", "billAddress"},
    references=("externalId", "memo", "otherRefNum", "tranId"),
    custom_prefixes=("custbody",),
    lines=_fields(
        text="description",
        number="line quantity rate amount taxRate1",
        boolean="isTaxable",
        reference="item units location department class taxCode price",
    ),
)

CUSTOMER = RecordType(
    name="customer",
    operations="customer",
    collection="customers",
    table="customer",
    prefix="CUST",
    permission="Lists -> Customers",
    noun="entity",
    fields=_fields(
        text="externalId entityId companyName firstName middleName lastName email phone altPhone fax url comments accountNumber",
        number="creditLimit",
        boolean="isPerson isInactive taxable autoName",
        date="startDate endDate",
        reference="subsidiary currency terms category entityStatus salesRep parent customForm priceLevel",
        subrecord="addressBook currencyList",
    ),
    read_only=_COMMON_READ_ONLY | {"balance", "defaultAddress", "unbilledOrders"},
    references=("externalId", "comments", "entityId"),
    custom_prefixes=("custentity",),
)

RECORD_TYPES: Mapping[str, RecordType] = {
    each.name: each for each in (SALES_ORDER, CUSTOMER, ITEM_FULFILLMENT, CREDIT_MEMO)
}
"""Record types by path segment."""

CENT = Decimal("0.01")
SMALLEST_STEP = Decimal("0.00000001")
LARGEST_NUMBER = Decimal(10) ** 9
"""Numbers of a body stay below this and are kept to eight places, so that sums of products stay exact."""
