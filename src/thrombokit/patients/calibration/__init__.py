"""Fitting the patient models to published trials: few parameters, honest priors, and everything that is not known drawn as well."""
