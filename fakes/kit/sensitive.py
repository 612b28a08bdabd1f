"""
What can be recognised as a secret, a card or a person by its form alone, anywhere in a text.

Card numbers must have a scheme's prefix and length and pass Luhn, account numbers their country's length and the check of
ISO 13616: vendors' ids, amounts, times and order names stay what they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Token = Callable[[str, str], str]
"""Makes what stands for a finding, from its kind (secret, email, card, cvc, iban, phone, person) and what it was."""

# Who may take the money back or give it out: longest lengths are those of ISO/IEC 7812 as each scheme issues them. The
# 13 digits that Visa once issued are left out: that is how long a shop's ids are.
_SCHEMES: tuple[tuple[int, int, frozenset[int]], ...] = (
    (4, 4, frozenset({16, 19})),
    (51, 55, frozenset({16})),
    (2221, 2720, frozenset({16})),
    (34, 34, frozenset({15})),
    (37, 37, frozenset({15})),
    (300, 305, frozenset({14})),
    (36, 36, frozenset({14})),
    (38, 39, frozenset({14})),
    (35, 35, frozenset({16, 19})),
    (6011, 6011, frozenset({16})),
    (644, 659, frozenset({16})),
    (62, 62, frozenset({16, 17, 18, 19})),
    (50, 50, frozenset({16, 18, 19})),
    (56, 58, frozenset({16, 18, 19})),
    (63, 63, frozenset({16, 18, 19})),
    (67, 67, frozenset({16, 18, 19})),
)
_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20,
    "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GI": 23, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IS": 26,
    "IT": 27, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25,
    "RO": 24, "RS": 22, "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TR": 26, "UA": 29,
}  # fmt: skip
_NAMED_SECRETS = (
    r"password|passwd|secret|token|api[_-]?key|access[_-]?key|access[_-]?token|refresh[_-]?token|client[_-]?secret"
    r"|private[_-]?key|routing[_-]?key|signature|hmac|authorization"
)
_NAMED_PERSONS = (
    r"first_?name|last_?name|full_?name|given_?name|family_?name|customer_?name|company_?name|recipient"
    r"|phone(?:_?number)?|mobile|address_?[12]|street|line_?[12]|postal_?code|zip|city"
)
_FORMS = re.compile(
    rf"""
      (?P<pem>-----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY-----(?s:.*?)(?:-----END[ ][A-Z ]*PRIVATE[ ]KEY-----|\Z))
    | (?P<key>\b(?:[srp]k_(?:live|test)_|whsec_|shp(?:at|ca|pa|ss)_|xox[abeoprs]-|gh[opsur]_|github_pat_|glpat-)
        [A-Za-z0-9_+/=-]{{8,}}
        |\bwms_[0-9a-f]{{16,}}
        |\b(?:AKIA|ASIA)[A-Z0-9]{{16}}\b
        |\bAIza[A-Za-z0-9_-]{{35}}
        |\beyJ[A-Za-z0-9_-]{{6,}}\.[A-Za-z0-9_-]{{4,}}\.[A-Za-z0-9_-]*)
    | (?P<login>(?<=://)[^\s/@:]*:[^\s/@]+(?=@))
    | (?P<scheme>\b(?i:bearer|basic|digest)[ ]+(?=[^\s"',]*[\d=_.])[A-Za-z0-9+/._~=-]{{8,}})
    | (?P<email>[A-Za-z0-9][A-Za-z0-9._%+-]*(?:@|%40)[A-Za-z0-9](?:[A-Za-z0-9-]*\.)+[A-Za-z]{{2,}})
    | (?P<json>"(?i:{_NAMED_SECRETS}|{_NAMED_PERSONS})"\s*:\s*"(?:[^"\\\u2039]|\\.)+")
    | (?P<named>(?<![A-Za-z0-9])(?i:{_NAMED_SECRETS})=[^\s"'&,;\u2039]+)
    | (?P<cvc>(?P<lead>\b(?i:cvc2?|cvv2?|csc)[\s"':=]+)\d{{3,4}}\b)
    | (?P<iban>\b[A-Z]{{2}}\d{{2}}(?:[ ]?[A-Z0-9]){{11,30}}\b)
    | (?P<phone>(?<![\w+])\+\d(?:[ ./()-]{{0,2}}\d){{7,14}}\b|(?<![\w-])\(?\d{{3}}\)?[ .-]\d{{3}}[ .-]\d{{4}}\b(?!-))
    | (?P<card>(?<![\w.])\d{{4,19}}(?:[ -]\d{{1,7}}){{0,15}}(?!\w))
    """,
    re.VERBOSE,
)
# Nearly every text recorded is an id, a status or a hash; these tell most of them from what may hold something. What the first
# looks for begins with letters that seldom come, which is what makes it quick; the second is for texts with digits.
_WORDS = re.compile(
    r"@|\+|%|=|k_live_|k_test_|whsec_|shp.._|wms_|gh._|github_pat_|-----|eyJ|AKIA|ASIA|AIza|xox|glpat"
    r"|\"\s*:|e(?i:arer)|E(?i:arer)|a(?i:sic)|A(?i:sic)|i(?i:gest)|I(?i:gest)|c[vVsS][cCvV]|C[vVsS][cCvV]"
)
_NUMBERS = re.compile(r"[A-Z]{2}\d{2}|[\d)][ .-]\d{3}[ .-]\d{4}")
SHORTEST_CARD = 14


def replace_forms(text: str, token: Token) -> str:
    """Replace all that is recognised in a text; written in many ways, one number or address has one token."""
    if len(text) < 6 or _holds_nothing(text):
        return text
    return _FORMS.sub(lambda match: _replace(match, token), text)


def _holds_nothing(text: str) -> bool:
    """Tell, quickly and on the safe side, that no form stands in a text."""
    if _WORDS.search(text) is not None:
        return False
    if text.isascii():
        digits = len(text) - len(text.encode().translate(None, b"0123456789"))
    else:
        digits = sum(map(str.isdigit, text))
    return digits < 2 or (digits < SHORTEST_CARD and _NUMBERS.search(text) is None)


def is_card_number(digits: str) -> bool:
    """Tell whether digits are a card's: a scheme's prefix, its length, and Luhn's check digit."""
    if len(digits) < SHORTEST_CARD:
        return False
    fits = any(
        len(digits) in lengths and low <= int(digits[: len(str(low))]) <= high for low, high, lengths in _SCHEMES
    )
    return fits and _passes_luhn(digits)


def is_account_number(text: str) -> bool:
    """Tell whether a text without blanks is an IBAN: its country's length and the check of ISO 13616 (97)."""
    if _IBAN_LENGTHS.get(text[:2]) != len(text):
        return False
    turned = text[4:] + text[:4]
    return int("".join(str(int(char, 36)) for char in turned)) % 97 == 1


def _passes_luhn(digits: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(doubled) + sum(int(digit) for digit in digits[-1::-2])) % 10 == 0


def _replace(match: re.Match[str], token: Token) -> str:
    return _REPLACE[str(match.lastgroup)](match, token)


def _replace_secret(match: re.Match[str], token: Token) -> str:
    return token("secret", match[0])


def _replace_scheme(match: re.Match[str], token: Token) -> str:
    scheme, _, value = match[0].partition(" ")
    return f"{scheme} {token('secret', value.strip())}"


def _replace_named(match: re.Match[str], token: Token) -> str:
    name, _, value = match[0].partition("=")
    return f"{name}={token('secret', value)}"


def _replace_member(match: re.Match[str], token: Token) -> str:
    name, _, value = match[0].partition(":")
    kind = "secret" if re.fullmatch(_NAMED_SECRETS, name.strip('" '), re.IGNORECASE) else "person"
    return f'{name}:"{token(kind, value.strip()[1:-1])}"'


def _replace_email(match: re.Match[str], token: Token) -> str:
    return token("email", match[0].replace("%40", "@").lower())


def _replace_phone(match: re.Match[str], token: Token) -> str:
    return token("phone", re.sub(r"[^\d+]", "", match[0]))


def _replace_cvc(match: re.Match[str], token: Token) -> str:
    return match["lead"] + token("cvc", match[0].removeprefix(match["lead"]))


def _replace_card(match: re.Match[str], token: Token) -> str:
    """Replace cards' numbers among groups of digits; other numbers may stand before and behind them."""
    made, groups = "", list(re.finditer(r"\d+", match[0]))
    end = 0
    for first, group in enumerate(groups):
        card = None if group.start() < end else _find_card(groups[first : first + 6])
        if card is not None:
            made += match[0][end : group.start()] + token("card", re.sub(r"\D", "", match[0][group.start() : card]))
            end = card
    return made + match[0][end:]


def _find_card(groups: list[re.Match[str]]) -> int | None:
    """Return where a card's number ends that begins with the first group, None where none does."""
    ends = range(len(groups), 0, -1)
    return next((groups[n - 1].end() for n in ends if is_card_number("".join(one[0] for one in groups[:n]))), None)


def _replace_account(match: re.Match[str], token: Token) -> str:
    """Replace an IBAN; what follows it may look like more of it, so its country's length decides."""
    found = match[0]
    wanted, taken = _IBAN_LENGTHS.get(found[:2], 0), 0
    for end, char in enumerate(found, start=1):
        taken += char != " "
        if taken == wanted:
            account = found[:end].replace(" ", "")
            return token("iban", account) + found[end:] if is_account_number(account) else found
    return found


_REPLACE = {
    "pem": _replace_secret,
    "key": _replace_secret,
    "login": _replace_secret,
    "scheme": _replace_scheme,
    "named": _replace_named,
    "json": _replace_member,
    "email": _replace_email,
    "phone": _replace_phone,
    "cvc": _replace_cvc,
    "card": _replace_card,
    "iban": _replace_account,
}
