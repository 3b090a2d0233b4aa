"""Random rules, limits, waivers and licenses."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from tests.building import ban, rule

from friendshore.domain.case import LicenseSpec, WaiverSpec
from friendshore.domain.facts import Offer
from friendshore.rules.base import Rule
from friendshore.rules.kinds.limits import Budget, MaxShare, MaxSuppliers, MinShare, MinSuppliers, Pin
from friendshore.rules.kinds.trade import Exclude, ExportControl, Tariff

from .facts import STAGES, STARTS, Draw, sometimes


def some_rules(draw: Draw[Any]) -> tuple[Rule, ...]:
    """A ban in most cases, an export control in many, duties and exclusions in some."""
    rules: list[Rule] = []
    stages = st.sets(st.sampled_from(STAGES["magnet"]), min_size=1).map(sorted)
    since = st.sampled_from(STARTS)
    if draw(st.integers(1, 5)) > 1:
        when = [{"fact": "cots", "equals": True}]
        more: dict[str, Any] = {"exceptions": [{"id": "cots", "when": when}]} if draw(st.booleans()) else {}
        goods = ({}, {}, {"forms": ["magnet", "metal"]}, {"materials": ["oxide"]}, {"elements": ["Dy"]})
        more |= draw(st.sampled_from(goods)) | {"dated_by": draw(st.sampled_from(("delivery", "delivery", "order")))}
        rules.append(ban(*draw(stages), start=draw(since), **more))
    if sometimes(draw, st.just(True), 4):
        rules.append(ban(*draw(stages), start=draw(since), countries="JP", id="ban-2", end_uses=["civil"]))
    if draw(st.booleans()):
        rules.append(a_control(draw))
    if sometimes(draw, st.just(True), 4):
        sites = [draw(st.sampled_from(("au", "jp")))]
        phases = [{"from": draw(since)}]
        rules.append(rule(Exclude, id="kept-out", facilities=sites, end_uses=["civil"], phases=phases))
    if sometimes(draw, st.just(True)):
        rules.append(rule(Tariff, id="duty", origins=["CN"], rate="0.25", phases=[{"from": draw(since)}]))
        rules.append(rule(Tariff, id="flat", specific=2, specific_currency="USD", origins=["AU"]))
    return tuple(rules)


def some_limits(draw: Draw[Any], offers: tuple[Offer, ...]) -> tuple[Rule, ...]:
    """Shares, numbers of suppliers, budgets, pins: none in half of the cases, else one or two."""
    some = [()] * 3 + [("share",), ("floor",), ("number",), ("budget",), ("pin",), ("share", "pin")]
    kinds, penalty = draw(st.sampled_from(some)), draw(st.sampled_from((None, None, 7)))
    stage = draw(st.sampled_from((None, "mined", "refined", "melted")))
    given = {"per": draw(st.sampled_from(("period", "year", "horizon")))}
    given["phases"] = [{"from": draw(st.sampled_from((None, None, "2027-01-01")))}]
    rules: list[Rule] = []
    if "share" in kinds or "floor" in kinds:
        words = {**given, "stage": stage, "of": draw(st.sampled_from(("demand", "purchases"))), "penalty": penalty}
        if "share" in kinds:
            words |= draw(st.sampled_from(({}, {"countries": ["CN"]}, {"countries": ["AU", "CN"], "each": False})))
            rules.append(rule(MaxShare, id="cap", share=draw(st.sampled_from(("0.25", "0.5", "0.65"))), **words))
        else:
            share = draw(st.sampled_from(("0.1", "0.5")))
            rules.append(rule(MinShare, id="floor", share=share, countries=["AU", "JP"], **words))
    if "number" in kinds:
        kind, by = draw(st.sampled_from((MinSuppliers, MaxSuppliers))), draw(st.sampled_from(("supplier", "country")))
        words = {**given, "count": draw(st.integers(1, 2)), "per": draw(st.sampled_from(("year", "horizon")))}
        rules.append(rule(kind, id="number", by=by, stage=stage if by == "country" else None, **words))
    if "budget" in kinds:
        rules.append(rule(Budget, amount=draw(st.integers(0, 2500)), **given))
    if "pin" in kinds:
        words = {"offer": draw(st.sampled_from([o.id for o in offers]))}
        words[draw(st.sampled_from(("exactly", "at_least", "at_most")))] = draw(st.integers(0, 20))
        words["from"] = draw(st.sampled_from((None, "2027-01-01")))
        rules.append(rule(Pin, **words, penalty=draw(st.sampled_from((None, 40)))))
    return tuple(rules)


def a_control(draw: Draw[Any]) -> Rule:
    """An export control of any effect and reach."""
    words = {
        "exporters": (["CN"], ["AU"], ["AU", "JP"]), "effect": ("prohibit", "license", "license", "license"),
        "end_uses": (["defense"], ["defense"], []), "destinations": ([], ["US"], ["JP"]), "judged_on": ("use", "move", "either"),
        "reach": ("export", "origin"), "phases": [[{"from": start}] for start in STARTS],
    }  # fmt: skip
    return rule(ExportControl, id="control", **{key: draw(st.sampled_from(some)) for key, some in words.items()})


def some_papers(draw: Draw[Any], rules: tuple[Rule, ...], good: str) -> dict[str, Any]:
    """Waivers, licenses and assumed licenses that fit the rules."""
    ids = [rule.id for rule in rules]
    papers: dict[str, Any] = {}
    day = st.sampled_from((None, date(2026, 10, 1), date(2027, 1, 2)))
    late = st.sampled_from((None, None, None, date(2026, 10, 1), date(2027, 1, 2)))
    if "ban" in ids and (waived := sometimes(draw, st.integers(1, 20))):
        waivers = [WaiverSpec(id="w", rule="ban", quantity=Decimal(waived), start=draw(day))]
        other = draw(st.sampled_from(("ban", "ban-2")))
        if other in ids and draw(st.booleans()):
            last = date(2027, 6, 30)
            waivers.append(WaiverSpec(id="v", rule=other, demand=good, quantity=Decimal(waived), end=last))
        papers["waivers"] = tuple(waivers)
    if "control" in ids and draw(st.integers(1, 4)) > 1:
        licensed = Decimal(draw(st.integers(1, 30)))
        exporter = draw(st.sampled_from(("", "", "CN", "cn", "AU")))
        licenses = [LicenseSpec(id="l", rule="control", exporter=exporter, quantity=licensed, start=draw(late))]
        if draw(st.integers(1, 4)) == 4:
            quantity = draw(st.sampled_from((None, Decimal(5))))
            last = date(2026, 12, 31)
            licenses.append(LicenseSpec(id="m", rule="control", exporter="cn", quantity=quantity, end=last))
        papers["licenses"] = tuple(licenses)
    if "control" in ids and (use := sometimes(draw, st.sampled_from(("civil", "defense")), 4)):
        papers["assume_license"] = {use: "granted"}
    return papers
