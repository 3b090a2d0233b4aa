"""Output formats: documents and runs as the bytes of a file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, ClassVar

from ..document.elements import Document
from ..errors import InputError
from ..official import plugin_bringing
from ..plugins.attribution import attributed_object, defect_error
from ..writing import add_files

if TYPE_CHECKING:
    from ..domain.run import Run
    from ..plugins import Registry
    from ..recommend import RunCheck


class Format(ABC):
    """An output format. Derive a class and yield an object of it from the hook `friendshore_formats`."""

    name: ClassVar[str]
    """Name, and extension of its files, such as `html`."""
    is_text: ClassVar[bool] = True

    @abstractmethod
    def render(self, document: Document, file: str = "") -> bytes:
        """Return the content of `file`, or raise `InputError` if a library that the format needs isn't installed."""

    def of_run(self, run: Run, checked: RunCheck | None, answers: Sequence[Document]) -> Document:
        """Return the document that reports a run, by default one page. `checked` is None if the run wasn't verified."""
        from .page import page_document

        return page_document(run, checked, answers)


class Markdown(Format):
    """Format of Markdown."""

    name = "md"

    def render(self, document: Document, file: str = "") -> bytes:
        from ..document.markdown import markdown

        return markdown(document).encode()


OWN_FORMATS: Mapping[str, Format] = {"md": Markdown()}


def format_named(name: str, registry: Registry) -> Format:
    """Return an output format, or raise `PluginError` if it is missing, ambiguous, or unusable."""
    if name in OWN_FORMATS:
        return OWN_FORMATS[name]
    form, info = registry.thing("format", name)
    if not isinstance(form, Format):
        raise defect_error(info, f"its format `{name}` can't be used", repr(form), "an object of a subclass of Format")
    return form


def format_of(file: Path, registry: Registry) -> Format:
    """Return the output format for the extension of a file, or raise `InputError` if there is none."""
    name, names = file.suffix.lower().removeprefix("."), format_names(registry)
    if name not in names and plugin_bringing("formats", name) is None:
        message, expected = (
            "no output format has this extension",
            ", ".join(f".{extension}" for extension in names),
        )
        raise InputError(message, str(file), found=f"`{file.suffix}`", expected=f"one of {expected}", code="FS503")
    return format_named(name, registry)


def format_names(registry: Registry) -> list[str]:
    return list(dict.fromkeys((*OWN_FORMATS, *registry.names("format"))))


def rendered(document: Document, form: Format, file: str = "") -> bytes:
    """Return the bytes of a whole document. Any error of a plugin's format is a `PluginError`."""
    with attributed_object(form, form.name, "format"):
        content = form.render(document.whole(), file)
        if not isinstance(content, bytes):
            raise TypeError(f"a format must return bytes, not {type(content).__name__}")
        return content


def write_document(file: Path, document: Document, form: Format) -> Path:
    """Write a document to a new file and return its path, or raise `InputError` if the file exists."""
    add_files(file.parent, {PurePosixPath(file.name): rendered(document, form, file.name)})
    return file
