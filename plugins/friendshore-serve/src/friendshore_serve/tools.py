"""Tools: the commands and questions that a server answers, with the types of their options, and limits of requests.

A tool is the function that the command line calls.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from inspect import signature
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic_core import from_json

from friendshore.cli import cases, catalogs, plan, rules
from friendshore.cli.parameters import CommandParameter, parameters_of
from friendshore.cli.questions import MAX_NUMBER, function_of
from friendshore.errors import Diagnostic, FriendshoreError, InputError, attempt
from friendshore.plugins import Registry
from friendshore.questions.base import options_of, question_named

COMMANDS: Mapping[str, Callable[..., None]] = {
    "check": cases.check,
    "plan": plan.plan,
    "rules": rules.list_,
    "rule": rules.show_,
    "catalogs": catalogs.list_,
    "catalog": catalogs.show_,
}
"""Commands that are tools besides all questions."""
CASE = "case"
JSON, HTML = "json", "html"
# Options for screens, files, and processes. A server writes no file, and has its own limits.
_NOT_SERVED = frozenset({
    "as_json", "block", "certified", "full", "html", "locked", "out", "pack", "quiet", "sign", "time_limit", "workers",
})  # fmt: skip
_NAME = r"^\w[\w. +-]*$"
"""Pattern of a name that can't be a path."""
_Text = Annotated[str, Field(max_length=10_000)]
_Posted = Annotated[
    dict[str, Any],
    Field(title="Posted case", description="The tables of a case file. It may name what is installed."),
]


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Limits of a server."""

    workers: int = 2
    """Processes that answer, each one question at a time."""
    seconds: float = 300
    """Time for an answer. Its process is then ended."""
    megabytes: int = 4096
    """Address space of a process. One that has more than half of that in memory after an answer is replaced."""
    plans: int = 8
    """Plans that a process keeps, each with up to 128 MB of earlier results besides the case."""
    queue: int = 64
    """Questions that wait for a process."""
    request_bytes: int = 4 * 2**20
    """Size of a request, and of a line from an assistant."""
    values: int = 50_000
    """Values in a request."""
    result_bytes: int = 64 * 2**20
    """Results to keep, the most recently used."""
    jobs: int = 1_000
    """Finished jobs to remember."""


def refused(code: str, message: str, found: str = "", fix: str = "", file: str = "", column: str = "") -> InputError:
    """Return the error of a request."""
    return InputError(message, file, column=column, found=found[:200], fix=fix, code=code)


def parsed(text: bytes, limits: ServerLimits) -> object:
    """Return the value of a JSON text. Raise `InputError` if it isn't JSON, is nested deeper than 200 levels, or exceeds a limit."""
    if len(text) > limits.request_bytes or text.count(b",") >= limits.values:
        largest = f"send at most {limits.request_bytes:,} bytes and {limits.values:,} values"
        raise refused("FS927", "the request is too large", f"{len(text):,} bytes", largest)
    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise refused("FS927", "the request isn't JSON", str(error), "send JSON in UTF-8") from error


@dataclass(frozen=True)
class Tool:
    """A command or a question."""

    name: str
    function: Callable[..., None]
    hidden: frozenset[str]
    """Options that aren't offered."""
    names: tuple[str, ...]
    """Names of cases, or for `catalog` those of catalogs."""
    may_post: bool
    """True if the case may be given as a table."""
    is_question: bool = False

    @cached_property
    def options(self) -> dict[str, CommandParameter]:
        """Name of an argument -> parameter of the function."""
        offered = (p for p in parameters_of(self.function) if not p.is_file and p.name not in self.hidden)
        return {CASE if parameter.name == "path" else parameter.name: parameter for parameter in offered}

    @property
    def meaning(self) -> str:
        return re.sub(r"\s*\n\s*", " ", self.function.__doc__ or "").strip()

    @property
    def formats(self) -> list[str]:
        return [JSON, HTML] if self.is_question or self.name == "plan" else [JSON]

    @cached_property
    def arguments(self) -> type[BaseModel]:
        """Record of its arguments. Its schema is the tool's."""
        fields: Any = {
            name: (self._type(name, option), self._field(name, option)) for name, option in self.options.items()
        }
        config = ConfigDict(extra="forbid", strict=True, title=f"Arguments of {self.name}", allow_inf_nan=False)
        return create_model(f"{self.name}_arguments", __config__=config, **fields)

    def _field(self, name: str, option: CommandParameter) -> Any:
        default = [] if option.is_list and option.default is None else option.default
        if option.is_required:
            default = self.names[0] if name == CASE and len(self.names) == 1 else ...
        # A factory keeps None, which can't be given, out of the schema.
        given: Any = {"default_factory": lambda: None} if default is None else {"default": default}
        return Field(**given, description="Name of a case." if option.is_case else option.meaning)

    def _type(self, name: str, option: CommandParameter) -> Any:
        """Return the type of a value."""
        if option.is_case or (self.names and option.name == "name"):
            known: Any = Literal[self.names or ("",)]
            return known if name != CASE or not self.may_post else known | _Posted if self.names else _Posted
        if option.name == "name":
            return Annotated[str, Field(pattern=_NAME, max_length=200)]
        if option.kind in (int, float):
            least = -MAX_NUMBER if option.least is None else option.least
            return Annotated[option.kind, Field(ge=least, le=MAX_NUMBER if option.most is None else option.most)]
        if option.is_list:
            return Annotated[list[_Text], Field(max_length=1_000)]
        return Literal[option.words] if option.words else _Text if option.kind is str else option.kind

    def checked(self, arguments: object) -> dict[str, Any]:
        """Return the arguments, with the only case as the default. Raise `InputError` with all errors."""
        try:
            record = self.arguments.model_validate(arguments)
        except ValidationError as error:
            raise InputError(map(self._problem, error.errors(include_url=False))) from error
        case = vars(record).get(CASE)
        return ({} if case is None else {CASE: case}) | record.model_dump(exclude_unset=True)

    def _problem(self, error: Any) -> Diagnostic:
        # A case has two possible types, which isn't a part of its place.
        place = error["loc"][:1] if CASE in error["loc"][:1] else error["loc"]
        column, names = ".".join(map(str, place)), ", ".join(self.options)
        expected = f"one of {names}" if error["type"] == "extra_forbidden" else error["msg"]
        found = "" if error["type"] == "missing" else repr(error["input"])[:200]
        return Diagnostic("the arguments are invalid", self.name, None, column, found, expected, code="FS927")

    def values(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of all parameters of the function."""
        values = {name: parameter.default for name, parameter in signature(self.function).parameters.items()}
        for name, argument in arguments.items():
            values[self.options[name].name] = self.options[name].value(argument)
        return values | {"as_json": True}


class Toolbox(dict[str, Tool]):
    """The tools of a server by name, each made when it is used."""

    def __init__(self, registry: Registry, cases: tuple[str, ...], *, may_post: bool = False) -> None:
        super().__init__()
        self.registry, self._cases, self._may_post = registry, cases, may_post
        self._questions = {name.replace("-", "_"): name for name in registry.names("question")}
        self.names = [*COMMANDS, *sorted(self._questions)]

    def usable(self) -> tuple[list[Tool], list[Diagnostic]]:
        """Return the tools, and the errors of those whose plugins fail."""
        errors: list[FriendshoreError] = []
        tools = [attempt(partial(self.__getitem__, name), errors) for name in self.names]
        return [tool for tool in tools if tool is not None], [problem for error in errors for problem in error.problems]

    def __missing__(self, name: str) -> Tool:
        """Make a tool. Raise `InputError` if there is none, and `PluginError` if its plugin fails."""
        if name in COMMANDS:
            names = {"catalog": tuple(sorted(self.registry.catalogs)), "rule": ()}.get(name, self._cases)
            self[name] = Tool(name, COMMANDS[name], _NOT_SERVED, names, self._may_post)
        elif name in self._questions:
            question = question_named(self.registry, self._questions[name])
            hidden = _NOT_SERVED.union(option.name for option in options_of(question) if not option.setting.served)
            function = function_of(question, self.registry)
            self[name] = Tool(name, function, hidden, self._cases, self._may_post, is_question=True)
        else:
            raise refused("FS939", "no such tool", f"`{name}`", f"use one of {', '.join(self.names)}")
        return self[name]
