"""`friendshore rules`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .groups import Commands
from .options import AsJson, Blocked, installed
from .output import answer, answering, warn

if TYPE_CHECKING:
    from ..plugins import Registry
    from ..rules.pack import RulePack

app = typer.Typer(cls=Commands, help="List and show rules and rule packs.", no_args_is_help=True)


@app.command("list")
@answering
def list_(
    case: Annotated[
        Path | None,
        typer.Argument(help="Case whose rules are listed. Default: all installed packs.", metavar="[CASE]"),
    ] = None,
    pack: Annotated[
        list[str] | None, typer.Option(metavar="PACK", help="Pack (name or folder) whose rules are listed.")
    ] = None,
    block: Blocked = None,
    as_json: AsJson = False,
) -> int:
    """List rules: of a case, of a pack, or of all installed packs."""
    from ..domain.time import today
    from ..report import rule_listing

    registry = installed(block)
    rows, packs = _of_case(case, registry) if case is not None else ([], [])
    if pack or case is None:
        extra_packs, unread = ([registry.pack(name) for name in pack], []) if pack else _installed(registry)
        rows += [row for extra_pack in extra_packs for row in _rows(extra_pack, registry)]
        rows += [{"id": "", "pack": name, "distribution": owner, "error": error} for name, owner, error in unread]
        packs += extra_packs
    listing = rule_listing(rows, packs, today())
    return answer(as_json, listing.data, listing.document)


@app.command("show")
@answering
def show_(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="Id of a rule or bill, name or folder of a pack, or kind of rule."),
    ],
    block: Blocked = None,
    as_json: AsJson = False,
) -> int:
    """Show all fields of a rule, bill, or pack, or the keys of a kind of rule."""
    from ..domain.time import today
    from ..plugins import is_folder
    from ..report import kind_data, kind_document, pack_data, pack_document, rule_document

    registry = installed(block)
    if is_folder(name) or any(name in info.packs for info in registry.plugins):
        pack = registry.pack(name)
        owner = registry.packs.get(name, "")
        return answer(as_json, lambda: pack_data(pack, owner), lambda: pack_document(pack, today(), owner))
    data = _named_rule(name, registry)
    if data is None:
        kind, brought_by = registry.kind(name), registry.owner(name)
        return answer(as_json, lambda: kind_data(kind, brought_by), lambda: kind_document(kind, brought_by))
    return answer(as_json, lambda: data, lambda: rule_document(data))


def _installed(registry: Registry) -> tuple[list[RulePack], list[tuple[str, str, str]]]:
    """Return the installed packs, and name, distribution, and error of the unreadable ones."""
    from ..errors import FriendshoreError
    from ..plugins.loading import data_locations
    from ..rules.pack import read_pack

    packs, unread = [], []
    for place in data_locations(registry, "rule pack"):
        if place.folder is None:
            unread.append((place.name, place.owner, str(place.problem)))
            continue
        try:
            packs.append(read_pack(place.folder))
        except FriendshoreError as error:
            unread.append((place.name, place.owner, "; ".join(map(str, error.problems))))
    return packs, unread


def _rows(pack: RulePack, registry: Registry) -> Iterator[dict[str, object]]:
    from ..report import rule_row

    for rule in pack.rules:
        yield rule_row(rule, pack.id, registry.packs.get(pack.id, ""))


def _of_case(path: Path, registry: Registry) -> tuple[list[dict[str, object]], list[RulePack]]:
    from ..case import load_case
    from ..plugins import Blocker
    from ..report import rule_row

    case = load_case(path)
    registry = registry.blocking(case.blocked, Blocker.CASE)
    for problem in registry.idle_blocks(Blocker.CASE):
        warn(str(problem))
    packs = [registry.pack(name, case.folder) for name in case.packs]
    rows = [row for pack in packs for row in _rows(pack, registry)]
    return [*rows, *map(rule_row, case.rules)], packs


def _named_rule(name: str, registry: Registry) -> dict[str, object] | None:
    """Return the rule or bill with this id. None if it is a kind of rule. Raise `InputError` if it is neither."""
    from ..domain.suggest import did_you_mean
    from ..errors import InputError
    from ..report import bill_row

    rows_by_id: dict[str, dict[str, object]] = {}
    packs, unread = _installed(registry)
    for pack in packs:
        rows_by_id |= {str(row["id"]): row for row in _rows(pack, registry)}
        rows_by_id |= {bill.id: bill_row(bill, pack.id, registry.packs[pack.id]) for bill in pack.bills}
    kinds = {kind for info in registry.plugins for kind in info.kinds}
    if name not in rows_by_id and name in kinds:
        return None
    if name not in rows_by_id:
        for _, _, error in unread:
            warn(error)  # the unreadable pack may have it
        fix = (
            did_you_mean(name, [*rows_by_id, *registry.packs, *kinds])
            or "see `friendshore rules list`, and `friendshore plugins list` for kinds of rules"
        )
        raise InputError(
            "no installed pack, rule, bill, or kind of rule has this name", found=f"`{name}`", fix=fix, code="FS505"
        )
    return rows_by_id[name]
