"""Conformance checks of rules, rule packs, catalogs, and plugins, for tests.

    import pytest
    from friendshore_testing import Check, checks_of

    @pytest.mark.parametrize("check", checks_of("path/to/plugin"), ids=str)
    def test_conforms(check: Check) -> None:
        check.require()

`conforms` and `check_rule` run all checks of one subject at once, and raise `AssertionError` with all findings.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from friendshore.domain.facts import DeclaredColumn, Material
from friendshore.hookspecs import hookimpl
from friendshore.lazy_exports import load_on_use
from friendshore.plugins import Registry
from friendshore.rules.base import Rule

if TYPE_CHECKING:
    from friendshore.cli import Command

    from .check import Check, CheckSkipped, Outcome, outcomes_of
    from .plan_tests import Example
    from .rules import rule_checks
    from .subjects import checks_of

__all__ = [
    "Check",
    "CheckSkipped",
    "Example",
    "Outcome",
    "check_rule",
    "checks_of",
    "conforms",
    "outcomes_of",
    "rule_checks",
]


def conforms(subject: str | Path, registry: Registry | None = None) -> None:
    """Run all checks of a plugin, catalog, or rule pack; see `checks_of`.

    Raises:
        AssertionError: With all findings.
        InputError: If the folder is none of these.
        PluginError: If no plugin of the name is installed.
    """
    from .check import require_all
    from .subjects import checks_of

    require_all(checks_of(subject, registry))


def check_rule(
    *rules: Rule,
    materials: Iterable[Material] = (),
    examples: Iterable[Example] = (),
    wider: Iterable[Rule] = (),
    columns: Iterable[DeclaredColumn] = (),
) -> None:
    """Run all checks of rules; see `rule_checks`.

    Raises:
        AssertionError: With all findings.
    """
    from .check import require_all
    from .rules import rule_checks

    require_all(rule_checks(*rules, materials=materials, examples=examples, wider=wider, columns=columns))


@hookimpl
def friendshore_commands() -> list[Command]:
    from friendshore.cli import Command

    from .commands import check, new

    return [Command("plugins new", new), Command("plugins check", check)]


# Loaded on first use, since the kit starts processes that need only a part of it.
__getattr__, *_ = load_on_use(
    __name__,
    {
        ".check": ["Check", "CheckSkipped", "Outcome", "outcomes_of"],
        ".plan_tests": ["Example"],
        ".subjects": ["checks_of"],
        ".rules": ["rule_checks"],
    },
)
