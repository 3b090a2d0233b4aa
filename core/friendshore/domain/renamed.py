"""Former names of fields in JSON, tables of runs, and Python. Version 0.3 removes this module and its calls.

`RENAMED` is the only list. Files of 0.1 are read by it, a former attribute of a record still works with a warning, and with
`FRIENDSHORE_JSON_NAMES=0.1` in the environment, `--json` prints the former names. Run folders always have the current names.
"""

from __future__ import annotations

import os
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel

from .written import record_in

VARIABLE = "FRIENDSHORE_JSON_NAMES"
FORMER = "0.1"
RENAMED: Mapping[str, Mapping[str, str]] = {
    "check": {"turned": "changed_rules"},
    "plugins check": {"says": "statement", "found": "problems", "left_out": "skipped_because"},
    "programmes": {"programmes": "programs", "programme": "program", "by_programme": "by_program",
        "held_by": "delayed_by", "met_from": "buildable_from"},
    "screen": {"bars": "prohibitions", "doubts": "possible_prohibitions", "least": "min_share", "most": "max_share",
        "same": "unchanged"},
    "verify": {"as_told": "taken_from_run", "differs": "differences"},
    "friendshore.Alternative": {"could_give_kg": "max_kg", "could_give_share": "max_share",
        "level_with_next": "tied", "uses_kg": "used_from_kg"},
    "friendshore.BreakEven": {"most_saved": "max_saving", "today": "current_price"},
    "friendshore.Comparison": {"least_moved": "min_moved_proved"},
    "friendshore.Delivery": {"requirement": "compliance_class"},
    "friendshore.Landed": {"once": "one_off"},
    "friendshore.LotUse": {"requirement": "compliance_class"},
    "friendshore.Make": {"requirement": "compliance_class"},
    "friendshore.MaterialMix": {"allowed": "allowed_increase"},
    "friendshore.Obstacle": {"lifted_by": "relaxed_by"},
    "friendshore.PlanLevel": {"least": "best_value", "most": "max_value"},
    "friendshore.PriceDate": {"given_by": "source", "exchanged": "exchange_rate_day"},
    "friendshore.Purchase": {"requirement": "compliance_class"},
    "friendshore.Relaxed": {"gives_kg": "bought_kg", "saves": "saving"},
    "friendshore.RelaxedObstacle": {"lifted": "relaxed"},
    "friendshore.Run": {"made": "planned_on", "requirements": "compliance_classes"},
    "friendshore.RunByMonths": {"by_months_kg": "monthly_short_kg", "only_kg": "due_to_periods_kg"},
    "friendshore.RunCash": {"on": "purpose"},
    "friendshore.RunComplianceClass": {"forbids": "excluding_rules"},
    "friendshore.RunConflict": {"holds_from": "feasible_from"},
    "friendshore.RunDelivery": {"requirement": "compliance_class"},
    "friendshore.RunDependence": {"is_cost": "known_concern_cost", "may_be_cost": "possible_concern_cost",
        "by_inputs_cost": "input_concern_cost", "is_kg": "known_concern_kg", "may_be_kg": "possible_concern_kg"},
    "friendshore.RunDiscount": {"least": "tier_min", "next": "next_tier_min", "most": "tier_max"},
    "friendshore.RunDraw": {"requirement": "compliance_class"},
    "friendshore.RunHoldingProhibition": {"heals": "fix"},
    "friendshore.RunHoldingUse": {"bars": "prohibitions"},
    "friendshore.RunLevel": {"minimise": "minimize", "least": "best_value", "gained": "reduction",
        "raised_objective": "objective_increase"},
    "friendshore.RunLot": {"requirement": "compliance_class"},
    "friendshore.RunMake": {"requirement": "compliance_class"},
    "friendshore.RunPurchase": {"requirement": "compliance_class"},
    "friendshore.RunRule": {"bites": "applies", "keeps_out": "excluded_offers"},
    "friendshore.RunStock": {"requirement": "compliance_class"},
    "friendshore.RunVerdict": {"requirement": "compliance_class"},
    "friendshore.Step": {"undoes": "ended_changes", "does": "started_changes"},
    "friendshore.Stock": {"requirement": "compliance_class"},
    "friendshore.Transfer": {"from_requirement": "from_compliance_class", "to_requirement": "to_compliance_class"},
    "friendshore.UsageShare": {"least": "min", "least_bound": "min_bound", "most": "max", "most_bound": "max_bound"},
    "friendshore.WhyNot": {"entering": "break_even", "entering_lifted": "break_even_relaxed"},
    "friendshore_reasons.Calendar": {"left_out": "rules_not_considered", "concerned": "affected"},
    "friendshore_reasons.CapacityValue": {"full_in": "full_periods", "more_kg": "added_kg", "saves": "saving"},
    "friendshore_reasons.Cliff": {"healed": "resolved", "because": "caused_by", "by": "resolved_by"},
    "friendshore_reasons.Gap": {"dearer": "costs_more_than_shortage", "served": "cost_to_serve",
        "left": "remaining_kg", "short": "short_kg"},
    "friendshore_reasons.Ledger": {"idle": "without_effect"},
    "friendshore_reasons.LeverUse": {"most": "max"},
    "friendshore_reasons.Repair": {"spends": "spent", "served": "cost_to_serve", "left": "remaining_kg",
        "others": "others_short_kg", "least": "minimal"},
    "friendshore_reasons.WaiverValue": {"saves": "saving"},
    "friendshore_risk.CapPoint": {"cost_more": "added_cost", "new": "added", "gone": "removed"},
    "friendshore_risk.Frontier": {"why_grid": "grid_reason"},
    "friendshore_risk.LossResult": {"beyond": "beyond_sum"},
    "friendshore_risk.MissedDemand": {"goes_on": "continues"},
    "friendshore_risk.Risk": {"minimised": "minimized", "nothing": "without_events",
        "nothing_money": "without_events_money", "unsaid": "unknown_routes"},
    "friendshore_risk.SampleGap": {"most": "max"},
    "friendshore_risk.ScenarioOutcome": {"as_it_is": "current_plan", "known": "known_in_advance"},
    "friendshore_risk.ShortMaterial": {"more": "added_kg"},
    "friendshore_risk.Stress": {"everything": "all_suppliers", "unasked": "not_tried"},
    "friendshore_risk.UnavoidableShortage": {"least": "bound"},
    "friendshore_risk.WithstandChecked": {"most": "max_losses", "least": "lower_bound"},
    "friendshore_risk.WithstandProof": {"most": "max_losses"},
    "friendshore_risk.Withstood": {"most": "max_losses", "left_out": "losses_not_considered",
        "unsaid": "unknown_routes"},
    "friendshore_sweep.StoredScenario": {"told": "outcome"},
    "friendshore_sweep.Sweep": {"unasked": "not_tried", "kept": "reused"},
    "friendshore_watch.CaseWatched": {"judged": "compared"},
    "friendshore_watch.Flip": {"was": "before", "now": "after", "was_by": "before_by", "now_by": "after_by",
        "kg": "quantity_kg"},
    "friendshore_watch.OfferChange": {"came": "added"},
    "friendshore_watch.Watched": {"flips": "changed_verdicts"},
    "friendshore_workbooks.AtPrice": {"known": "cheapest_price", "saves": "saving"},
    "friendshore_workbooks.Unknown": {"whom": "addressee", "taken": "assumption", "saves": "saving",
        "loses": "added_cost"},
    "friendshore_workbooks.Unknowns": {"unasked": "not_tried"},
}  # fmt: skip
"""Record, or command with `--json` -> former name -> current name."""


def current_names(record: type) -> Mapping[str, str]:
    """Return former name -> current name of the fields of a record."""
    return _current_names(record)


@cache  # asked for every attribute that a rule doesn't have; apart, because mypy takes no `type[Any]` for hashable
def _current_names(record: type) -> Mapping[str, str]:
    keys = (f"{base.__module__.partition('.')[0]}.{base.__name__}" for base in record.__mro__)
    return {former: name for key in keys for former, name in RENAMED.get(key, {}).items()}


def with_current_names(data: Any, record: type[BaseModel]) -> Any:
    """Return the data of a record, as in a file of 0.1, with the current names. A field with both names keeps them, so it is rejected."""
    return _translated(data, record, current_names)


def in_wanted_names(data: dict[str, Any], record: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON form of a record, with the former names if the environment asks for them."""
    wanted: dict[str, Any] = _translated(data, record, _former_names) if _are_former_wanted() else data
    return wanted


def keys_in_wanted_names(data: dict[str, Any], command: str) -> dict[str, Any]:
    """Return JSON that isn't the form of a record, with the former names if the environment asks for them."""
    if not _are_former_wanted():
        return data
    former = {name: former for former, name in RENAMED[command].items()}
    return {former.get(key, key): _nested(value, command) for key, value in data.items()}


def _nested(value: Any, command: str) -> Any:
    if isinstance(value, list):
        return [_nested(each, command) for each in value]
    # Keys of figures alone, such as kilograms by material, are ids.
    is_by_id = not isinstance(value, dict) or all(isinstance(each, int | float) for each in value.values())
    return value if is_by_id else keys_in_wanted_names(value, command)


def _are_former_wanted() -> bool:
    return os.environ.get(VARIABLE) == FORMER


@cache
def _former_names(record: type) -> Mapping[str, str]:
    return {name: former for former, name in current_names(record).items()}


def _translated(data: Any, record: type[BaseModel], names_of: typing.Callable[[type], Mapping[str, str]]) -> Any:
    if isinstance(data, list):
        return [_translated(each, record, names_of) for each in data]
    if not isinstance(data, dict):
        return data
    names, inner = names_of(record), _records_within(record)
    result = {}
    for key, value in data.items():
        new = names.get(key, key)
        within = inner.get(key) or inner.get(new)
        result[key if new in data else new] = value if within is None else _translated(value, within, names_of)
    return result


@cache
def _records_within(record: type[BaseModel]) -> Mapping[str, type[BaseModel]]:
    """Return key -> the record in that field."""
    inner = {field.alias or name: record_in(field.annotation) for name, field in record.model_fields.items()}
    return {key: within for key, within in inner.items() if within is not None}
