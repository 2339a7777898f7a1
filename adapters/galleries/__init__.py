"""Keeping and searching enrolled faces."""
