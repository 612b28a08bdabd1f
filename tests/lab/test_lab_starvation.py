"""How long a lab was kept waiting: counted by task and for the disks, and nothing where nothing is counted."""

import os

import pytest

from harness.lab.starvation import MACHINE, longest_wait_s, read_waits


@pytest.fixture
def proc(tmp_path):
    """Write what a kernel shows."""

    def write(tasks=(), io=None):
        for pid, task, waited_ns in tasks:
            folder = tmp_path / str(pid) / "task" / str(task)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "schedstat").write_text(f"123456 {waited_ns} 78\n")
        if io is not None:
            (tmp_path / "pressure").mkdir(exist_ok=True)
            (tmp_path / "pressure" / "io").write_text(
                f"some avg10=0.00 avg60=0.10 avg300=0.00 total={io}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=9\n"
            )
        return tmp_path

    return write


def test_the_longest_waiting_task_counts(proc):
    """A process waited as long as the task of it that waited longest."""
    folder = proc([(7, 7, 1_000_000_000), (7, 8, 2_500_000_000), (9, 9, 0)])
    assert read_waits([7, 9], proc=folder) == {7: 2.5, 9: 0.0, MACHINE: 0.0}


def test_waiting_for_a_disk_counts_for_the_machine(proc):
    """A task that sleeps until its data is on disk is not waiting for a processor, and is late all the same."""
    before = read_waits([7], proc=proc([(7, 7, 0)], io=1_000_000))
    after = read_waits([7], proc=proc([(7, 7, 100_000_000)], io=2_250_000))
    assert longest_wait_s(before, after) == pytest.approx(1.25)


def test_a_process_that_was_not_there_counts_from_its_birth(proc):
    """A restarted integration may have been kept waiting while it started."""
    assert longest_wait_s({7: 3.0}, read_waits([8], proc=proc([(8, 8, 400_000_000)]))) == pytest.approx(0.4)


def test_what_is_not_counted_is_nothing(tmp_path):
    """Neither a process that ended nor a kernel that does not count is an error."""
    assert read_waits([7], proc=tmp_path) == {7: 0.0, MACHINE: 0.0}
    assert longest_wait_s({}, {}) == 0.0


def test_this_machine_can_be_read():
    """Whatever this kernel counts, the answer is a time for this process and for the machine."""
    waits = read_waits([os.getpid()])
    assert waits.keys() == {os.getpid(), MACHINE}
    assert min(waits.values()) >= 0.0
