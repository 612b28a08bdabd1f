"""
What the words of a stack's author say: that somebody is told, that a case was only seen, that no error is left, that it is no use.

Names in a stack are free, so this is a judgement by words, whole ones: `message-broker` tells nobody, `post-to-slack` does. A
name with a word in it that is none of these says more than they do, and is believed. Measured by tests/core/test_wording.py.
"""

from __future__ import annotations

import itertools
import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What joins words, and what only says how.
_JOINING = _words(
    "a about again all also an any at attention automatically by do for from immediately in it its just let manually me move of "
    "off on only our out over please silently so that the their them there this to up us via who whom with your"
)
# To begin with one of these is to tell somebody, whoever that is.
_TELLS = _words(
    "alert alerts announce inform informs notify notifies notifying notification notifications remind tell tells warn warns"
)
# These tell somebody where nothing else is said but to whom: `email-ops`, not `email-voucher`.
_SAYS = _TELLS | _words(
    "alerting alerted announcement announcements ask banner bugsnag call cc chat chatops comment console contact contacts dashboard "
    "datadog digest discord e email emails emailing escalate escalates escalation flag flags forward forwards grafana heads inbox "
    "incident incidents informing informed jira log logged logging logs know mail mailbox mailing mails memo message messages "
    "messaging msteams newrelic note notes notified opsgenie page pagerduty pager paging phone ping pinging pings pinged "
    "reminder reminders report reports sentry servicenow shout slack sms splunk spreadsheet stderr stdout teams telegram text ticket "
    "tickets ticketing warning warnings whatsapp zendesk"
)
# Where something is said: not enough by itself (`sales-channel`).
_MEDIA = _words("channel daily entry error errors event feed item line room shared summary thread webhook weekly")
_MAKES = _words(
    "add create creates creating display drop emit file fire fires leave make open opens post posts posting publish push put raise "
    "raises send sends sending shoot show submit take trigger use write writes writing"
)
_PEOPLE = _words(
    "accountant accounting accounts admin admins administrator agent agents anybody anyone backoffice boss business buyer "
    "colleague compliance customer customers client clients department dev developer developers devs driver duty ecommerce engineer "
    "engineers engineering everybody everyone finance floor group helpdesk human humans lead leads manager managers management "
    "member merchandiser merchant oncall operations operator operators ops owner owners people person planner sales shift shopper "
    "somebody someone sre staff store supervisor support team user users vendor warehouse"
)
# Real ways, though their words may tell somebody: goods or an order go to a place, a line is left out, sales by phone.
_FORWARDS = _words("forward forwards")
_PLACES = _words("store vendor warehouse")
_LINES = _words("item line")
_SOLD = ["phone", "sales"]
_NOTHING = _words("ignore ignored ignores nothing noop nop skip swallow")
_SEEN = _NOTHING | _words(
    "ack acked acknowledge acknowledged archive archived assign assigned aware checked close closed closes dismiss dismissed "
    "dismisses done fyi got informed known look looked mark marked mute muted none noted ok okay read resolve resolved reviewed "
    "review see seen snooze take thumbs understood viewed"
)
_CASE = _words("as case cases alert alerts issue task ticket tickets")

_NOT = _words("0 absent cleared fewer free gone less never no none not nothing off over stopped vanished without zero")
_GONE = _words(
    "absent away clear cleared closed disappeared handled empty ended fixed free gone none over past recovered removed resolved solved "
    "vanished went"
)
_TROUBLE = _words(
    "alert alerts broken bug bugs crash crashes crashing error errorfree errors erroring exception exceptions fail failed failing "
    "fails failure failures fault faults faulty incident incidents issue issues outage outages problem problems stuck trouble "
    "troubles wrong"
)
_VAGUE = _words(
    "alive attempted calm clean clear errorfree fine good gone green handled happy healthy normal none nothing ok okay operational quiet "
    "recovered retried silent stable unblocked up well working works"
)
# States that a record is in, such as a screened order's or a ticket's.
_REAL = (["clear"], ["normal"], ["issue", "closed"])
_FILLING = _words("a again all any are back been everything has have is it longer more now of the to was")

_TRANSIENT = _words(
    "again backend busy changed concurrency concurrent conflict connection connections contention deadlock etag gateway lock locked "
    "overload overloaded progress rate request requests response retry server session temporarily temporary throttle throttled "
    "throttling timeout token transient try unavailable upstream version yet"
)
_RULES = _words(
    "approval banned blacklisted blocked compliance declined disallowed discontinued duplicate embargo embargoed forbidden fraud "
    "hazmat ineligible invalid minimum maximum mismatch missing nonexistent obsolete policy prohibited refused restricted "
    "restriction sanction sanctioned sanctions suspended unauthorised unauthorized undeliverable unsupported validation violation"
)
_PHRASES = (
    ("already", "exists"),
    ("credit", "limit"),
    ("max", "qty"),
    ("max", "quantity"),
    ("min", "order"),
    ("not", "allowed"),
    ("not", "eligible"),
    ("not", "permitted"),
    ("not", "supported"),
    ("on", "hold"),
    ("period", "closed"),
    ("verification", "required"),
)


def split_words(name: str) -> list[str]:
    """Split a name into its words, in lower case: at what is no letter or digit, and where a capital begins another."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return re.findall(r"[a-z0-9]+", parted.casefold().replace("on-call", "oncall").replace("on call", "oncall"))


def tells_somebody(name: str) -> bool:
    """Tell whether the other way of this name is to tell somebody, or to do nothing at all."""
    words = split_words(name)
    if words[:2] in (["log", "in"], ["log", "out"], ["log", "on"]):
        return False
    said = [word for word in words if word not in _JOINING]
    if not set(said) & (_SAYS | _NOTHING) or _leads_on(said):
        return False
    if said[0] in _TELLS and not set(words) & {"and", "then"}:
        return True
    return set(said) <= _SAYS | _MEDIA | _MAKES | _PEOPLE | _NOTHING | {"and", "service"}


def _leads_on(said: list[str]) -> bool:
    """Tell whether these words name a real way, whatever each of them says by itself."""
    named = set(said)
    forwarded = bool(named & _PLACES) and named <= _FORWARDS | _PLACES
    return forwarded or bool(named & _NOTHING and named & _LINES) or said == _SOLD


def only_acknowledges(name: str) -> bool:
    """Tell whether a decision that leads to this says no more than that the case was seen, or somebody told of it."""
    said = [word for word in split_words(name) if word not in _JOINING | _CASE]
    return (bool(said) and set(said) <= _SEEN) or tells_somebody(name)


def says_no_error(state: str) -> bool:
    """Tell whether a state says that something is not there any more, or that all is well, instead of what is there."""
    words = split_words(state)
    if words in _REAL:
        return False
    said = [word for word in words if word not in _FILLING]
    troubled = bool(set(words) & _TROUBLE)
    if troubled and set(words) & (_NOT | _GONE):
        return True
    return bool(said) and set(said) <= _VAGUE


def says_refusal(code: str) -> bool:
    """Tell whether a vendor's code names a rule the payload breaks, so that the same payload breaks it again."""
    words = split_words(code)
    if set(words) & _TRANSIENT:
        return False
    pairs = set(itertools.pairwise(words))
    return bool(set(words) & _RULES or pairs & set(_PHRASES))
