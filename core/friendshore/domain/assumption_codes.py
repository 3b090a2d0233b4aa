"""Codes of the assumptions that friendshore makes. `codes.toml` explains them. Assumptions of plugins have none."""

from __future__ import annotations

UNEXAMINED = "FS800"
NOT_ASKED = "FS801"
ACCEPTED = "FS802"
COUNTED_TWICE = "FS803"
NO_DUTY = "FS804"
HIGHEST_DUTY = "FS805"
IDLE_LIMIT = "FS806"
DUTY_ON_FEE = "FS807"
PACK_NOTE = "FS808"
RENAMED = "FS809"
OVERLAP = "FS810"
STOCK_COST = "FS811"
SEPARATE_MAKING = "FS812"
LEAD_TIME = "FS813"
LICENSE = "FS814"
FREIGHT = "FS815"
SHORTAGE_PRICE = "FS816"
CARRYOVER = "FS817"
OFFER_FIGURE = "FS818"
UNPROVEN_ACCEPTED = "FS820"

CODE_BY_SUBJECT = {
    "looked at by no rule of origin": UNEXAMINED,
    "origin not asked about": NOT_ASKED,
    "accepted": ACCEPTED,
    "counted twice": COUNTED_TWICE,
    "no duty charged": NO_DUTY,
    "highest duty charged": HIGHEST_DUTY,
    "limit without demand": IDLE_LIMIT,
    "duty on the fee alone": DUTY_ON_FEE,
}
"""Codes of the subjects that a short form of an answer must show, for runs that were written before assumptions had codes."""
