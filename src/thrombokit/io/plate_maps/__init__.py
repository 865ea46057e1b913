"""Plate maps: which well holds which agonist, dose and control; `read` picks the form by content."""
