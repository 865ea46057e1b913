"""XML from anywhere, read with its line numbers and without its traps.

A document type declaration is refused outright: entities that grow without end, and those that reach for other files, all need one. Size,
depth and number of elements have limits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from thrombokit.errors import Fault, FileFormatError

MOST_BYTES, MOST_ELEMENTS, MOST_DEPTH = 32_000_000, 250_000, 60


@dataclass(kw_only=True, slots=True)
class Element:
    """One element; `attributes` are keyed by (namespace, name), the namespace empty where there is none; `texts` are pieces of its own text."""

    namespace: str
    name: str
    line: int
    attributes: dict[tuple[str, str], str]
    children: list[Element] = field(default_factory=list["Element"])
    texts: list[str] = field(default_factory=list[str])

    @property
    def text(self) -> str:
        """Its own text, in one piece."""
        return "".join(self.texts)


def read_xml_file(path: Path, *, what: str) -> bytes:
    """The bytes of a file of at most `MOST_BYTES`; `what` says what was expected.

    Raises
    ------
    FileFormatError
        If the file cannot be read or is too large.
    """
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= MOST_BYTES else b""
    except OSError as error:
        cure = "Check the path, and that you may read the file."
        raise FileFormatError(Fault(place=path.name, found=error.strerror or str(error), expected=what, cure=cure)) from None
    if size > MOST_BYTES:
        raise FileFormatError(
            Fault(place=path.name, found=f"{size} bytes", expected=f"{what} of at most {MOST_BYTES} bytes", cure="Split the file.")
        )
    return data


def parse_xml(data: bytes, place: str, *, most_depth: int = MOST_DEPTH) -> Element:
    """The root element of a document.

    Parameters
    ----------
    data : bytes
    place : str
        The file, for messages.
    most_depth : int
        Elements within elements; formulas written as XML nest deeper than other files.

    Raises
    ------
    FileFormatError
        If it is not well-formed XML, declares a document type, or is deeper or larger than any honest file; with the line.
    """
    if len(data) > MOST_BYTES:
        raise _refused(place, 1, f"{len(data)} bytes", f"at most {MOST_BYTES}", "Split the file.")
    builder = _Builder(place, most_depth)
    try:
        builder.parser.Parse(data, True)
    except expat.ExpatError as error:
        said = expat.ErrorString(error.code)
        cure = "Export the file again; it may be cut short or not be XML at all."
        raise _refused(place, error.lineno, f"{said} at column {error.offset + 1}", "well-formed XML", cure) from None
    except (LookupError, ValueError) as error:
        raise _refused(place, 1, str(error), "XML in UTF-8", "Save the file in UTF-8.") from None
    return builder.root[0]


class _Builder:
    """What the parser calls; `root` holds the root element in the end."""

    def __init__(self, place: str, most_depth: int) -> None:
        self.place, self.most_depth = place, most_depth
        self.root: list[Element] = []
        self.open: list[Element] = []
        self.count = 0
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.characters
        self.parser.StartDoctypeDeclHandler = self.doctype

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        line, self.count = self.parser.CurrentLineNumber, self.count + 1
        if self.count > MOST_ELEMENTS or len(self.open) >= self.most_depth:
            found = f"more than {MOST_ELEMENTS} elements" if self.count > MOST_ELEMENTS else f"elements {self.most_depth + 1} deep"
            raise _refused(self.place, line, found, "a file of a sensible size", "Split the file.")
        namespace, _, local = name.rpartition(" ")
        keyed = {(key.rpartition(" ")[0], key.rpartition(" ")[2]): value for key, value in attributes.items()}
        element = Element(namespace=namespace, name=local, line=line, attributes=keyed)
        (self.open[-1].children if self.open else self.root).append(element)
        self.open.append(element)

    def end(self, _: str) -> None:
        """The innermost open element ends."""
        self.open.pop()

    def characters(self, text: str) -> None:
        """Text of the innermost open element."""
        if not text.isspace():
            self.open[-1].texts.append(text)

    def doctype(self, *_: object) -> None:
        """A document type declaration: never."""
        cure = "Remove the <!DOCTYPE ...> line and the entities it declares."
        raise _refused(self.place, self.parser.CurrentLineNumber, "a document type declaration", "XML without one", cure)


def _refused(place: str, line: int, found: str, expected: str, cure: str) -> FileFormatError:
    return FileFormatError(Fault(place=f"{place}:{line}", found=found, expected=expected, cure=cure))
