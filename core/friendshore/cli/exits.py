"""Exit codes: what each means, said in one place for the help text and for the reference."""

from __future__ import annotations

FAILED = 1
"""Friendshore itself failed."""
CONFLICT = 6
"""Hard rules that cannot hold together."""
CLOSED_PIPE = 141
"""128 and the number of SIGPIPE: what a shell says of a program that ends because its reader has gone."""

EXIT_CODES: tuple[tuple[int, str, str], ...] = (
    (
        0,
        "done",
        "A plan was found, a check found no mistake, a run is verified. A shortage is a result, and ends in 0 too.",
    ),
    (FAILED, "failed", "Friendshore itself failed, which is a bug: a traceback on stderr and nothing on stdout."),
    (
        2,
        "bad input",
        "A case, catalog, rule pack, run folder or the command line has mistakes; all of them are listed. So is what cannot "
        "be read or written: a folder that you may not read, a full disk, also behind stdout.",
    ),
    (3, "plugin", "A plugin that is needed is missing, broken, ambiguous, or not the one that was used."),
    (4, "verification failed", "A plan does not hold, or a run folder says something that its facts do not give."),
    (
        5,
        "solver",
        "The solver broke down, or a limit ended the search before there was a plan that keeps the rules. Never plain infeasibility.",
    ),
    (
        CONFLICT,
        "rules conflict",
        "Hard rules cannot hold together: the plan is printed in full, without what they touch.",
    ),
    (130, "stopped", "Ctrl-C was pressed twice, or before there was a plan. Once returns the best plan found so far."),
    (
        CLOSED_PIPE,
        "closed pipe",
        "Whoever read the answer went before all of it was written, as may be with `head -1`. What `--out` writes is written.",
    ),
)
"""Code, its name, its meaning."""

EPILOG = "Exit codes: " + ", ".join(f"{code} {name}" for code, name, _ in EXIT_CODES) + "."
