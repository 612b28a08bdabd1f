"""Every sabotage, by name."""

from harness.core.verdict import UnknownKind
from harness.zoo.sabotage import insides, killing, misrouting, outsides, witnesses
from harness.zoo.sabotage.sabotage import Sabotage

VACUOUS, ENVIRONMENT, INTERFERENCE = UnknownKind.VACUOUS, UnknownKind.ENVIRONMENT, UnknownKind.INTERFERENCE
UNTOUCHED = "never touched traffic"

SABOTAGES: tuple[Sabotage, ...] = (
    Sabotage(
        "fault-at-another-operation",
        "arms a fault where nobody calls",
        misrouting.at_another_operation,
        VACUOUS,
        UNTOUCHED,
    ),
    Sabotage(
        "fault-at-another-order",
        "arms a fault for the order that only brings the lab to rest",
        misrouting.at_another_order,
        VACUOUS,
        UNTOUCHED,
    ),
    Sabotage(
        "fault-at-a-later-attempt",
        "arms a fault for an attempt that is never made",
        misrouting.at_a_later_attempt,
        VACUOUS,
        UNTOUCHED,
    ),
    Sabotage(
        "fault-without-a-chance",
        "plans a fault whose dice always say no",
        misrouting.without_a_chance,
        VACUOUS,
        UNTOUCHED,
    ),
    Sabotage(
        "fault-at-another-system",
        "arms a fault of the wire in front of another system",
        misrouting.at_another_system,
        VACUOUS,
        UNTOUCHED,
    ),
    Sabotage(
        "toxic-never-applied",
        "has the toxic engine say yes to every toxic and apply none",
        misrouting.toxic_never_applied,
        VACUOUS,
        UNTOUCHED,
    ),
    Sabotage(
        "fault-never-armed",
        "has a vendor say yes to a fault and arm nothing",
        misrouting.never_armed,
        VACUOUS,
        UNTOUCHED,
    ),
    Sabotage(
        "fault-lifted-early",
        "lifts a fault behind the harness's back",
        misrouting.lifted_early,
        ENVIRONMENT,
        "had ended before the harness lifted it",
    ),
    Sabotage(
        "fault-refused",
        "asks a vendor for a fault it does not know",
        misrouting.refused,
        ENVIRONMENT,
        misrouting.NO_SUCH_KIND,
    ),
    Sabotage(
        "zero-traffic",
        "judges an integration that nobody calls and that calls nobody",
        outsides.nobody_calls,
        VACUOUS,
        "no traffic",
    ),
    Sabotage(
        "connection-escapes",
        "gives the integration a vendor's own address, past the tap",
        outsides.around_the_tap,
        INTERFERENCE,
        "without passing the tap",
    ),
    Sabotage("fake-killed", "kills the vendor that is failing", killing.fake_killed, ENVIRONMENT, ""),
    Sabotage("fake-frozen", "stops the vendor that is failing for good", killing.fake_frozen, ENVIRONMENT, "no answer"),
    Sabotage(
        "fake-frozen-for-a-while",
        "stops a vendor between two attempts and lets it go on",
        killing.fake_frozen_for_a_while,
        INTERFERENCE,
        "was not scheduled",
    ),
    Sabotage(
        "integration-killed",
        "kills the integration, which did nothing to deserve it",
        killing.integration_killed,
        ENVIRONMENT,
        "ended with SIGKILL",
    ),
    Sabotage("tap-killed", "kills the witness on the wire", killing.tap_killed, INTERFERENCE, "tap"),
    Sabotage("tap-frozen", "stops the tap for good", killing.tap_frozen, INTERFERENCE, "tap: no answer within"),
    Sabotage(
        "tap-frozen-for-a-while",
        "stops the tap between two attempts and lets it go on",
        killing.tap_frozen_for_a_while,
        INTERFERENCE,
        "tap was not scheduled",
    ),
    Sabotage("journal-cut", "resets a vendor in the middle", witnesses.journal_cut, INTERFERENCE, "gap"),
    Sabotage("entry-lost", "takes one call out of a journal", witnesses.entry_lost, INTERFERENCE, "gap"),
    Sabotage(
        "entry-unreadable",
        "writes an entry into the record that no reader expects",
        witnesses.entry_unreadable,
        INTERFERENCE,
        "KeyError",
    ),
    Sabotage(
        "witnesses-disagree",
        "has a vendor's journal tell of another answer than was sent",
        witnesses.call_forged,
        INTERFERENCE,
        f"was answered {witnesses.NEVER_SENT}",
    ),
    Sabotage(
        "fake-clock-skewed",
        "sets a vendor's clock three seconds ahead",
        witnesses.fake_clock_skewed,
        INTERFERENCE,
        "ahead of ours",
    ),
    Sabotage(
        "tap-clock-skewed",
        "sets the tap's clock three seconds ahead",
        witnesses.tap_clock_skewed,
        INTERFERENCE,
        "ahead of ours",
    ),
    Sabotage("check-raises", "adds a check that crashes", insides.check_raises, INTERFERENCE, insides.BY_SABOTAGE),
    Sabotage(
        "driver-raises", "waits for what cannot be asked", insides.driver_raises, INTERFERENCE, "the driver crashed"
    ),
    Sabotage(
        "harness-stalled",
        "has the harness itself stand still while an attempt is due",
        insides.harness_stalled,
        INTERFERENCE,
        "the harness was not scheduled",
        alone=True,
    ),
    Sabotage(
        "clean-up-fails",
        "takes a fault's proxy away before the harness does",
        insides.clean_up_fails,
        ENVIRONMENT,
        "could not be lifted",
    ),
)
