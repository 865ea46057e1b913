"""Reaction models from anywhere: SBML files, Antimony files, and the built-in model by name."""

from __future__ import annotations

from pathlib import Path

from thrombokit.errors import Fault, FileFormatError
from thrombokit.io.sbml import parse_sbml, read_sbml
from thrombokit.io.tpor import tpor_network
from thrombokit.io.xml_tree import read_xml_file
from thrombokit.signalling.antimony_source import sbml_of_antimony
from thrombokit.signalling.network import Network

BUILT_IN = "tpor"
"""Name of the built-in model of the thrombopoietin receptor."""


def load_network(source: str | Path = BUILT_IN) -> Network:
    """A reaction network, ready to simulate, draw or ask.

    Parameters
    ----------
    source : path or str
        An SBML file of any level (.xml, .sbml), an Antimony file (.ant), or "tpor", the built-in model of TPO-R signalling.

    Returns
    -------
    Network

    Raises
    ------
    FileFormatError
        If the file is not a model, is not valid, or uses what cannot be simulated here; every fault in one pass.
    MissingExtraError
        If libsbml (or, for Antimony, antimony) is not installed.

    Examples
    --------
    >>> network = load_network()                                  # doctest: +SKIP
    >>> [species.label for species in network.species]            # doctest: +SKIP
    """
    if str(source) == BUILT_IN:
        return tpor_network()
    path = Path(source)
    if path.suffix.lower() not in (".ant", ".txt", ".antimony"):
        return read_sbml(path)
    data = read_xml_file(path, what="an Antimony model")
    if data.lstrip().startswith(b"<"):
        return parse_sbml(data, place=path.name)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        fault = Fault(place=path.name, found=f"bytes that are no text (at {error.start})", expected="an Antimony model in UTF-8",
                      cure="Save the file as UTF-8 text.")  # fmt: skip
        raise FileFormatError(fault) from None
    return parse_sbml(sbml_of_antimony(text, source=path.name), place=path.name)
