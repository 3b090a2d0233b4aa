"""Changes that add to what the case states: proofs, waivers, licences, stock."""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain, count

from ..domain.case import Case, LicenceSpec, StockSpec, WaiverSpec
from ..domain.change import Change
from ..domain.facts import Catalog, ChainEntry
from ..errors import Diagnostic
from .naming import unknown

Facts = tuple[Case, tuple[Catalog, ...]]
"""What changes are applied to, rules apart."""


def prove(change: Change, case: Case, catalogs: tuple[Catalog, ...], troubles: list[Diagnostic]) -> Facts:
    """Takes as proved what is not, of one offer."""
    if all(offer.id != change.prove for catalog in catalogs for offer in catalog.offers):
        unknown(change, change.prove, "an offer", troubles)
    proven = tuple(sorted({*case.accept.proven, change.prove}))
    return case.model_copy(update={"accept": case.accept.model_copy(update={"proven": proven})}), catalogs


def waive(change: Change, case: Case, catalogs: tuple[Catalog, ...], _: list[Diagnostic]) -> Facts:
    """Adds a waiver; what is wrong with its names is told when the case is put together."""
    assert change.quantity is not None
    waiver = WaiverSpec(
        id=_numbered(f"waiver:{change.waive}:{change.of}", [w.id for w in case.waivers]),
        rule=change.waive,
        demand=change.of,
        quantity=change.quantity,
        start=change.start,
        end=change.end,
        why=change.why,
    )
    return case.model_copy(update={"waivers": (*case.waivers, waiver)}), catalogs


def grant(change: Change, case: Case, catalogs: tuple[Catalog, ...], _: list[Diagnostic]) -> Facts:
    """Adds an export licence; what is wrong with its names is told when the case is put together."""
    licence = LicenceSpec(
        id=_numbered(f"licence:{change.grant}:{change.of or '*'}", [one.id for one in case.licences]),
        rule=change.grant,
        exporter=change.of,
        quantity=change.quantity,
        start=change.start,
        end=change.end,
        why=change.why,
    )
    return case.model_copy(update={"licences": (*case.licences, licence)}), catalogs


def _numbered(name: str, taken: Collection[str]) -> str:
    """A name that is not taken."""
    return next(n for n in chain((name,), (f"{name}:{i}" for i in count(2))) if n not in taken)


def add_stock(change: Change, case: Case, catalogs: tuple[Catalog, ...], troubles: list[Diagnostic]) -> Facts:
    """Puts more of a material in stock at the case's place, all its stages performed in stated countries."""
    assert change.quantity is not None
    stages = {m.id: m.stages for catalog in catalogs for m in catalog.materials}
    if change.stock not in stages:
        unknown(change, change.stock, "a material", troubles)
    stock = StockSpec(
        id=_numbered(f"stock:{change.stock}", [stock.id for stock in case.stocks]),
        material=change.stock,
        quantity=change.quantity,
        chain=tuple(
            ChainEntry(stage=stage, countries=change.countries, complete=True) for stage in stages.get(change.stock, ())
        ),
        why=change.why,
    )
    return case.model_copy(update={"stocks": (*case.stocks, stock)}), catalogs
