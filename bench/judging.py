"""
What it costs to judge a history: time and memory at three sizes, and how they grow with it.

Each size is written to disk as a run writes it, then read and judged again in a process of its own, by the functions that
`handoff replay` uses: with the ledger of the reference stack, the stock, and checks that ask about every order.
"""

from __future__ import annotations

import gc
import json
import resource
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from math import log
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from bench.journals import ORIGIN
from bench.past import Past
from harness.core.archive import HEAD, read_stored
from harness.core.checks.containment import Neighbour, check_contained, check_drained
from harness.core.checks.dead_letter import check_no_dead_letter
from harness.core.compile import compile_stack
from harness.core.experiments import Check, Experiment
from harness.core.loading import load_stack
from harness.core.record import DRIVER
from harness.core.replay import judge_stored

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.stack import Stack

SIZES = (10_000, 100_000, 1_000_000)
STACK = Path("reference/stack.yaml")
EXPERIMENT = "order-to-erp/clean:resolve/several"
# What a million entries may take.
MOST_S, MOST_MIB = 30.0, 1024.0


def main() -> None:
    """Measure every size and print."""
    print("a history judged again, in seconds of one processor")
    print(f"   {'':<22}{'entries':>11}{'size':>11}{'taken':>10}{'reading':>9}{'memory':>11}")
    measured = []
    with TemporaryDirectory() as folder:
        for count in SIZES:
            path = Path(folder, f"{count}.ndjson")
            write_past(path, count)
            told = subprocess.run([sys.executable, "-m", "bench.judging", str(path)], check=True, capture_output=True)
            measured.append(json.loads(told.stdout))
            _print(measured[-1], path)
            path.unlink()
    first, last = measured[-2:]
    grown = log(last["entries"] / first["entries"])
    for what in ("seconds", "mib"):
        print(f"   {what} grow with the power {log(last[what] / first[what]) / grown:.2f} of the entries")
    print(f"   at most {MOST_S:g} s and {MOST_MIB:g} MiB for the largest: ", end="")
    print("kept" if last["seconds"] < MOST_S and last["mib"] < MOST_MIB else "NOT KEPT")


def write_past(path: Path, count: int, *, seed: int = 7) -> None:
    """Write the history of one experiment with about so many entries below its head."""
    with path.open("w", encoding="utf-8") as file:
        for line in list_lines(count, seed=seed):
            file.write(json.dumps(line, separators=(",", ":"), sort_keys=True, ensure_ascii=False) + "\n")


def list_lines(count: int, *, seed: int = 7) -> Iterator[dict[str, Any]]:
    """List the lines of that history: the journals first, then what the driver wrote, as a run stores them."""
    where = {"experiment": EXPERIMENT, "lab": 0}
    driver: list[dict[str, Any]] = []
    observable = ["breakers", "dead_letters", "queues"]
    yield where | {"type": HEAD, "origin_mono": ORIGIN, "observable": observable}
    for source, data in Past(seed).list_entries(count):
        line = where | {"source": source} | data
        if source == DRIVER:
            driver.append(line)
        else:
            yield line
    yield from driver


def measure(path: Path) -> dict[str, Any]:
    """Read and judge a history; return what it took, this process's peak memory among it."""
    gc.disable()  # as `handoff replay` does
    stack = load_stack(STACK.read_text(encoding="utf-8"), file=str(STACK))
    began = time.process_time()
    with path.open(encoding="utf-8") as file:
        (stored,) = read_stored(file)
    read_s = time.process_time() - began
    entries = len(stored.entries)
    experiment = build_experiment(stack, sum(entry.data["type"] == "order" for entry in stored.entries))
    result = judge_stored(stack, experiment, stored)
    return {
        "entries": entries,
        "seconds": time.process_time() - began,
        "read_s": read_s,
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "verdict": result.verdict.outcome,
        "reason": result.verdict.reason,
        "orders": len(result.ledger),
    }


def build_experiment(stack: Stack, orders: int) -> Experiment:
    """Build an experiment of the stack whose checks ask about each of so many orders."""
    chosen = next(each for each in compile_stack(stack).experiments if each.id == EXPERIMENT)
    end = next(each.end for each in chosen.ledger.stations if each.handoff == chosen.handoff)
    every = tuple(range(1, orders + 1))
    crm = Neighbour("order-to-crm", ("contact.upsert",))
    checks = (
        Check(
            "drained", partial(check_drained, handoff=chosen.handoff, end=end, orders=every, breaks=False, within_s=1e9)
        ),
        Check("contained", partial(check_contained, neighbours=(crm,), orders=every)),
        Check("no_dead_letter", partial(check_no_dead_letter, handoff="wms-shipment", orders=every)),
    )
    return replace(chosen, checks=checks, orders=orders)


def _print(found: dict[str, Any], path: Path) -> None:
    what = f"{found['orders']} orders, {found['verdict']}"
    size, share = f"{path.stat().st_size / 2**20:.0f} MiB", f"{found['read_s'] / found['seconds']:.0%}"
    print(f"   {what:<22}{found['entries']:>11,}{size:>11}{found['seconds']:>8.1f} s{share:>9}{found['mib']:>7.0f} MiB")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(Path(sys.argv[1]))))
    else:
        main()
