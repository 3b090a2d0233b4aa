"""Sanctions on goods of some countries: a rule pack for friendshore, data only."""
