"""
Keep secrets, cards and people out of everything that is recorded.

What is found is replaced by a token in single angle quotes, such as ``email:5f0c2a91``: its kind, and a keyed hash of what
stood there. So what was equal stays equal, within everything recorded under one key, and who has not got the key can guess nothing. Order names,
SKUs, vendors' ids, amounts and hashes are none of it and stay.

Three ways lead to a finding: the name of a field (``last_name``, ``client_secret``, all of ``shipping_address``), the form of
a text (fakes.kit.sensitive), and a value somebody told or that stood in such a field before: then it is found in prose too.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from fakes.kit.sensitive import replace_forms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CACHED = 20_000
TOLD_KEPT = 5_000
LONGEST_WORD = 9
SHORTEST_NAME = 3
SHORTEST_CARD = 10**13

# Fields by their names, folded to lower-case letters and digits; the first that fits says what to do with the value.
_HIDDEN = (
    r"\w*(?:password|secret|token|apikey|privatekey|accesskey|secretkey)|passwd|pwd|auth|signature|hmac"
    r"|cookie|setcookie|routingkey|pin"
)
_CARD = r"cvc2?|cvv2?|csc|securitycode|cardnumber|pan|track[12]|iban|accountnumber"
_PERSON = (
    r"(?:first|last|middle|full|given|family|customer|contact|recipient|company)name|addressee|attention"
    r"|\w*email(?:address)?|\w*phone(?:number)?|mobile|fax|dateofbirth|birthda(?:te|y)|ssn"
    r"|(?:address|addr|line|addressline)[12]|street(?:address)?|zip(?:code)?|post(?:al)?code|ipaddress|browserip"
)
_CONTAINER = (
    r"customers?|contacts?|(?:billing|shipping|default)address|address|addresses|billingdetails|shipping|recipient"
    r"|shipto|billto|to|buyer|consignee|payer|cardholder|person|card"
)
_PLAIN = (
    r"id|externalid|entity|order|orderid|reference|lastorder|lastordertotal|country(?:code)?|province(?:code)?|state|status"
    r"|currency|locale|type|kind|brand|last4|funding|revision|createdat|updatedat|modifiedat|collection|object|correlationid"
)
_PROSE = r"text|summary|subject|description|notes?|memo|messages?|errors?|detail|comments?|title|what|why|reason|body"
_ROLE = re.compile(
    f"(?P<secret>{_HIDDEN})|(?P<card>{_CARD})|(?P<person>{_PERSON})|(?P<container>{_CONTAINER})|(?P<plain>{_PLAIN})"
    f"|(?P<prose>{_PROSE})|(?P<path>path)"
)
_LEARNT = re.compile(r"(?:first|last|full|given|family)name|name|street(?:address)?|address1|line1")
_QUERY_SECRETS = re.compile(
    r"((?:^|[?&])(?:access_token|token|api_key|client_secret|password|secret|signature)=)[^&]*", re.IGNORECASE
)
_QUERY_PERSONS = re.compile(
    r"((?:^|[?&])(?:first_name|last_name|full_name|phone|address1|street|zip)=)([^&]*)", re.IGNORECASE
)
# An incoming webhook's address is its credential.
_HOOK = re.compile(r"^(/services/T[^/?]+/B[^/?]+/)[^/?]+")
_PART = re.compile(r"[^/?&=]+")
_WORD = re.compile(r"\w[\w'\u2019.-]*")
_TOKEN = re.compile(r"\u2039[a-z]+:[0-9a-f]{8}\u203a")
_PLACE = re.compile(r"https?://|[\w.\[\]:-]+:\d+$")
_FLAT = (str, int, float, bool, type(None))
_FOLD = re.compile(r"[^a-z0-9]")


class Redactor:
    """Redact under one key; without one, under a key of its own."""

    def __init__(self, key: str | None = None) -> None:
        self._key = hashlib.sha256(f"redaction {key or secrets.token_hex(16)}".encode()).digest()
        self._cache: dict[str, str] = {}
        self._words: dict[str, str] = {}
        self._told = _Known()
        self._seen = _Known()
        self._roles: dict[str, str] = {}

    def tell(self, values: Iterable[str]) -> None:
        """Make values known as a person's: names, streets, numbers; they are replaced wherever they stand in prose or in a path."""
        for value in values:
            self._told.add(value)
        self._words.clear()

    @property
    def learnt(self) -> int:
        """How many values were made known so far: what was redacted when there were fewer might be redacted otherwise now."""
        return self._told.count + self._seen.count

    def token(self, kind: str, value: str) -> str:
        """Return what stands for a value; an empty one, and what is a token already, stand for themselves."""
        if not value.strip() or _TOKEN.fullmatch(value):
            return value
        digest = hmac.new(self._key, f"{kind}:{value}".encode(), hashlib.sha256).hexdigest()
        return f"\u2039{kind}:{digest[:8]}\u203a"

    def redact_text(self, text: str) -> str:
        """Redact a text that people read: by form, and what is known of people."""
        return self._known(self._forms(text), self._told, self._seen)

    def redact_line(self, line: str) -> str:
        """Redact a line that a program printed: by its fields where it is a JSON object."""
        if line.startswith("{"):
            try:
                fields = json.loads(line)
            except (ValueError, RecursionError):
                return self.redact_text(line)
            redacted = self.redact(fields)
            if redacted != fields:
                line = json.dumps(redacted, ensure_ascii=False)
            elif all(type(value) in _FLAT and self._forms(name) == name for name, value in fields.items()):
                # Nothing has a form by itself, so nothing but what is known of people can stand in the line.
                return self._known(line, self._told, self._seen)
        return self.redact_text(line)

    def redact_target(self, target: str) -> str:
        """
        Redact a path with its query.

        What only this process knows plays no part, so that two witnesses of one call write the same.
        """
        hidden = _HOOK.sub(r"\1REDACTED", target) if target.startswith("/services/T") else target
        if "?" in hidden:
            hidden = _QUERY_SECRETS.sub(r"\1REDACTED", hidden)
            hidden = _QUERY_PERSONS.sub(lambda match: match[1] + self.token("person", match[2]), hidden)
        words = self._words
        if "?" not in hidden and "&" not in hidden and "=" not in hidden:
            return "/".join([words.get(part) or self._redact_part(part) for part in hidden.split("/")])
        return _PART.sub(lambda match: words.get(match[0]) or self._redact_part(match[0]), hidden)

    def redact(self, value: Any) -> Any:
        """Redact a JSON value."""
        return self._value("", value, person=False)

    def redact_entry(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Redact the fields of a journal entry; the records of some collections are people."""
        if self._role(str(fields.get("collection"))) != "container":
            return self.redact_fields(fields)
        return {name: self._value(name, value, person=name == "record") for name, value in fields.items()}

    def redact_fields(self, fields: Mapping[str, Any], *, person: bool = False) -> dict[str, Any]:
        """Redact a JSON object; all of it is about a ``person`` where its surroundings say so."""
        if person:
            self._learn(fields)
        made = dict(fields)
        for name, value in fields.items():
            # Most of an entry is times and flags: what can be nothing else is passed over first.
            if value is not None and type(value) is not float and value is not True and value is not False:
                made[name] = self._value(name, value, person=person)
        return made

    def _value(self, name: str, value: Any, *, person: bool) -> Any:
        if type(value) is str:
            return self._string(name, value, person=person) if value else value
        if isinstance(value, dict | list | tuple):
            about = person or self._role(name) == "container"
            if isinstance(value, dict):
                return self.redact_fields(value, person=about)
            return [self._value(name, one, person=about) for one in value]
        if isinstance(value, str):
            return self._string(name, str(value), person=person)
        return self._number(name, value, person=person) if type(value) is int else value

    def _string(self, name: str, value: str, *, person: bool) -> str:
        role = self._role(name)
        if not (role or person):
            return self._forms(value)
        if role == "path":
            return self.redact_target(value)
        if role in {"secret", "card"}:
            return self.token(role, value)
        street = role == "container" and name.endswith("address") and not _PLACE.match(value)
        if role == "person" or street or (person and role != "plain"):
            return self._someone(value)
        return self._forms(value) if role == "plain" else self.redact_text(value)

    def _someone(self, value: str) -> str:
        """Replace a value that is a person's, by the token of its form where it has one."""
        found = self._forms(value)
        return found if _TOKEN.fullmatch(found) else self.token("person", value)

    def _number(self, name: str, value: int, *, person: bool) -> Any:
        role = self._role(name)
        if role in {"card", "person", "secret"} or (person and name == "number"):
            return self.token("card" if role != "person" else role, str(value))
        if value >= SHORTEST_CARD:
            found = self._forms(str(value))
            return found if _TOKEN.search(found) else value
        return value

    def _forms(self, text: str) -> str:
        if text.isalnum() and text.islower():  # hashes and most ids: no form is of such letters alone
            return text
        found = self._cache.get(text)
        return _keep(self._cache, text, replace_forms(text, self.token)) if found is None else found

    def _known(self, text: str, *known: _Known) -> str:
        for one in known:
            text = one.replace(text, self.token)
        return text

    def _redact_part(self, part: str) -> str:
        decoded = unquote_plus(part) if "%" in part or "+" in part else part
        found = self._known(replace_forms(decoded, self.token), self._told)
        made = part if found == decoded else found
        # Words come again and again, ids once: to remember those costs more than to look at them.
        return _keep(self._words, part, made) if len(part) < LONGEST_WORD or part.isalpha() else made

    def _learn(self, fields: Mapping[str, Any]) -> None:
        for name, value in fields.items():
            if isinstance(value, str) and _LEARNT.fullmatch(_fold(name)):
                self._seen.add(value)

    def _role(self, name: str) -> str:
        role = self._roles.get(name)
        if role is None:
            match = _ROLE.fullmatch(_fold(name))
            role = _keep(self._roles, name, (match and match.lastgroup) or "")
        return role


def _fold(name: str) -> str:
    """Return a field's name without what languages and vendors spell differently."""
    return _FOLD.sub("", name.lower())


def _keep(cache: dict[str, str], key: str, value: str) -> str:
    if len(cache) >= CACHED:
        cache.clear()
    cache[key] = value
    return value


class _Known:
    """Values known to be somebody's, by their first word."""

    def __init__(self) -> None:
        self._values: dict[str, None] = {}
        self._by_word: dict[str, list[str]] = {}
        self.count = 0

    def add(self, value: str) -> None:
        """Know a value, unless it is too short or a number: an order has those too."""
        value = value.strip()
        first = _WORD.search(value)
        if value in self._values or len(value) < SHORTEST_NAME or first is None or not re.search(r"[^\W\d_]", value):
            return
        if _TOKEN.search(value):
            return
        if len(self._values) >= TOLD_KEPT:
            self._forget(next(iter(self._values)))
        self._values[value] = None
        self.count += 1
        held = self._by_word.setdefault(first[0], [])
        held.append(value)
        held.sort(key=len, reverse=True)

    def replace(self, text: str, token: Any) -> str:
        """Replace every known value that stands in the text as whole words."""
        if not self._by_word:
            return text
        made, end = [], 0
        for word in _WORD.finditer(text):
            start = word.start()
            if start < end:
                continue
            found = next((one for one in self._by_word.get(word[0], ()) if self._stands(text, start, one)), None)
            if found is not None:
                made += [text[end:start], token("person", found)]
                end = start + len(found)
        return "".join([*made, text[end:]]) if made else text

    @staticmethod
    def _stands(text: str, start: int, value: str) -> bool:
        behind = text[start + len(value) : start + len(value) + 1]
        return text.startswith(value, start) and not (behind.isalnum() or behind == "_")

    def _forget(self, value: str) -> None:
        del self._values[value]
        first = _WORD.search(value)
        if first is not None:
            held = self._by_word[first[0]]
            held.remove(value)
            if not held:
                del self._by_word[first[0]]
