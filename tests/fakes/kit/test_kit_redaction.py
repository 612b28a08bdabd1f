"""What the journals never keep: secrets, cards and people, by the names of fields, by form, and by what is known."""

import json
import re

import pytest
from faker import Faker
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.kit import sensitive
from fakes.kit.clock import SystemClock
from fakes.kit.ids import IdSource
from fakes.kit.journal import Journal
from fakes.kit.redaction import Redactor
from fakes.kit.sensitive import is_account_number, is_card_number

TOKEN = re.compile("\u2039[a-z]+:[0-9a-f]{8}\u203a")
FAKER = Faker(["en_US", "de_DE", "fr_FR"])
CARDS = ("visa16", "visa19", "mastercard", "amex", "discover", "diners", "jcb16")


@pytest.fixture
def redactor():
    """Return a redactor under a key of its own."""
    return Redactor("the lab's token")


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        ("/services/T0001/B0001/abcdef", "/services/T0001/B0001/REDACTED"),
        ("/services/rest/record/v1/salesOrder/eid:SHP-1", "/services/rest/record/v1/salesOrder/eid:SHP-1"),
        ("/orders?token=abc&x=1", "/orders?token=REDACTED&x=1"),
        ("/orders.json?name=%231001&limit=50", "/orders.json?name=%231001&limit=50"),
    ],
)
def test_only_secrets_are_hidden_in_a_path(redactor, target, kept):
    """The address of a chat hook and telling parameters are secrets; another vendor's path is none, nor is an order's name."""
    assert kept == redactor.redact_target(target)


@pytest.mark.parametrize(
    "target",
    ["/v1/contacts/ada%40example.com", "/customers/search.json?query=email:ada@example.com", "/c?phone=%2B49301234567"],
)
def test_people_are_hidden_in_a_path(redactor, target):
    """An address or number in a path or its query is replaced, however it is encoded."""
    shown = redactor.redact_target(target)
    assert TOKEN.search(shown)
    assert "ada" not in shown
    assert "4930" not in shown


def test_equal_values_have_equal_tokens_under_one_key_only():
    """Two journals of one lab can be compared, and nobody without the key can try values out."""
    first, again, other = Redactor("k"), Redactor("k"), Redactor("another")
    mail = "ada@example.com"
    assert first.redact_text(mail) == again.redact_text(mail) != other.redact_text(mail)


PIECES = (
    *("4111111111111111", "4111 1111 1111 1111", "a@b.de", "+49 170 1234567", "(030) 123-4567", "212-555-0100"),
    *("GB29 NWBK 6016 1331 9268 19", "NO9386011117947", "sk_live_abcdefghijklmnop", "shpat_0123456789abcd"),
    *(
        "AKIAABCDEFGHIJKLMNOP",
        "eyJabcdefgh.abcde.x",
        "cvc: 123",
        "CVV=1234",
        "BeArEr abc.def123",
        "bASic dXNlcjpwYXNz9",
    ),
    *(
        "dIGEST abc12345678",
        "password=foo",
        '"token" : "abc"',
        '"first_name":"Ann"',
        "xoxb-123456789012",
        "wms_0123456789abcdef01ab",
    ),
    *("ghp_0123456789ab", "github_pat_0123456789ab", "glpat-abcdefghijkl", "https://u:p1@h", "AIza" + "a1" * 18),
    *(
        "-----BEGIN PRIVATE KEY-----\nabc",
        "eid:SHP-0000000000123",
        "5123456789012",
        "\u0664111111111111111",
        "h\u00e9llo",
    ),
    *("x", "_", "-", " ", ".", ":", "/"),
)


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=4), st.sampled_from(("", " ", "/", "-")))
@settings(max_examples=1000)
def test_the_quick_look_misses_nothing(pieces, gap):
    """A text that is passed over at a glance holds none of the forms."""
    text = gap.join(pieces)

    def token(kind: str, value: str) -> str:
        return f"<{kind}:{value}>"

    if len(text) > 5:
        found = sensitive._FORMS.sub(lambda match: sensitive._replace(match, token), text)
        assert sensitive.replace_forms(text, token) == found


@pytest.mark.parametrize(
    "text",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "sk_live_51HabcdefghijklmnopQRST",
        "rk_test_51Habcdefghijklmnop",
        "whsec_0123456789abcdef0123",
        "shpat_0123456789abcdef0123456789abcdef",
        "Authorization: Bearer 0a1b2c3d4e5f",
        "Basic dXNlcjpwYXNzd29yZA==",
        "postgres://shop:hunter2@db.internal/orders",
        "client_secret=hunter2-and-more",
        "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        '{"api_key": "hunter2hunter2"}',
        "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIB\n-----END EC PRIVATE KEY-----",
    ],
)
def test_a_secret_is_found_by_its_form(redactor, text):
    """Keys of vendors, tokens of calls, logins in addresses and keys in PEM are replaced wherever they stand."""
    shown = redactor.redact_text(f"it said {text}, and ended")
    assert TOKEN.search(shown)
    assert shown.startswith("it said ")
    assert shown.endswith("and ended")
    said = {
        "Authorization",
        "Bearer",
        "PRIVATE",
        "postgres",
        "internal",
        "orders",
        "client_secret",
        "api_key",
        "BEGIN",
        "END",
    }
    for word in set(re.findall(r"\w{6,}", text)) - said:
        assert word not in shown


@settings(deadline=None)
@given(seed=st.integers(0, 2**32), kind=st.sampled_from(CARDS), gap=st.sampled_from(["", " ", "-"]))
def test_a_card_number_never_stays(seed, kind, gap):
    """Whatever the scheme and however it is grouped, in a text, as a number or beside other numbers."""
    FAKER.seed_instance(seed)
    number = FAKER.credit_card_number(kind)
    grouped = gap.join(number[i : i + 4] for i in range(0, len(number), 4))
    redactor = Redactor("k")
    shown = json.dumps(redactor.redact({"a": f"paid by {grouped}.", "b": [f"10115 {grouped}"], "c": int(number)}))
    assert number not in re.sub(r"[ -]", "", shown)
    assert grouped not in shown


@settings(deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_person_never_stays(seed):
    """A customer's name, street, mail and number are gone from fields, and from prose that comes later."""
    fake = FAKER
    fake.seed_instance(seed)
    first, last, street, mail = fake.first_name(), fake.last_name(), fake.street_address(), fake.email()
    redactor = Redactor("k")
    customer = {"first_name": first, "lastName": last, "email": mail, "address": {"street": street, "city": "X-City"}}
    entries = [{"params": {"customer": customer}}, {"record": {"summary": f"{first} {last}, {street}: {mail} is out"}}]
    shown = [json.dumps(redactor.redact_entry(entry), ensure_ascii=False) for entry in entries]
    for value in (first, last, street, mail, "X-City"):
        assert len(value) < 3 or not any(re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text) for text in shown)


def test_what_was_told_is_hidden_in_prose_and_in_paths(redactor):
    """A name that no field and no form gives away is hidden once the lab has told it."""
    redactor.tell(["Ines Prado", "Prado"])
    shown = redactor.redact_entry({"path": "/search?q=Ines+Prado", "record": {"subject": "#1001: Mrs Prado has moved"}})
    assert "Prado" not in json.dumps(shown)
    assert shown["record"]["subject"].startswith("#1001: Mrs ")


def test_a_told_name_is_not_looked_for_in_identifiers(redactor):
    """A SKU or a handoff may be called like a customer."""
    redactor.tell(["Page", "White"])
    entry = {"sku": "White", "handoff": "Page", "record": {"lines": [{"sku": "White"}]}}
    assert entry == redactor.redact_entry(entry)


@settings(deadline=None)
@given(seed=st.text("0123456789abcdef", min_size=8, max_size=8), digits=st.sampled_from([9, 10, 13]))
def test_ids_of_vendors_stay(seed, digits):
    """No id that a fake makes is taken for a card, a number to call or an account."""
    ids = IdSource(seed)
    number = ids.number("order", digits=digits)
    made = {
        "id": number, "name": f"#{number}", "external_id": f"SHP-{number}", "sku": f"ITEM{number}",
        "payment": f"pi_{ids.text('pi')}", "uuid": ids.uuid("x"), "sha256": ids.text("s", length=64),
        "total": "1234.50", "at": 1795329866.7815871, "topic": "orders/create", "tracking": f"1Z999AA1{number}",
        "rule": "order-to-erp/429:retry/last#f1~1", "url": "http://127.0.0.1:40535/webhooks/wms", "memo": f"#{number}",
        "created_at": "2026-01-02T03:04:05+02:00", "address": "http://127.0.0.1:40535/webhooks/wms",
    }  # fmt: skip
    assert made == Redactor("k").redact_entry(made)


@settings(deadline=None)
@given(
    value=st.recursive(
        st.text() | st.integers() | st.none() | st.booleans(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)
    )
)
def test_redacting_twice_changes_nothing_more(value):
    """What was redacted when it was recorded may be written again by somebody else."""
    redactor = Redactor("k")
    once = redactor.redact(value)
    assert once == redactor.redact(once)


def test_a_journal_holds_only_what_may_be_shown():
    """Redaction happens when an entry is written: no reader ever meets the value."""
    journal = Journal(SystemClock())
    journal.append("change", collection="contacts", record={"id": "c1", "external_id": "7", "name": "Mira Okafor"})
    record = journal.entries()[0]["record"]
    assert (record["id"], record["external_id"]) == ("c1", "7")
    assert TOKEN.fullmatch(record["name"])


def test_checks_of_numbers():
    """Luhn alone makes no card, and a country's length no account."""
    assert is_card_number("4242424242424242")
    assert not is_card_number("4242424242424241")
    assert not is_card_number("1795329866781581")
    assert is_account_number("DE89370400440532013000")
    assert not is_account_number("DE89370400440532013001")
