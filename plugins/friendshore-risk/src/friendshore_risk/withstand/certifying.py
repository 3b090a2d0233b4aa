"""The least that a program comes to, proved in exact fractions, and checked without a solver: see `friendshore_proof`."""

from __future__ import annotations

import json
from decimal import Decimal
from math import inf

import numpy as np

from friendshore.program.matrix import Linear
from friendshore.solve import Cancel, Watch
from friendshore_proof.certificate import Certified, NoCertificateError, certified, read, text_of
from friendshore_proof.claims import ANY, TOLERANCE, Aim
from friendshore_proof.search import ProofSearch

from .proof import CertifiedLeast

MOST_ENTRIES = 2_000_000
"""Coefficients of a program beyond which no proof is tried."""


def certified_least(linear: Linear, value: float, cancel: Cancel | None) -> CertifiedLeast | None:
    """What proves that a program comes to no less than so much; None where it is too large to prove anything of.

    Args:
        linear: the program.
        value: what it comes to at the least; infinite: nothing keeps its rows.
        cancel: ends the search once it is set: less is then proved.

    Raises:
        SolverError: if a solver breaks down.
    """
    if linear.entries.nnz > MOST_ENTRIES:
        return None
    stated = Decimal(repr(float(value))) if np.isfinite(value) else None
    search = ProofSearch(_aim(linear, stated), Watch(None, cancel), None)
    found = certified(search, None if stated is None else np.zeros(len(linear.cost)))
    return CertifiedLeast(value=stated, certificate=text_of([found]))


def proved_least(linear: Linear, given: CertifiedLeast | None) -> float:
    """What a certificate proves that a program comes to at the least; infinite: nothing keeps its rows, minus infinity: it proves nothing.

    Nothing that it states is believed: another certificate, or one that was changed, proves less, or the same.
    """
    if given is None or linear.entries.nnz > MOST_ENTRIES:
        return -inf
    try:
        (one,) = read(json.loads(given.certificate))
        found = Certified(_aim(linear, given.value), one, Watch(None, None))
    except (NoCertificateError, ValueError, AttributeError):
        return -inf
    # All that is proved is proved of what comes to no more than `value`: all else comes to more, so that it is no less at any rate.
    most = inf if given.value is None else float(given.value)
    if any(found.empty):
        return most
    return -inf if found.bound is None else min(float(found.bound), most)


def _aim(linear: Linear, value: Decimal | None) -> Aim:
    if value is None:
        return Aim("", True, linear, ANY, ANY, Decimal(0))
    return Aim("", True, linear, value, value, TOLERANCE * max(abs(value), Decimal(1)))
