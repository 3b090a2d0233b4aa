"""Which commands are run on an input: those that read it, with options drawn by lot."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from . import nasty

if TYPE_CHECKING:
    from .inputs import Command, Input

LIMITED = ("--time-limit", "1", "--workers", "1", "-q")
"""Options of every plan: an input must not take longer than it is worth."""
_BRIEF = ("--time-limit", "0.3", "--workers", "1", "-q")
_ALONE = ("--time-limit", "0.3", "-q")
"""Options of questions, some of which solve in one piece and take no `--workers`."""

_OTHERS = tuple(
    word
    for name in ("australia", "china-controls", "eu-crma", "kazakhstan", "sanctions", "tariffs", "us-defense")
    for word in ("--block", f"friendshore-{name}")
)
"""Plugins of this repository that need not be loaded each time."""


def as_json(lot: Random) -> Command:
    """`--json`, as often as not."""
    return ("--json",) if lot.random() < 0.5 else ()


def _name(names: tuple[str, ...], lot: Random) -> str:
    if names and lot.random() < 0.9:
        return lot.choice(names)
    text = nasty.text(lot)
    return "x" if text == "--json" else text  # which asks for nothing where it is a name


def _question(made: Input, where: str, lot: Random) -> Command:
    """A question that is put to a case or a run."""
    other = ("--scenario", _name(made.scenarios, lot)) if made.scenarios else (where,)
    stress = ("stress", where, "--by", lot.choice(("none", "none", "supplier", "country")), *_ALONE)
    asked: Command = lot.choice((
        ("ask", where, *_BRIEF), ("alternatives", where, *_BRIEF), ("why-not", *_BRIEF, "--", where, _name(made.offers, lot)),
        ("ledger", where, "--exact", "4", "--samples", "5", *_BRIEF), ("repairs", where, "--trials", "50", "--size", "2", *_ALONE),
        ("calendar", where, *_BRIEF), ("compare", where, *other, *_BRIEF), stress,
    ))  # fmt: skip
    return _with_json(asked, lot)


def _planned(made: Input, lot: Random, case: str = "case.toml") -> list[Command]:
    """A plan, written and then checked, or put to a question."""
    scenario = ("--scenario", _name(made.scenarios, lot)) if made.scenarios and lot.random() < 0.2 else ()
    strict = ("--strict",) if lot.random() < 0.1 else ()
    options = (*scenario, *strict, *LIMITED, *as_json(lot))
    if lot.random() < 0.3:
        return [("plan", case, *options)]
    made.written = ("out",)
    report = [("report", "out", *_form(lot), *as_json(lot))] if lot.random() < 0.5 else []
    return [("plan", case, "--out", "out", *options), ("verify", "out", *as_json(lot)), *report]


def _form(lot: Random) -> Command:
    """A report as Markdown or as a page with charts."""
    return ("--format", "html") if lot.random() < 0.5 else ()


def on_case(made: Input, lot: Random) -> None:
    """A case is checked, then planned or asked."""
    made.commands = [("check", lot.choice(("case.toml", ".")), *as_json(lot))]
    draw = lot.random()
    if draw < 0.6:
        made.commands += _planned(made, lot)
    elif draw < 0.85:
        made.commands.append(_question(made, "case.toml", lot))
    elif draw < 0.9:
        made.commands.append(("rules", "list", "case.toml", *as_json(lot)))
    elif draw < 0.95:
        made.written = ("book.xlsx",)
        made.commands.append(("case", "to-xlsx", "case.toml", "--out", "book.xlsx", *as_json(lot)))
    else:
        made.written = ("friendshore.lock",)
        made.commands.append(("lock", "case.toml", *as_json(lot)))


def on_sheets(made: Input, lot: Random) -> None:
    """A workbook of a case is planned, asked, written anew, or read as a scenario of the case beside it."""
    book = "case.xlsx"
    draw = lot.random()
    made.commands = [("check", book, *as_json(lot))] if draw < 0.5 else []
    if draw < 0.35:
        made.commands += _planned(made, lot, book)
    elif draw < 0.5:
        made.commands.append(_question(made, book, lot))
    elif draw < 0.6:
        made.written = ("again.xlsx",)
        made.commands.append(("case", "to-xlsx", book, "--out", "again.xlsx", *as_json(lot)))
    else:
        write = ("--write",) if lot.random() < 0.3 else ()
        made.written = ("case.toml",) if write else ()
        of = lot.choice(("case.toml", ".", book))
        made.commands.append(("case", "from-xlsx", book, of, "--scenario", "mine", *write, *as_json(lot)))


def on_catalog(made: Input, name: str, lot: Random) -> None:
    """A catalog is checked, shown or written in another form, and its case is planned."""
    path = f"./{name}"
    draw = lot.random()
    made.commands = [("catalogs", "check", path, *as_json(lot))] if draw < 0.5 else []
    if draw < 0.1:
        made.commands.append(("catalogs", "show", path, *as_json(lot)))
    elif draw < 0.2:
        made.written = ("other.xlsx", "other")
        made.commands.append(("catalogs", "convert", path, lot.choice(made.written), *as_json(lot)))
    elif draw < 0.25 and "." not in name:
        made.written = (f"{name}/datapackage.json",)
        made.commands.append(("catalogs", "datapackage", path, *as_json(lot)))
    elif draw < 0.75:
        made.commands += [("check", "case.toml", *as_json(lot)), *_planned(made, lot)]
    else:
        made.commands += [("check", "case.toml", *as_json(lot)), _question(made, "case.toml", lot)]


def on_run(made: Input, lot: Random) -> None:
    """A run is verified, and reported or asked."""
    made.commands = [("verify", "run", *as_json(lot))]
    draw = lot.random()
    if draw < 0.5:
        made.commands.append(("report", "run", *_form(lot), *as_json(lot)))
    elif draw < 0.8:
        made.commands.append(_question(made, "run", lot))


def on_pack(made: Input, lot: Random) -> None:
    """A rule pack is listed, shown, and planned with."""
    made.commands = [lot.choice((("rules", "list", "--pack", "./law"), ("rules", "show", "./law"))) + as_json(lot)]
    made.commands += [("check", "case.toml", *as_json(lot)), *(_planned(made, lot) if lot.random() < 0.5 else [])]


def on_plugin(made: Input, lot: Random) -> None:
    """A plugin is listed, shown, loaded, checked, and planned with."""
    draw = lot.random()
    listed = lot.choice((("plugins", "list"), ("catalogs", "list"), ("rules", "list"), ("plugins", "show", "acme-x")))
    made.commands = [(*listed, *as_json(lot)), ("check", "case.toml", *as_json(lot))]
    if draw < 0.4:
        made.commands += _planned(made, lot)
    elif draw < 0.6:
        made.commands.append(("plugins", "list", "--load", "--limit", "2", *_OTHERS, *as_json(lot)))
    elif draw < 0.65:
        made.commands.append(("plugins", "check", "acme-x", *as_json(lot)))


def hostile(made: Input, lot: Random) -> None:
    """A command line with a word in it that is not meant."""
    made.written = ("out", "friendshore.lock", "made")
    number, day = lot.choice(nasty.NUMBERS), lot.choice(nasty.DATES)
    text = nasty.text(lot).replace("\0", "").removeprefix("--json")[:5000]
    text = "x" if text == "--" else text  # which says where options end, not what one is
    whole = lot.choice(("case.toml", "run"))
    place = lot.choice(("case.toml", ".", "catalog", "run", "out", "run/run.json/x", ""))
    name = lot.choice((text or "x", "a/b", "A B", "con")).removeprefix("-") or "x"
    bound = f"{lot.choice(('later', 'stock', text))}={number}"
    command: Command = lot.choice((
        ("plan", "case.toml", "--time-limit", number, "-q"),
        ("plan", "case.toml", *LIMITED, *lot.choice((("--gap", number), ("--scenario", text), ("--block", text), ("--out", place)))),
        ("plan", "case.toml", "--time-limit", "1", "-q", "--workers", lot.choice(("0", "-1", "64", number))),
        ("plan", *LIMITED, "--", text),
        ("verify", "--", text),
        ("report", "run", "--format", text),
        ("report", "run", *_form(lot), "--with", text, "--out", lot.choice(("case.toml", ".", "new.html", text))),
        ("alternatives", whole, text, *_BRIEF, "--within", number),
        ("alternatives", whole, *_BRIEF, "--top", number),
        ("ask", whole, *_BRIEF, "--spread", text, "--top", number),
        ("why-not", *_BRIEF, "--", whole, text),
        ("ledger", whole, *_BRIEF, "--order", text, "--exact", "2", "--samples", "2"),
        ("ledger", whole, *_BRIEF, "--seed", number, "--exact", "0", "--samples", lot.choice(("0", "1", "-1"))),
        ("repairs", whole, *_ALONE, "--trials", "50", "--bound", bound),
        ("repairs", whole, *_ALONE, "--trials", lot.choice(("0", "-1", "nan", "1")), "--size", lot.choice(("0", "1", "-1"))),
        ("calendar", whole, *_BRIEF, "--until", day),
        ("compare", whole, text, *_BRIEF),
        ("stress", whole, *_ALONE, "--from", day),
        ("stress", whole, *_ALONE, "--loss-from", lot.choice((day, text)), "--by", lot.choice(("supplier", text))),
        ("lock", text),
        ("init", lot.choice(("made", "case.toml", "."))),
        *((*of.split(), "--", text) for of in ("catalogs show", "catalogs check", "rules show", "plugins show")),
        ("catalogs", "convert", "./catalog", lot.choice(("out", "case.toml", "catalog", "out.csv", "out/x.xlsx", ""))),
        ("rules", "list", "--pack", text),
        ("plugins", "new", name, "made"),
        (text, "case.toml"),
    ))  # fmt: skip
    made.commands = [_with_json(command, lot)]


def _with_json(command: Command, lot: Random) -> Command:
    """The command with `--json` before what is no option, as often as not."""
    place = command.index("--") if "--" in command else len(command)
    return (*command[:place], *as_json(lot), *command[place:])
