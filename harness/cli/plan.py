"""`handoff plan`: what a stack compiles to, before anything runs."""

from typing import Annotated, Any

import typer

from harness.cli.regressions import RegressionsOption, join_regressions
from harness.cli.selection import select
from harness.cli.stack_file import DEFAULT, StackArgument, open_stack
from harness.cli.terminal import say, say_json
from harness.core.compile import compile_stack
from harness.core.compile.kinds import find_kind
from harness.core.experiments import Coverage, Experiment, Plan
from harness.report.phrases import plural


def plan(
    stack: StackArgument = DEFAULT,
    *,
    only: Annotated[str | None, typer.Option("-k", metavar="EXPR", help="Show only these experiments.")] = None,
    regressions: RegressionsOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
) -> None:
    """Show the experiments a stack.yaml compiles to, and the clauses that are not exercised and why."""
    compiled = compile_stack(join_regressions(open_stack(stack), stack, regressions))
    chosen = select(compiled.experiments, only)
    if as_json:
        say_json(_as_json(compiled, chosen))
        return
    for row in compiled.coverage:
        shown = [experiment for experiment in chosen if experiment.clause == row.clause]
        if shown or (row.not_exercised and only is None):
            _say_clause(row, shown)
    exercised = sum(not row.not_exercised for row in compiled.coverage)
    say(f"\n{plural(len(chosen), 'experiment')}    {exercised} of {len(compiled.coverage)} clauses exercised")


def _say_clause(row: Coverage, experiments: list[Experiment]) -> None:
    say(f"\n{row.clause}    {row.declared}    {row.location}")
    if row.not_exercised:
        say(f"   not exercised: {row.not_exercised}")
    if row.placebo:
        say(f"   placebo: {row.placebo}")
    for gap in row.gaps:
        say(f"   not asked: {gap}")
    for kind in row.absent:
        say(f"   no {kind}")
    for experiment in experiments:
        say(f"   {experiment.shape}    {find_kind(experiment.clause, experiment.shape)}")
        for fault in experiment.faults:
            attempts = f" attempts {', '.join(map(str, fault.attempts))}" if fault.attempts else ""
            say(f"      {fault.id}: {fault.kind} at {fault.target}{attempts}")
        say(f"      {' · '.join(map(str, experiment.steps))}")
        say(f"      checks: {', '.join(check.name for check in experiment.checks)}, ledger")


def _as_json(compiled: Plan, chosen: tuple[Experiment, ...]) -> dict[str, Any]:
    return {
        "experiments": [
            {
                "id": experiment.id,
                "handoff": experiment.handoff,
                "clause": experiment.clause,
                "shape": experiment.shape,
                "kind": find_kind(experiment.clause, experiment.shape),
                "declared": experiment.declared,
                "location": experiment.location,
                "orders": experiment.orders,
                "steps": [str(step) for step in experiment.steps],
                "checks": [check.name for check in experiment.checks],
                "faults": [
                    {
                        "id": fault.id,
                        "kind": fault.kind,
                        "target": fault.target,
                        "orders": list(fault.orders),
                        "attempts": list(fault.attempts) if fault.attempts is not None else None,
                        "min_receipts": fault.minimum,
                        "expected_receipts": fault.expected,
                    }
                    for fault in experiment.faults
                ],
            }
            for experiment in chosen
        ],
        "coverage": [
            {
                "handoff": row.handoff,
                "clause": row.clause,
                "declared": row.declared,
                "location": row.location,
                "experiments": list(row.experiments),
                **({"not_exercised": row.not_exercised} if row.not_exercised else {}),
                **({"placebo": row.placebo} if row.placebo else {}),
                **({"gaps": [{"what": gap.what, "why": gap.why} for gap in row.gaps]} if row.gaps else {}),
                **({"absent": [{"kind": each.what, "why": each.why} for each in row.absent]} if row.absent else {}),
            }
            for row in compiled.coverage
        ],
    }
