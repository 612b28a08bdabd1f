"""The calls this vendor offers and what can go wrong with them, as the catalogue shows them."""

from fakes.erp.errors import CODES, TOKEN_CODES
from fakes.erp.model import RECORD_TYPES, RecordType
from fakes.erp.oauth2 import TOKEN_PATH
from fakes.erp.views import RECORD_PATH
from fakes.kit.catalogue import Catalogue, Operation

SUITEQL_PATH = "/services/rest/query/v1/suiteql"
_BY_ID = r"(?P<id>(?!eid(?::|%3[Aa]))[^/]+)"
_BY_EXTERNAL_ID = r"eid(?::|%3[Aa])(?P<external_id>[^/]+)"


def _build_operations(record_type: RecordType) -> tuple[Operation, ...]:
    name, path = record_type.operations, f"{RECORD_PATH}/{record_type.name}"
    hint = "order-to-erp" if name == "sales_order" else None
    one = f"{path}/(?:{_BY_EXTERNAL_ID}|{_BY_ID})"
    return (
        Operation(f"{name}.create", "POST", path, handoff_hint=hint),
        Operation(f"{name}.list", "GET", path, shared=True),
        Operation(f"{name}.upsert", "PUT", f"{path}/{_BY_EXTERNAL_ID}", handoff_hint=hint),
        Operation(f"{name}.read", "GET", one),
        Operation(f"{name}.update", "PATCH", one),
        Operation(f"{name}.delete", "DELETE", one),
    )


def build_catalogue() -> Catalogue:
    """Build the catalogue of the ERP."""
    return Catalogue(
        system="erp",
        operations=(
            Operation("token.create", "POST", TOKEN_PATH, shared=True),
            Operation("suiteql.query", "POST", SUITEQL_PATH, shared=True),
            *(operation for each in RECORD_TYPES.values() for operation in _build_operations(each)),
        ),
        codes=CODES + TOKEN_CODES,
        open_codes=True,  # scripts of the account throw codes of their own
    )
