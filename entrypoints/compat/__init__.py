"""Interfaces of other packages, on our engine."""
