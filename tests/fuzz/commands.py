"""Random commands that read an input."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from friendshore.official import OFFICIAL

from . import nasty

if TYPE_CHECKING:
    from .inputs import Command, Input

LIMITED = ("--time-limit", "1", "--workers", "1", "-q")
"""Options of every plan, with a short time limit."""
_BRIEF = ("--time-limit", "0.3", "--workers", "1", "-q")
_ALONE = ("--time-limit", "0.3", "-q")
"""Options of questions. Some don't take `--workers`."""

_OTHERS = tuple(word for plugin in OFFICIAL for word in ("--block", plugin.distribution))
"""Plugins of this repository that are blocked to save time."""


def as_json(rng: Random) -> Command:
    """Return `--json` half of the time."""
    return ("--json",) if rng.random() < 0.5 else ()


def _name(names: tuple[str, ...], rng: Random) -> str:
    if names and rng.random() < 0.9:
        return rng.choice(names)
    text = nasty.text(rng)
    return "x" if text == "--json" else text  # which asks for nothing where it is a name


def _question(target: Input, where: str, rng: Random) -> Command:
    """Return a question about a case or a run."""
    other = ("--scenario", _name(target.scenarios, rng)) if target.scenarios else (where,)
    stress = ("stress", where, "--by", rng.choice(("none", "none", "supplier", "country")), *_ALONE)
    question: Command = rng.choice((
        ("ask", where, *_BRIEF), ("alternatives", where, *_BRIEF), ("why-not", *_BRIEF, "--", where, _name(target.offers, rng)),
        ("ledger", where, "--exact", "4", "--samples", "5", *_BRIEF), ("repairs", where, "--trials", "50", "--size", "2", *_ALONE),
        ("calendar", where, *_BRIEF), ("compare", where, *other, *_BRIEF), stress,
    ))  # fmt: skip
    return _with_json(question, rng)


def _planned(target: Input, rng: Random, case: str = "case.toml") -> list[Command]:
    """Return commands that plan, and may verify and report."""
    scenario = ("--scenario", _name(target.scenarios, rng)) if target.scenarios and rng.random() < 0.2 else ()
    strict = ("--strict",) if rng.random() < 0.1 else ()
    options = (*scenario, *strict, *LIMITED, *as_json(rng))
    if rng.random() < 0.3:
        return [("plan", case, *options)]
    target.written = ("out",)
    report = [("report", "out", *_form(rng), *as_json(rng))] if rng.random() < 0.5 else []
    return [("plan", case, "--out", "out", *options), ("verify", "out", *as_json(rng)), *report]


def _form(rng: Random) -> Command:
    return ("--format", "html") if rng.random() < 0.5 else ()


def on_case(target: Input, rng: Random) -> None:
    target.commands = [("check", rng.choice(("case.toml", ".")), *as_json(rng))]
    draw = rng.random()
    if draw < 0.6:
        target.commands += _planned(target, rng)
    elif draw < 0.85:
        target.commands.append(_question(target, "case.toml", rng))
    elif draw < 0.9:
        target.commands.append(("rules", "list", "case.toml", *as_json(rng)))
    elif draw < 0.95:
        target.written = ("book.xlsx",)
        target.commands.append(("case", "to-xlsx", "case.toml", "--out", "book.xlsx", *as_json(rng)))
    else:
        target.written = ("friendshore.lock",)
        target.commands.append(("lock", "case.toml", *as_json(rng)))


def on_sheets(target: Input, rng: Random) -> None:
    book = "case.xlsx"
    draw = rng.random()
    target.commands = [("check", book, *as_json(rng))] if draw < 0.5 else []
    if draw < 0.35:
        target.commands += _planned(target, rng, book)
    elif draw < 0.5:
        target.commands.append(_question(target, book, rng))
    elif draw < 0.6:
        target.written = ("again.xlsx",)
        target.commands.append(("case", "to-xlsx", book, "--out", "again.xlsx", *as_json(rng)))
    else:
        write = ("--write",) if rng.random() < 0.3 else ()
        target.written = ("case.toml",) if write else ()
        of = rng.choice(("case.toml", ".", book))
        target.commands.append(("case", "from-xlsx", book, of, "--scenario", "mine", *write, *as_json(rng)))


def on_catalog(target: Input, name: str, rng: Random) -> None:
    path = f"./{name}"
    draw = rng.random()
    target.commands = [("catalogs", "check", path, *as_json(rng))] if draw < 0.5 else []
    if draw < 0.1:
        target.commands.append(("catalogs", "show", path, *as_json(rng)))
    elif draw < 0.2:
        target.written = ("other.xlsx", "other")
        target.commands.append(("catalogs", "convert", path, rng.choice(target.written), *as_json(rng)))
    elif draw < 0.25 and "." not in name:
        target.written = (f"{name}/datapackage.json",)
        target.commands.append(("catalogs", "datapackage", path, *as_json(rng)))
    elif draw < 0.75:
        target.commands += [("check", "case.toml", *as_json(rng)), *_planned(target, rng)]
    else:
        target.commands += [("check", "case.toml", *as_json(rng)), _question(target, "case.toml", rng)]


def on_run(target: Input, rng: Random) -> None:
    target.commands = [("verify", "run", *as_json(rng))]
    draw = rng.random()
    if draw < 0.5:
        target.commands.append(("report", "run", *_form(rng), *as_json(rng)))
    elif draw < 0.8:
        target.commands.append(_question(target, "run", rng))


def on_pack(target: Input, rng: Random) -> None:
    target.commands = [rng.choice((("rules", "list", "--pack", "./law"), ("rules", "show", "./law"))) + as_json(rng)]
    target.commands += [("check", "case.toml", *as_json(rng)), *(_planned(target, rng) if rng.random() < 0.5 else [])]


def on_plugin(target: Input, rng: Random) -> None:
    draw = rng.random()
    listed = rng.choice((("plugins", "list"), ("catalogs", "list"), ("rules", "list"), ("plugins", "show", "acme-x")))
    target.commands = [(*listed, *as_json(rng)), ("check", "case.toml", *as_json(rng))]
    if draw < 0.4:
        target.commands += _planned(target, rng)
    elif draw < 0.6:
        target.commands.append(("plugins", "list", "--load", "--limit", "2", *_OTHERS, *as_json(rng)))
    elif draw < 0.65:
        target.commands.append(("plugins", "check", "acme-x", *as_json(rng)))


def hostile(target: Input, rng: Random) -> None:
    """Add a command with a hostile argument."""
    number, day = rng.choice(nasty.NUMBERS), rng.choice(nasty.DATES)
    text = nasty.text(rng).replace("\0", "").removeprefix("--json")[:5000]
    text = "x" if text == "--" else text  # which says where options end, not what one is
    whole = rng.choice(("case.toml", "run"))
    place = rng.choice(("case.toml", ".", "catalog", "run", "out", "run/run.json/x", ""))
    name = rng.choice((text or "x", "a/b", "A B", "con")).removeprefix("-") or "x"
    bound = f"{rng.choice(('later', 'stock', text))}={number}"
    command: Command = rng.choice((
        ("plan", "case.toml", "--time-limit", number, "-q"),
        ("plan", "case.toml", *LIMITED, *rng.choice((("--gap", number), ("--scenario", text), ("--block", text), ("--out", place)))),
        ("plan", "case.toml", "--time-limit", "1", "-q", "--workers", rng.choice(("0", "-1", "64", number))),
        ("plan", *LIMITED, "--", text),
        ("verify", "--", text),
        ("report", "run", "--format", text),
        ("report", "run", *_form(rng), "--with", text, "--out", rng.choice(("case.toml", ".", "new.html", text))),
        ("alternatives", whole, text, *_BRIEF, "--within", number),
        ("alternatives", whole, *_BRIEF, "--top", number),
        ("ask", whole, *_BRIEF, "--spread", text, "--top", number),
        ("why-not", *_BRIEF, "--", whole, text),
        ("ledger", whole, *_BRIEF, "--order", text, "--exact", "2", "--samples", "2"),
        ("ledger", whole, *_BRIEF, "--seed", number, "--exact", "0", "--samples", rng.choice(("0", "1", "-1"))),
        ("repairs", whole, *_ALONE, "--trials", "50", "--bound", bound),
        ("repairs", whole, *_ALONE, "--trials", rng.choice(("0", "-1", "nan", "1")), "--size", rng.choice(("0", "1", "-1"))),
        ("calendar", whole, *_BRIEF, "--until", day),
        ("compare", whole, text, *_BRIEF),
        ("stress", whole, *_ALONE, "--from", day),
        ("stress", whole, *_ALONE, "--loss-from", rng.choice((day, text)), "--by", rng.choice(("supplier", text))),
        ("lock", text),
        ("init", rng.choice(("made", "case.toml", "."))),
        *((*of.split(), "--", text) for of in ("catalogs show", "catalogs check", "rules show", "plugins show")),
        ("catalogs", "convert", "./catalog", rng.choice(("out", "case.toml", "catalog", "out.csv", "out/x.xlsx", ""))),
        ("rules", "list", "--pack", text),
        ("plugins", "new", name, "made"),
        (text, "case.toml"),
    ))  # fmt: skip
    target.commands = [_with_json(command, rng)]
    own_runs = ("run",) if command[0] == "plan" and command[-2:] == ("--out", "run") else ()
    target.written = ("out", "friendshore.lock", "made", *own_runs)


def _with_json(command: Command, rng: Random) -> Command:
    """Add `--json` to a command half of the time."""
    place = command.index("--") if "--" in command else len(command)
    return (*command[:place], *as_json(rng), *command[place:])
