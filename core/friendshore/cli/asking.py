"""How a question is asked of a case or run: opened once, with bars and Ctrl-C; and several of one run, for its report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from .waiting import Interrupt, progress_bar

if TYPE_CHECKING:
    from ..document.elements import Document
    from ..plugins import Registry
    from ..questions import Question
    from ..recommend import Opened


def options_made(question: Question[Any, Any], typed: Mapping[str, Any]) -> Any:
    """The record of a question's options.

    Raises:
        OptionsError: if they make no sense.
    """
    from ..plugins import asked_of

    with asked_of(question, question.name):
        asked = question.options(**typed)
        question.check(asked)
    return asked


@contextmanager
def opened_for(path: Path, registry: Registry, given: Mapping[str, Any]) -> Iterator[Opened]:
    """A case or run solved. Ctrl-C ends what is being solved, and what is asked of it; what is not proved by then is an interval."""
    from ..case import changes_stated
    from ..recommend import reopen
    from ..solve import Limits

    until = None if given["time_limit"] is None else monotonic() + given["time_limit"]
    with Interrupt() as cancel:
        with changes_stated(given.get("change") or ()) as changes, progress_bar(_quiet(given)) as progress:
            opened = reopen(
                path,
                registry=registry,
                scenario=given.get("scenario") or (),
                changes=changes,
                strict=given["strict"],
                limits=Limits(given["gap"], given["time_limit"], given["workers"], until=until),
                progress=progress,
                cancel=cancel,
            )
        yield opened


def answered(question: Question[Any, Any], opened: Opened, asked: Any, given: Mapping[str, Any]) -> Any:
    """What a question finds, with a bar while it looks."""
    from ..plugins import asked_of

    with progress_bar(_quiet(given), question.doing, question.counted) as progress, asked_of(question, question.name):
        return question.ask(opened, asked, progress)


def late(opened: Opened) -> tuple[str, ...]:
    """What to know of answers for which the time was up."""
    limits = opened.session.limits
    if not limits.over:
        return ()
    return (
        f"the time limit of {limits.seconds:g} s was reached: with more time, or on a quicker machine, the answer may say more",
    )


def _quiet(given: Mapping[str, Any]) -> bool:
    return bool(given["quiet"] or given["as_json"])


def questions_named(texts: Sequence[str], registry: Registry) -> list[tuple[Question[Any, Any], Any]]:
    """Questions with their options, as `--with` names them: `stress`, with what it is about `why-not=OFFER`, or with an option of its own
    `programmes:budgets=FILE`; several by commas.

    Raises:
        InputError: for a question that has to be told more.
        PluginError: for one that is unavailable.
    """
    from ..questions.base import question_named

    asked: list[tuple[str, dict[str, str]]] = []
    for word in (word for text in texts for word in text.split(",")):
        named, _, subject = word.strip().partition("=")
        name, _, option = named.partition(":")
        before = next((given for other, given in asked if option and other == name and option not in given), None)
        if before is None:
            asked.append((name, {option: subject} if option or subject else {}))
        else:
            before[option] = subject
    return [_about(question_named(registry, name), given) for name, given in asked]


def _about(question: Question[Any, Any], given: Mapping[str, str]) -> tuple[Question[Any, Any], Any]:
    """A question as it is asked if nothing else is set than options that are a text or a path, by name; what it is about has none."""
    from ..errors import InputError
    from ..questions import OptionsError
    from ..questions.base import options_of

    options, by_itself = options_of(question), f"ask it by itself: friendshore {question.name}"
    takes = next((one for one in options if one.setting.argument and one.kind is str), None)
    worded = {one.name: one for one in options if one.kind in (str, Path | None)}
    typed: dict[str, object] = {}
    for name, value in given.items():
        one = worded.get(name) if name else takes
        if one is None or not value:
            message = f"has no such option that --with could set: `{name}`" if name else "is about nothing of a name"
            expected = ", ".join(f"{question.name}:{known}=…" for known in worded)
            raise InputError(
                f"`{question.name}` {message}", column="--with", found=value, expected=expected, fix=by_itself
            )
        typed[one.name] = value if one.kind is str else Path(value)
    if any(one.needed and one.name not in typed for one in options):
        unit = takes.setting.unit or takes.name.upper() if takes is not None else ""
        fix = f"write {question.name}={unit}" if takes is not None else by_itself
        raise InputError(f"`{question.name}` has to be told what it is about", column="--with", fix=fix)
    try:
        return question, options_made(question, typed)
    except OptionsError as error:
        raise InputError(f"`{question.name}` has to be told more: {error}", column="--with", fix=by_itself) from error


def answers_of(
    questions: Sequence[tuple[Question[Any, Any], Any]], path: Path, registry: Registry, given: Mapping[str, Any]
) -> list[Document]:
    """What a run is asked besides, each answer as a document; what is to be known of it stands at its beginning.

    Raises:
        InputError, PluginError, SolverError, VerificationError: as `reopen` and questions do.
    """
    from ..document import elements as doc
    from ..plugins import asked_of
    from ..questions.base import shown

    told = []
    with opened_for(path, registry, given) as opened:
        for question, asked in questions:
            found = answered(question, opened, asked, given)
            document = shown(question, partial(question.document, found, asked))
            with asked_of(question, question.name):
                notes = question.notes(found)
            head = doc.notes((*opened.notes, *notes, *late(opened)), doc.Tone.DOUBTFUL)
            told.append(doc.document(document.title, head, *document.parts))
    return told
