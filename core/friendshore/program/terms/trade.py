"""Terms of trade: what is due, at least or at most ordered, and taken to set up, once anything is ordered in a span.

A fixed charge with variable lower and upper bounds. The link between a span's binary variable and its orders is a row for each offer
and period, over places and compliance classes together, with the bound of that order: tighter than one row for all of them, and as
few as they can be without losing that (Padberg, Van Roy and Wolsey, Operations Research 33, 1985).
"""

from __future__ import annotations

import numpy as np

from ..draft import ProgramDraft


def add_term_spans(draft: ProgramDraft) -> None:
    """The columns and rows of all terms of trade, span by span."""
    for number, span in enumerate(draft.problem.term_spans):
        terms, owner = span.terms, f"terms of {span}"
        _, ordered, _ = draft.ordering(span.offers, span.periods, terms.places)
        if not len(ordered):
            continue
        switch = None
        if terms.switches:
            cost = float(span.fixed) * draft.discount[span.due]
            switch = draft.switch(span.offers, span.periods, owner, cost, terms.places)
            assert switch is not None
            draft.columns.placed[number] = switch
        if terms.least and switch is not None:
            row = draft.assembly.add_rows(1, 0.0, np.inf, owner)
            draft.assembly.add_entries(row, ordered, 1.0)
            draft.assembly.add_entries(row, switch, -float(terms.least))
        if terms.most is not None:
            row = draft.assembly.add_rows(1, -np.inf, 0.0 if switch is not None else float(terms.most), owner)
            draft.assembly.add_entries(row, ordered, 1.0)
            if switch is not None:
                draft.assembly.add_entries(row, switch, -float(terms.most))
