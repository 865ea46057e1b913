"""SBML models: read into a `Network`, and checked.

libsbml (extra `signalling`) reads every level and version, checks the model and brings it to Level 3 Version 2; the network is then read
from that one text (`io.sbml_elements`), and the solver is given the same. What cannot be simulated right is refused by name: delays,
algebraic rules, fast reactions, packages that change what the model means.

References
----------
Hucka M et al. (2019) SBML Level 3 Version 2 Core. J Integr Bioinform 16:20190021, doi:10.1515/jib-2019-0021.
Bornstein BJ et al. (2008) LibSBML. Bioinformatics 24:880-881, doi:10.1093/bioinformatics/btn051.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thrombokit.errors import Fault, FileFormatError, MissingExtraError, raise_all
from thrombokit.io.fault_lists import condensed
from thrombokit.io.mathml_shape import misshapen
from thrombokit.io.sbml_elements import DEEPEST, network_of
from thrombokit.io.xml_tree import Element, parse_xml, read_xml_file
from thrombokit.signalling.network import Network

try:
    import libsbml  # pyright: ignore[reportMissingImports]
except ImportError:  # the extra is not installed
    libsbml: Any = None

WHAT = "an SBML model"
HARMLESS = frozenset((21121,))
"""Rules of SBML whose breach leaves the meaning plain: a species in a rate that is not listed among the reaction's modifiers."""
_LONGEST = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Something libsbml says about a model.

    `severity` is "warning" or "error", `category` such as "SBML unit consistency", `message` the rule and what breaks it, `detail` the
    latter alone ("" where libsbml does not say), `number` the rule's number.
    """

    severity: str
    category: str
    number: int
    line: int
    message: str
    detail: str = ""


def read_sbml(path: str | Path) -> Network:
    """Read a model.

    Parameters
    ----------
    path : path
        An SBML file of any level and version.

    Returns
    -------
    Network
        Species, reactions, formulas, events as the file has them.

    Raises
    ------
    FileFormatError
        If the file is not SBML, is not valid, or uses what cannot be simulated here; every fault in one pass.
    MissingExtraError
        If libsbml is not installed.
    """
    path = Path(path)
    return parse_sbml(read_xml_file(path, what=WHAT), place=path.name)


def parse_sbml(text: str | bytes, *, place: str = "model") -> Network:
    """The network of a model given as text; `place` names it in messages. Raises as `read_sbml` does."""
    data = text.encode() if isinstance(text, str) else text
    root = parse_xml(data, place, most_depth=DEEPEST)
    if root.name != "sbml" or "sbml.org/sbml" not in root.namespace:
        cure = "Choose the model's .xml file; an Antimony model ends in .ant."
        raise FileFormatError(
            Fault(place=f"{place}:{root.line}", found=f"the root element <{root.name}>", expected=WHAT, cure=cure)
        )
    _require_libsbml()
    raise_all(condensed([*_refused(root, place), *_misshapen(root, place)]), FileFormatError)
    document = _document(data)
    raise_all(condensed(_errors(document, place)), FileFormatError)
    converted = _as_level_3(document, place)
    return network_of(parse_xml(converted.encode(), place, most_depth=DEEPEST), converted, place)


def check_sbml(text: str | bytes, *, units: bool = True) -> list[Finding]:
    """What libsbml's checks say about a model: consistency, identifiers, formulas, overdetermination and, on request, units.

    Parameters
    ----------
    text : str or bytes
        The model.
    units : bool
        Whether units are checked as well; a model without declared units gives a warning for each formula.

    Returns
    -------
    list of Finding
        Empty for a model without fault. Advice on modelling style is not included.

    Raises
    ------
    MissingExtraError
        If libsbml is not installed.
    """
    return list(_findings(_document(text.encode() if isinstance(text, str) else text), units=units))


def _require_libsbml() -> None:
    if libsbml is None:
        raise MissingExtraError('Reading SBML needs libsbml, which is not installed: pip install "thrombokit[signalling]"')


def _document(data: bytes) -> Any:
    _require_libsbml()
    return libsbml.readSBMLFromString(data.decode("utf-8-sig", errors="replace"))


def _findings(document: Any, *, units: bool) -> Iterator[Finding]:
    if document.getNumErrors(libsbml.LIBSBML_SEV_FATAL) == 0 and document.getModel() is not None:
        document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, units)
        document.setConsistencyChecks(libsbml.LIBSBML_CAT_MODELING_PRACTICE, False)
        document.checkConsistency()
    seen: set[Finding] = set()
    for at in range(document.getNumErrors()):
        error = document.getError(at)
        severity = "warning" if error.getSeverity() <= libsbml.LIBSBML_SEV_WARNING else "error"
        rule, _, rest = error.getMessage().partition("Reference: ")
        finding = Finding(
            severity=severity, category=error.getCategoryAsString(), number=error.getErrorId(), line=error.getLine(),
            message=" ".join(error.getMessage().split()), detail=" ".join(rest.partition("\n")[2].split()) if rule else "",
        )  # fmt: skip
        if finding not in seen:
            seen.add(finding)
            yield finding


def _errors(document: Any, place: str) -> Iterator[Fault]:
    for finding in _findings(document, units=False):
        if finding.severity == "error" and finding.number not in HARMLESS:
            rule = finding.message.partition(" Reference: ")[0]
            cure = "Correct the model; the tool it came from, or an SBML validator, shows more."
            found = finding.detail or f'what breaks a rule of SBML ("{finding.category}")'
            yield Fault(place=f"{place}:{finding.line}", found=_short(found), expected=_short(rule), cure=cure)
    if document.getModel() is None and not document.getNumErrors():
        yield Fault(place=place, found="no <model>", expected="one model", cure="Choose a file that holds a model.")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 4].rsplit(' ', 1)[0]} ..."


def _refused(root: Element, place: str) -> Iterator[Fault]:
    """What would be read wrongly or not at all, by name."""
    for (namespace, name), value in root.attributes.items():
        if name == "required" and value.strip() == "true":
            package = namespace.split("/")[-2] if namespace.count("/") > 1 else namespace
            cure = "Export the model without the package (a hierarchical model: flattened)."
            found = f'the SBML package "{package}", which changes what the model means'
            yield Fault(place=f"{place}:{root.line}", found=found, expected="SBML core", cure=cure)
    for element in _descendants(root):
        if element.name == "reaction" and element.attributes.get(("", "fast"), "false") in ("true", "1"):
            id = element.attributes.get(("", "id"), element.attributes.get(("", "name"), ""))
            cure = "Give the reaction a large rate instead, or remove the mark if it is not meant."
            yield Fault(
                place=f"{place}:{element.line}", found=f'the fast reaction "{id}"', expected="reactions with a rate", cure=cure
            )
        elif element.name == "algebraicRule":
            cure = "Solve the equation for one variable and write an assignment rule."
            yield Fault(place=f"{place}:{element.line}", found="an algebraic rule", expected="assignment and rate rules", cure=cure)


def _misshapen(root: Element, place: str) -> Iterator[Fault]:
    for element in _descendants(root):
        for math in (child for child in element.children if child.name == "math"):
            for line, found in misshapen(math):
                cure = "Correct the formula; the file may have been cut or edited by hand."
                yield Fault(place=f"{place}:{line}", found=found, expected="a formula as SBML has them", cure=cure)


def _descendants(element: Element) -> Iterator[Element]:
    for child in element.children:
        if child.name not in ("annotation", "notes", "math"):
            yield child
            yield from _descendants(child)


def _as_level_3(document: Any, place: str) -> str:
    """The document as Level 3 Version 2 text."""
    was = f"Level {document.getLevel()} Version {document.getVersion()}"
    if (document.getLevel(), document.getVersion()) != (3, 2):
        properties = libsbml.ConversionProperties(libsbml.SBMLNamespaces(3, 2))
        properties.addOption("setLevelAndVersion", True)
        properties.addOption("strict", False)
        if document.convert(properties) != libsbml.LIBSBML_OPERATION_SUCCESS:
            cure = "Save the model as SBML Level 3 with the tool it came from."
            raise FileFormatError(Fault(place=place, found=f"{was} that cannot be converted", expected="SBML", cure=cure))
    return str(libsbml.writeSBMLToString(document))
