"""The model's one source made into SBML: `tpor.ant` joined with its rates, and any Antimony text.

The only module that imports antimony (extra [signalling]). The topology stands in `tpor.ant`, the numbers in `tpor_rates.toml`; the SBML made
of both carries tier, range and source of every rate in its notes, so that an exported file still says where each number comes from.

References
----------
Smith LP et al. (2009) Antimony: a modular model definition language. Bioinformatics 25:2452-2454, doi:10.1093/bioinformatics/btp401.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from threading import Lock
from typing import Any

from thrombokit.errors import Fault, FileFormatError, MissingExtraError
from thrombokit.signalling.rates import RateSet, read_rates

try:
    import antimony  # pyright: ignore[reportMissingImports]
except ImportError:  # the extra is not installed
    antimony: Any = None

TPOR_FILE = "tpor.ant"
TPOR_RATES = "tpor_rates.toml"
VOLUMES = ("medium", "membrane", "endosome", "cytoplasm", "nucleus")
"""Rates that are sizes of compartments."""
_ONE_AT_A_TIME = Lock()
_LAST_WORDS = re.compile(r"\nend\s*$")


def tpor_rates() -> RateSet:
    """The rates of the built-in model, with their sources and tiers."""
    return read_rates(TPOR_RATES)


@cache
def tpor_antimony() -> str:
    """The built-in model as one Antimony text: reactions from `tpor.ant`, numbers and their provenance from `tpor_rates.toml`."""
    topology = (files("thrombokit.signalling") / TPOR_FILE).read_text(encoding="utf-8")
    return _LAST_WORDS.sub("\n", topology) + _rate_lines(tpor_rates()) + "\nend\n"


@cache
def tpor_sbml() -> str:
    """The built-in model as SBML Level 3 Version 2.

    Raises
    ------
    MissingExtraError
        If antimony is not installed.
    """
    return sbml_of_antimony(tpor_antimony(), source=TPOR_FILE)


def sbml_of_antimony(text: str, *, source: str) -> str:
    """The main model of an Antimony text as SBML Level 3 Version 2.

    Parameters
    ----------
    text : str
    source : str
        The file it comes from, for messages.

    Raises
    ------
    FileFormatError
        If it is not Antimony; with what antimony says of the line.
    MissingExtraError
        If antimony is not installed.
    """
    if antimony is None:
        raise MissingExtraError(
            f"{source}: models in Antimony need the package antimony, which is not installed. Install the extra: "
            'pip install "thrombokit[signalling]".'
        )
    with _ONE_AT_A_TIME:  # antimony keeps what it has loaded in one place for the whole process
        antimony.clearPreviousLoads()
        if antimony.loadAntimonyString(text) < 0:
            said = " ".join(str(antimony.getLastError()).split())
            antimony.clearPreviousLoads()
            raise FileFormatError(Fault(place=source, found=f"text antimony cannot read ({said})", expected="a model in Antimony",
                                        cure="Correct the line it names."))  # fmt: skip
        name = antimony.getMainModuleName()
        sbml = str(antimony.getSBMLString(name))
        antimony.clearPreviousLoads()
    if not sbml.strip():
        fault = Fault(place=source, found="no model", expected="model ... end", cure="Check the file.")
        raise FileFormatError(fault)
    return _without_maker(sbml)


def antimony_of_sbml(sbml: str, *, source: str) -> str:
    """A model as Antimony text; what Antimony has no words for (a line of notes, say) is left out by it.

    Parameters
    ----------
    sbml : str
        Level 3 Version 2.
    source : str
        The file it comes from, for messages.

    Raises
    ------
    FileFormatError
        If antimony cannot take the model.
    MissingExtraError
        If antimony is not installed.
    """
    if antimony is None:
        raise MissingExtraError(
            f"{source}: writing Antimony needs the package antimony, which is not installed. Install the extra: "
            'pip install "thrombokit[signalling]".'
        )
    with _ONE_AT_A_TIME:
        antimony.clearPreviousLoads()
        taken = antimony.loadSBMLString(sbml) >= 0
        text = str(antimony.getAntimonyString(antimony.getMainModuleName())) if taken else ""
        said = " ".join(str(antimony.getLastError()).split())
        antimony.clearPreviousLoads()
    if not text.strip():
        raise FileFormatError(Fault(place=source, found=f"a model antimony cannot take ({said})", expected="a model it can say",
                                    cure="Export SBML instead."))  # fmt: skip
    return re.sub(r"\A// Created by [^\n]*\n", "", text)


def _without_maker(sbml: str) -> str:
    """The same document without the comment naming versions, so that the bytes depend on the model alone."""
    return re.sub(r"<!-- Created by .*? -->\n", "", sbml, count=1)


def _rate_lines(rates: RateSet) -> str:
    lines = ["  // Rates, from tpor_rates.toml"]
    for rate in rates:
        lines.append(f"  {rate.id} = {rate.value!r}; {rate.id} has {rate.unit};")
        words = rate.words().replace('"', "'")
        lines.append(f'  {rate.id} notes "{words}";')
        if rate.id not in VOLUMES:
            lines.append(f"  const {rate.id};")
    return "\n".join(lines) + "\n"
