"""The standing words of the calibration page; every number on it comes from the run."""

from __future__ import annotations

OPENING = """# Calibrating the ITP models: what was fitted, what was learned, and what was not

The ITP models of eltrombopag and hetrombopag rest on little: a few published shares of responders and medians, no patient's
counts. This page says what those numbers do to few parameters with wide priors. Phase 1 and phase 3 of hetrombopag, and the
treated arms of two eltrombopag trials, are **excluded from fitting**: the function that hands out rows to fit to raises on
them. They were published, and known to those who chose the structures: this is not a blind prediction."""

PROTOCOL = """## Protocol

1. **Trials as data.** Each trial is a file in `evidence/scenarios/`: arms, baseline, doses, visits, rescue, stopping,
   denominators, each entry with its tier. What an article does not say is a set of possibilities, one of which each prior draw
   takes with equal chances.
2. **Without a drug.** Placebo arms of V5, V6 and V7 bear on fluctuation (AR(1) on the log count), rescue and a class of
   persistent remission. Published baseline counts are measured counts: what fluctuation explains of their spread is taken from
   the spread of patients' own levels, and patients are admitted by a measured count below 30e9/L.
3. **Eltrombopag**, under four structures of equal weight: the drug adds the same production as in healthy people (*absolute*),
   the same with a ceiling (*emax*), the same with removal that saturates (*saturable*), or multiplies the patient's own
   production (*relative*). V3 first (healthy rises; exposures set to the published AUC), then the treated arms of V5
   (responders and median of an arm together, as order statistics of the same patients). Free: slope, transfer, spread; the
   share of non-responders keeps its prior Beta(19, 81) to start from. Platelet life is fixed from isotopes. The concentration
   of half effect and the count of half removal stay as assumed in the model files.
4. **Hetrombopag** through a virtual effect site: drive = theta x (dose per day / 5 mg)^gamma, half-life 12 to 40 h and rising
   with the dose, food by its effect on exposure. V8 first (three rises of the same people, normal, with a shared drift of SD 4
   points), then V9 under two readings (dosing stopped on day 14; dosing went on to day 28) as two models of weight 1/2 each.
   Transfer is eltrombopag's times a log-normal factor of SD 0.5; the drive varies between patients by its own IIV and by the
   spread seen with eltrombopag.
5. **Inference.** Sampling-importance resampling with common random numbers; virtual patients are stratified in every dimension.
   What daily doses do in each virtual patient for a gain of 1 is computed once, with the shipped models; only gain, level and
   what is observed change from draw to draw.
6. **Freezing.** The retained draws are written as files with the hash of their content, together with a prior-only set:
   everything that eltrombopag taught, wide priors of hetrombopag's own parameters, no hetrombopag data."""

CLOSING = """## What is not identified

- **Rescue.** Its hazard, effect and duration stay about as their priors (see the table): nothing about rescue rates should be
  read from these sets.
- **Theta and transfer apart.** V9 sees their product; V8 sees theta alone, through a rise of which drift may be a large part.
- **Gamma.** Three healthy rises at three exposures and three arms of 8 to 12 patients leave most of its prior.
- **Half-life of the effect site.** Nothing in V8 or V9 tells it apart.
- **The reading of V9.** Both readings are kept with equal weight; which of them fits better is not used.
- **The structure.** Evidence ratios are not computed into weights: the four stay equal.
- **Which way saturable removal works.** Under it a minority of draws has a transfer many times that of the others (the upper
  end in the table): counts shoot up, and dosing ends at the first count above 200e9/L. V5 cannot tell the two ways apart; V9
  can.

## Where these draws should not be used

For another disease, for children, for rescue rates, for doses above 7.5 mg, or for counts in single patients. Persistent
remission (`remission.share`) is in the sets and is no part of the model files: a cohort simulated without it has a few
responders fewer on placebo."""
