"""Small mistakes that could stand in a checker: each of these cases is one that no other test would notice."""

from functools import partial

import pytest
from histories import HANDOFF, alert, call, did, letter, shown, told

from harness.core.checks.breaker import check_one_alert, check_opens, check_probes, check_reopened, check_stays_closed
from harness.core.checks.containment import Neighbour, check_contained, check_drained
from harness.core.checks.dead_letter import check_dead_letter, check_escalation, check_replay, check_replayed_once
from harness.core.checks.openings import UNDER_WAY_S, trace_openings
from harness.core.checks.retry import Sent, check_attempts
from harness.core.ends import EndState
from harness.core.experiments import Check
from harness.core.gates import run_check
from harness.core.outcomes import DeadLetter
from harness.core.stack import Breaker
from harness.core.verdict import Outcome, UnknownKind, build_held, build_violated

HELD, VIOLATED, UNKNOWN = Outcome.HELD, Outcome.VIOLATED, Outcome.UNKNOWN
VACUOUS, HIDDEN = UnknownKind.VACUOUS, UnknownKind.NOT_OBSERVABLE
OPERATIONS = ("sales_order.upsert",)
# Three failures open it for two seconds; the third of `failing` ends at a quarter of a second, exactly.
THREE = Breaker(failures=3, pause_s=2.0, probes=1, alert="oncall")
OPENED, UNTIL = 0.25, 2.25
SALES_ORDER = EndState("erp", "sales_order")
TWO_PROBES = Breaker(failures=3, pause_s=2.0, probes=2, alert="oncall")


def failing(n=3, status=503):
    """Make calls that fail one after another."""
    return [call(0.0625 * place, status, order=place + 1, took=0.125) for place in range(n)]


def ask(check, *things, breaker=THREE, now=10.0, observable=frozenset({"dead_letters"}), **declared):
    """Ask a check of breakers."""
    return check(told(*things, now=now, observable=observable), OPERATIONS, breaker, scale=1.0, **declared)


probes = partial(ask, check_probes, latest_s=1.0)
stays_closed = partial(ask, check_stays_closed, handoff=HANDOFF)
one_alert = partial(ask, check_one_alert, handoff=HANDOFF)


class TestBreakers:
    """What stands between a breaker that does as declared and one that does not."""

    @pytest.mark.parametrize(("now", "outcome"), [(UNTIL - 0.0625, UNKNOWN), (UNTIL, HELD), (UNTIL + 1, HELD)])
    def test_a_pause_is_watched_to_its_end(self, now, outcome):
        """A silence counts from the moment the pause is over."""
        assert ask(check_opens, *failing(), now=now).outcome is outcome

    def test_a_probe_shows_that_the_pause_was_watched(self):
        """Whoever probes a little early has ended the pause: nothing is left to watch."""
        assert ask(check_opens, *failing(), call(UNTIL - 0.125), now=UNTIL - 0.0625).outcome is HELD

    @pytest.mark.parametrize(
        ("calls", "kind"),
        [
            ([call(0, 503), call(1, 200), call(2, 503)], UnknownKind.INTERFERENCE),
            ([call(0, 503), call(1, 200)], VACUOUS),
        ],
    )
    def test_what_an_uninterrupted_run_below_needs(self, calls, kind):
        """One failure fewer than opens it is needed; where there were as many, they did not come in a row."""
        assert stays_closed(*calls).kind is kind

    def test_the_next_call_is_the_first(self):
        """The one that follows at once tells that it went on, whatever comes after a long time."""
        two = failing(2)
        assert stays_closed(*two, call(two[-1].ended, 200), call(9.0, 200)).outcome is HELD

    def test_a_probe_that_is_still_to_come(self):
        """An opening that was probed counts, though a later one is still waiting for its probe."""
        result = probes(*failing(), call(2.5, 503), now=4.0)
        assert result.outcome is HELD

    def test_a_pause_not_watched_proves_nothing(self):
        """Without a probe, and too early for one, nothing was tested."""
        result = probes(*failing(), now=3.0)
        assert (result.outcome, result.kind) == (UNKNOWN, VACUOUS)

    @pytest.mark.parametrize(("now", "outcome"), [(UNTIL + 1.0, VIOLATED), (UNTIL + 0.875, UNKNOWN)])
    def test_how_long_a_probe_may_take(self, now, outcome):
        """The time a probe may take ends with its last moment."""
        assert probes(*failing(), now=now).outcome is outcome

    def test_calls_before_the_pause_was_over_and_none_after(self):
        """It is late by as much as the last of them was beyond what may have been under way."""
        result = probes(*failing(), call(0.5, 200), call(1.25, 200))
        assert result.observed == "2 sent before the pause was over"
        assert result.margin_s == pytest.approx(1.0 - UNDER_WAY_S)

    def test_a_call_before_the_probe_is_for_the_silence_to_judge(self):
        """Where a probe came in time the number of probes is as declared."""
        assert probes(*failing(), call(0.5, 200), call(2.5, 200)).outcome is HELD

    def test_the_first_of_two_probes_is_in_time(self):
        """The second may come as late as it likes, as long as the first is under way."""
        late = [call(2.5, 200, took=3.0), call(4.0, 200, took=3.0)]
        assert probes(*failing(), *late, breaker=TWO_PROBES).outcome is HELD

    def test_by_how_much_a_probe_is_late(self):
        """The margin is what is beyond the time it may take."""
        result = probes(*failing(), call(UNTIL + 1.5, 200))
        assert (result.outcome, result.margin_s) == (VIOLATED, pytest.approx(0.5))

    @pytest.mark.parametrize(
        ("later", "now", "outcome"),
        [
            ([], 4.5, UNKNOWN),
            ([], 4.5 + 0.0625, HELD),
            ([call(4.375, 200)], 4.5 - 0.0625, HELD),
            ([call(4.6, 200)], 5.0, HELD),
        ],
    )
    def test_the_second_pause_is_watched_too(self, later, now, outcome):
        """A failed probe, ending half a second late, begins a pause that must be seen to its end or to its probe."""
        probe = call(UNTIL, 503, took=0.25)
        now = now + (0.0 if later or now != 4.5 else -0.0625)
        assert ask(check_reopened, *failing(), probe, *later, now=now).outcome is outcome

    def test_one_nameless_alert_among_others_is_doubt_enough(self):
        """Any alert that names no handoff may be the one that is missing."""
        result = one_alert(*failing(), alert(0.3, handoff=None), alert(0.3, handoff="other"))
        assert (result.outcome, result.kind) == (UNKNOWN, HIDDEN)

    @pytest.mark.parametrize(
        ("escalate_after", "left", "outcome"),
        [(None, 0, VIOLATED), (3, 0, VIOLATED), (3, 2, HELD), (2, 1, HELD), (1, 0, HELD)],
    )
    def test_alerts_that_dead_letters_account_for(self, escalate_after, left, outcome):
        """One more alert is explained from as many dead letters on as escalate, those of earlier experiments included."""
        old = [letter(None, id=f"old {n}", payload_sha256="old", entity="#900") for n in range(left)]
        alerts = [alert(0.3), alert(0.4, key="b")]
        rules = (DeadLetter(to="oncall", escalate_after=escalate_after),)
        assert one_alert(*failing(), *alerts, shown(letter(1), *old), rules=rules).outcome is outcome

    def test_leftovers_alone_raise_no_alert(self):
        """What earlier experiments left behind tells nobody anything where nothing was added to it."""
        old = letter(None, id="old", payload_sha256="old", entity="#900")
        rules = (DeadLetter(to="oncall", escalate_after=1),)
        alerts = [alert(0.3), alert(0.4, key="b")]
        assert one_alert(*failing(), *alerts, shown(old), rules=rules).outcome is VIOLATED

    @pytest.mark.parametrize(("escalate_after", "outcome"), [(None, VIOLATED), (1, HELD)])
    def test_alerts_where_nobody_shows_dead_letters(self, escalate_after, outcome):
        """Any order given up may have been told, where the stack says that dead letters are."""
        alerts = [alert(0.3), alert(0.4, key="b")]
        rules = (DeadLetter(to="oncall", escalate_after=escalate_after),)
        assert one_alert(*failing(), *alerts, rules=rules).outcome is outcome


SENT = Sent(OPERATIONS, 1)
TWO = (call(0, 503), call(0.3, 503))
OLD = letter(None, id="old", payload_sha256="old", entity="#900")
escalation = partial(check_escalation, handoff=HANDOFF, role="oncall", after=2, horizon_s=5)


class TestDeadLetters:
    """What is put aside, told and replayed."""

    def test_a_payload_of_which_no_body_was_seen(self):
        """Where every call was cut off before it was whole, no payload can be said to be none that was sent."""
        cut = call(0, None, body_sha256="", end="client_closed")
        found = check_dead_letter(told(cut, shown(letter(attempts=1))), SENT, handoff=HANDOFF, horizon_s=5)
        assert found.outcome is HELD

    def test_a_letter_without_a_payload_is_not_told_from_a_body_that_was_cut_off(self):
        """A body nobody saw whole is no body: a letter that shows another one is not excused by it."""
        calls = (call(0, None, body_sha256="", end="client_closed"), call(1, 503))
        found = check_dead_letter(
            told(*calls, shown(letter(payload_sha256="other"))), SENT, handoff=HANDOFF, horizon_s=5
        )
        assert found.outcome is VIOLATED

    def test_one_left_over_and_one_of_this_experiment(self):
        """With one waiting from before, the first of this experiment is the second in all."""
        history = told(*TWO, shown(letter(1), OLD), alert())
        assert escalation(history, expected=0).outcome is HELD
        assert escalation(told(*TWO, shown(letter(1), OLD)), expected=0).outcome is VIOLATED

    @pytest.mark.parametrize(("left", "outcome"), [(1, UNKNOWN), (2, HELD), (3, HELD)])
    def test_as_many_left_over_as_escalate(self, left, outcome):
        """They were told of when they came, so silence is as declared; with fewer, as many as needed must have come."""
        old = [letter(None, id=f"old {n}", payload_sha256="old", entity="#900") for n in range(left)]
        result = escalation(told(*TWO, shown(*old)), expected=1, waiting=2)
        assert result.outcome is outcome

    def test_what_is_beside(self):
        """What earlier experiments left behind is told of where there is some, and only there."""
        beside = escalation(told(*TWO, shown(letter(1), OLD), alert()), expected=0).observed
        alone = escalation(told(*TWO, shown(letter(1), letter(2)), alert()), expected=1).observed
        assert (beside, alone) == ("1 alert, beside 1 dead letters of earlier experiments", "1 alert")

    def test_no_alert_and_no_letters_to_be_seen(self):
        """Where none was expected and none is needed, silence is enough even if nobody shows dead letters."""
        assert escalation(told(*TWO), expected=0).outcome is HELD
        assert escalation(told(*TWO), expected=0, waiting=1).kind is HIDDEN

    def test_an_alert_tells_that_enough_were_held(self):
        """Where the role was told, it is not asked how many letters are still to be seen."""
        assert escalation(told(*TWO, shown(letter(1)), alert()), expected=1, waiting=2).outcome is HELD

    def test_nothing_to_replay(self):
        """Without a letter a replay proves nothing."""
        found = check_replay(told(*TWO, shown()), handoff=HANDOFF, order=1)
        assert (found.outcome, found.kind) == (UNKNOWN, VACUOUS)

    def test_what_was_sent_the_moment_it_was_replayed(self):
        """A call that begins with the replay is the replay's."""
        history = told(*TWO, shown(letter()), did("replay", 2.0, 1), call(2.0))
        assert check_replayed_once(history, SENT, handoff=HANDOFF).outcome is HELD

    def test_no_way_to_replay(self):
        """Where the integration offers none, nobody can tell what a replay would do."""
        history = told(*TWO, shown(letter()), did("replay", 2.0, 1, met=False))
        assert check_replayed_once(history, SENT, handoff=HANDOFF).kind is HIDDEN

    def test_an_alert_that_names_no_handoff_hides_a_cascade(self):
        """Nobody can tell whether it is about another handoff."""
        neighbours = (Neighbour("order-capture", ()),)
        found = check_contained(told(shown(), alert(handoff=None)), neighbours=neighbours, orders=(1,))
        assert (found.outcome, found.kind) == (UNKNOWN, HIDDEN)

    def test_orders_that_may_wait_where_nobody_can_look(self):
        """What is not resolved may have been put aside."""
        history = told(did("lift", 1.0), shown(error="down"))
        found = check_drained(history, handoff=HANDOFF, end=SALES_ORDER, orders=(1,), breaks=False, within_s=5)
        assert (found.outcome, found.kind) == (UNKNOWN, HIDDEN)


class TestVerdicts:
    """What gates and margins make of a check."""

    @pytest.mark.parametrize("margin_s", [None, 0.1, 0.3])
    def test_what_is_held_stays_held_in_a_busy_lab(self, margin_s):
        """Only a broken promise is put down to the lab, and only one that was broken by being late."""
        late = Check("late", lambda _: build_violated("late", "", "", margin_s=margin_s))
        fine = Check("fine", lambda _: build_held("fine", "", ""))
        busy = told(disturbance_s=0.2)
        assert run_check(fine, busy).outcome is HELD
        assert run_check(late, busy).outcome is (UNKNOWN if margin_s == 0.1 else VIOLATED)

    def test_attempts_that_met_no_fault(self):
        """As many as declared, the last through though nothing failed it: that is held; one fewer proves nothing."""
        calls = [call(0, 503, faults=("f1",)), call(1, 200)]
        counted = partial(check_attempts, declared="", at_least=3)
        assert counted(told(*calls), SENT, expected=3).outcome is UNKNOWN
        assert check_attempts(told(*calls), SENT, expected=2, declared="").outcome is HELD
        assert check_attempts(told(*calls), SENT, expected=1, declared="").outcome is VIOLATED


class TestOpenings:
    """The automaton over several openings."""

    ONE = Breaker(failures=1, pause_s=1.0, probes=1, alert="oncall")

    def trace(self, *calls, breaker=ONE):
        """Trace the openings of calls."""
        return trace_openings(calls, breaker, scale=1.0)

    def test_under_way_when_it_opened_again(self):
        """A call that began before the newest opening is no failure of the next count."""
        first, second = call(0, 503, took=0.125), call(2.0, 503, took=0.125)
        under_way = call(2.0625, 503, took=0.25)
        assert len(self.trace(first, call(1.25, 200), second, under_way)) == 2

    def test_the_last_of_several_probes_decides(self):
        """What succeeds first does not close it while another one may still fail."""
        pair = [call(1.25, 200, took=0.25), call(1.375, 503, took=0.25)]
        two = Breaker(failures=1, pause_s=1.0, probes=2, alert="oncall")
        found = self.trace(call(0, 503, took=0.125), *pair, breaker=two)
        assert [opening.reopened for opening in found] == [False, True]

    def test_what_broke_the_silence_is_no_failure_of_the_next_count(self):
        """After a probe that succeeded everything before it is past."""
        assert len(self.trace(call(0, 503, took=0.125), call(0.5, 503), call(1.25, 200))) == 1

    def test_one_contested_opening_is_doubt_enough(self):
        """Where one of two may not have been one, an alert too few proves nothing."""
        again = [call(5 + 0.0625 * place, 503, order=place + 1, took=0.125) for place in range(3)]
        contesting = call(5.125, 200, took=0.1875)
        result = one_alert(*failing(), call(2.5, 200), *again, contesting)
        assert (result.outcome, result.kind) == (UNKNOWN, UnknownKind.INTERFERENCE)
