"""A pytest plugin that finds the slow tests and lists them in `slow.txt`; they then have the mark `deep`.

Run it when `uv run pytest` takes too long: `uv run python -m pytest -n0 -p tests.slow`, for all tests or for some.
"""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from statistics import mean

import pytest

SLOW = 0.08
"""Seconds of processor time of a case, those of the processes that it starts included, from which on a test is slow."""
LIST = Path(__file__).with_name("slow.txt")
KEPT = frozenset(
    {
        "tests/functional/test_case_us_2027.py::test_every_plan_is_optimal_and_verified",
        "tests/functional/test_case_us_2027.py::test_its_report_is_a_small_file_that_names_every_supplier",
        "plugins/friendshore-proof/tests/test_certified_run.py::test_random_edits_are_found",
        "tests/functional/test_cli.py::test_init_plan_verify",
        "tests/functional/test_determinism.py::test_the_same_facts_give_the_same_bytes",
        "tests/functional/test_forgeries.py::test_a_forgery_is_found_or_named",
        "tests/functional/test_forgeries.py::test_an_honest_run_is_vouched_for",
        "tests/functional/test_interrupt.py::test_a_time_limit_prints_the_best_plan_so_far",
        "tests/property/test_brute_force.py::test_plan_is_as_cheap_as_brute_force",
        "tests/property/test_invariances.py::test_order_of_rows_changes_no_byte",
        "tests/property/test_limits.py::test_plan_under_a_limit_on_orders_is_as_cheap_as_brute_force",
        "tests/property/test_metamorphic.py::test_a_change_costs_what_the_edited_case_costs",
        "plugins/friendshore-proof/tests/test_proof_properties.py::test_no_bound_lies_above_the_optimum",
    }
)
"""Slow tests that run with the quick ones all the same: each chief promise is tried after every change."""

_seconds: defaultdict[str, list[float]] = defaultdict(list)


def name_of(item: pytest.Item) -> str:
    """Return the name of a test without the parameters of the case."""
    return item.nodeid.partition("[")[0]


def listed() -> frozenset[str]:
    """Return the names of the tests that are known to be slow."""
    return frozenset(LIST.read_text(encoding="utf-8").splitlines())


def _used() -> float:
    """Return the processor time of this process, and of those that it or a starter of commands has started."""
    ticks = 0
    program = sys.modules.get("tests.functional.program")
    for starter in program._BEGUN if program is not None else ():
        with suppress(OSError):  # it has ended
            ticks += sum(map(int, Path(f"/proc/{starter.pid}/stat").read_text().rpartition(")")[2].split()[11:15]))
    return sum(os.times()[:4]) + ticks / os.sysconf("SC_CLK_TCK")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measure a case."""
    before = _used()
    try:
        return (yield)
    finally:
        _seconds[name_of(item)].append(_used() - before)


def pytest_sessionfinish() -> None:
    """Write the list; tests that were not run stay as they were."""
    slow = {name for name, seconds in _seconds.items() if mean(seconds) >= SLOW}
    names = (listed() - _seconds.keys() | slow) - KEPT
    LIST.write_text("".join(f"{name}\n" for name in sorted(names)), encoding="utf-8")
