"""Several rules made of their data, with all that is wrong with any of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from ..errors import FriendshoreError, InputError, PluginError
from ..rules.base import Rule


class RuleMaker(Protocol):
    """Makes one rule of its data: see `Registry.rule`."""

    def __call__(self, data: Mapping[str, Any], where: str = "", row: int | None = None) -> Rule:
        """The rule."""
        ...


def all_rules(
    make: RuleMaker, tables: Sequence[Mapping[str, Any]], where: str = "", rows: Sequence[int | None] = ()
) -> tuple[Rule, ...]:
    """Rules from their data; one without an id gets its kind and position: see `Registry.rules`.

    Raises:
        InputError: with everything that is wrong with the data, unknown kinds included.
        PluginError: if nothing but plugins is wrong.
    """
    found: list[Rule] = []
    errors: list[FriendshoreError] = []
    for position, table in enumerate(tables):
        row = rows[position] if position < len(rows) else None
        named = table if table.get("id") else {**table, "id": f"{table.get('kind')}-{position + 1}"}
        try:
            found.append(make(named, where, row))
        except FriendshoreError as error:
            at = f"{where}, rule `{named['id']}`" if where and row is None else where
            errors.append(type(error)(replace(p, file=at) if p.file == where else p for p in error.problems))
    if errors:
        problems = [problem for error in errors for problem in error.problems]
        only_plugins = all(isinstance(error, PluginError) for error in errors)
        raise PluginError(problems) if only_plugins else InputError(problems)
    return tuple(found)
