"""What can be edited in the workbook of a case: which cells, and what each edit comes to. All else is refused, and refers to this."""

from __future__ import annotations

from collections.abc import Mapping

CELLS: Mapping[str, Mapping[str, str]] = {
    "demand": {
        "per_year": "the scenario states what is wanted a year.",
        "quantity": "the scenario states what is wanted in each period.",
        "quantities": "the scenario states what is wanted in each period.",
        "shortage_price": "the scenario states what a kilogram costs that is short.",
        "why": "with any of these: the reason that the scenario gives.",
    },
    "rule": {
        "on": "`no` switches the rule off, `yes` switches a pending or unknown rule, or a bill, on.",
        "from": "the rule holds no earlier than this day.",
        "until": "the rule holds no later than this day.",
        "limit": "the scenario states the budget, share, mass or number of the limit.",
        "loosen": "the bounds of a limit are relaxed by so much.",
    },
    "order": {"quantity": "the scenario states what the order brings."},
    "settings": {
        "value": "of `accept.capacity`: what a status counts for; of `accept`, `proven`: offers added are taken as proved."
    },
    "offers": {
        "price": "the scenario states the price, in place of a benchmark or quotes.",
        "premium": "the scenario multiplies the price.",
        "until": "an earlier day: the offer is taken away from the next day on.",
        "min_order": "made blank: the least order is relaxed.",
        "max_order": "made blank, with max_lots, max_per_year and total: the most that may be ordered is relaxed.",
        "max_lots": "made blank, with lot, or with max_order, max_per_year and total: relaxed.",
        "max_per_year": "made blank, with max_order, max_lots and total: the most that may be ordered is relaxed.",
        "total": "made blank, with max_order, max_lots and max_per_year: the most that may be ordered is relaxed.",
        "lot": "made blank, with max_lots: lots are relaxed.",
        "onboarding": "made blank: the one-off cost is relaxed.",
        "qualification": "made blank: the months of qualification are relaxed.",
        "from": "made blank, with until: the dates of orders are relaxed.",
        "lead_time": "the scenario multiplies the lead time, on every lane; 0: it is relaxed.",
        "take_or_pay": "made blank, with take_or_pay_share: it is relaxed.",
        "take_or_pay_share": "made blank, with take_or_pay: it is relaxed.",
    },
    "capacity": {
        "per_year": "the scenario states the capacity, from the row's day to the next row's.",
        "status": "the scenario states the status, from the row's day to the next row's.",
        "from": "later by whole months: the scenario delays the capacity; earlier: it states the capacity from that day on.",
    },
    "prices": {"price": "the scenario states the benchmark, on the dates that are edited, or multiplies it."},
    "recipe": {"per_unit": "the scenario multiplies what a unit takes or gives of the material."},
    "quotes": {"price": "all quotes of an offer by one factor: the scenario multiplies its price."},
    "terms": {
        "fixed": "made blank: the fixed cost is relaxed.",
        "least": "made blank: the least quantity is relaxed.",
        "most": "made blank: the most is relaxed.",
        "setup_use": "made blank: the set-up is relaxed.",
    },
}
"""Sheet -> column -> what an edit of it comes to."""

ROWS_ADDED: Mapping[str, tuple[tuple[str, ...], str]] = {
    "demand": (
        (
            "id",
            "material",
            "end_use",
            "place",
            "buyer",
            "per_year",
            "quantity",
            "quantities",
            "from",
            "until",
            "shortage_price",
            "why",
        ),
        "one more demand is wanted.",
    ),
    "licence": (("rule", "exporter", "quantity", "from", "until", "why"), "a licence is granted."),
    "waiver": (("rule", "demand", "quantity", "from", "until", "why"), "a rule is waived."),
    "stock": (("material", "quantity", "countries", "why"), "so much more lies at the case's place from the start."),
    "capacity": (
        ("catalog", "facility", "from", "per_year", "status", "source"),
        "the scenario states a capacity from that day on, also of a facility that has none.",
    ),
}
"""Sheet -> the columns that a new row may fill, and what it comes to."""

ROWS_DELETED: Mapping[str, str] = {
    "demand": "nothing of it is wanted.",
    "offers": "the offer is taken away; its rows in other sheets may stay.",
    "facilities": "all its offers are taken away; its rows in other sheets may stay.",
    "tiers": "all rows of an offer, facility or supplier: its prices by quantity are relaxed.",
}
"""Sheet -> what deleting a row comes to."""

AFTER: Mapping[str, str] = {
    "capacity": "facility", "recipe": "offer", "chain": "offer", "lanes": "offer", "quotes": "offer", "tiers": "id", "terms": "id",
    "offers": "facility",
}  # fmt: skip
"""Sheet -> the column that names the offer or facility with which its rows may be deleted."""


def editable(sheet: str) -> str:
    """What can be edited in a sheet, as the end of a sentence."""
    said = [f"in `{sheet}`: {', '.join(CELLS[sheet])}"] if sheet in CELLS else []
    if sheet in ROWS_ADDED:
        said.append(f"rows can be added to `{sheet}`")
    if sheet in ROWS_DELETED:
        said.append(f"rows of `{sheet}` can be deleted")
    others = ", ".join(dict.fromkeys((*CELLS, *ROWS_ADDED)))
    return "; ".join(said) or f"nothing in `{sheet}`; cells in {others}"
