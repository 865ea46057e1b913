"""What a counter-screen says of a curve that turns back at high dose: receptor or something else?

High TPO-R drive can arrest growth, and so can a compound that harms cells without the receptor (eltrombopag chelates iron). The same compound on
parental or EPOR cells tells them apart: if it does nothing there, the arrest goes through TPO-R.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from thrombokit.dose_response.fits import CurveFits
from thrombokit.plate.curves import CurveKey

SUSPECTED = "off_target_suspected"


def heed_counter_screens(keys: Sequence[CurveKey], fits: CurveFits) -> CurveFits:
    """Fits with the off-target qualifier settled where the study holds counter-screen curves of the same agonist.

    All of them flat: the qualifier goes, and the message says why. Any of them falling: it stays, and the message says so.
    """
    qualifier, message = fits.qualifier.copy(), fits.message.copy()
    for i, key in enumerate(keys):
        if key.counter_screen:
            qualifier[i] = ""
        if qualifier[i] != SUSPECTED or key.counter_screen:
            continue
        screens = [j for j, other in enumerate(keys) if other.counter_screen and other.agonist == key.agonist]
        verdicts = {str(fits.verdict[j]) for j in screens} - {"bad"}
        falling = any(_falls(fits, j) for j in screens)
        if falling:
            message[i] += "; the counter-screen without TPO-R falls too"
        elif verdicts == {"flat"}:
            qualifier[i] = ""
            message[i] = (
                "the response turns back at high dose; the counter-screen without TPO-R is flat, so it goes through the receptor"
            )
    return replace(fits, qualifier=qualifier, message=message)


def _falls(fits: CurveFits, i: int) -> bool:
    return str(fits.verdict[i]) not in ("flat", "bad") and bool(fits.theta[i, 1] < fits.theta[i, 0])
