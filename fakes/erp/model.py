"""
The record types the fake knows: their fields, what a written value may be, and how names are checked.

Field names follow NetSuite's REST metadata; the selection is what order integrations write. Custom fields (`custbody_…`, `custcol_…`,
`custentity_…`) take any scalar or reference.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

Kind = Literal["text", "number", "boolean", "date", "datetime", "reference", "choice", "subrecord", "custom"]


@dataclass(frozen=True, slots=True)
class RecordType:
    """
    One record type.

    `name` is the path segment, `operations` the first part of its catalogue names, `collection` its name on the control plane, `table`
    its SuiteQL table. `noun` is what the vendor calls a duplicate of it. `read_only` names are accepted in a body and ignored.
    """

    name: str
    operations: str
    collection: str
    table: str
    noun: str
    fields: Mapping[str, Kind]
    read_only: frozenset[str]
    references: tuple[str, ...]
    custom_prefixes: tuple[str, ...]
    lines: Mapping[str, Kind] = field(default_factory=dict)

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
    noun="record",
    fields=_fields(
        text="externalId tranId memo otherRefNum email message source linkedTrackingNumbers",
        number="shippingCost handlingCost taxTotal discountTotal exchangeRate discountRate",
        boolean="toBeEmailed toBePrinted toBeFaxed shipComplete shipIsResidential",
        date="tranDate shipDate startDate endDate salesEffectiveDate actualShipDate",
        reference="entity currency subsidiary location department class terms shipMethod salesRep customForm discountItem "
        "paymentMethod partner leadSource promoCode shipAddressList billAddressList opportunity job",
        choice="orderStatus",
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

CUSTOMER = RecordType(
    name="customer",
    operations="customer",
    collection="customers",
    table="customer",
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

RECORD_TYPES: Mapping[str, RecordType] = {each.name: each for each in (SALES_ORDER, CUSTOMER)}
"""Record types by path segment."""

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

CENT = Decimal("0.01")
SMALLEST_STEP = Decimal("0.00000001")
LARGEST_NUMBER = Decimal(10) ** 9
"""Numbers of a body stay below this and are kept to eight places, so that sums of products stay exact."""
