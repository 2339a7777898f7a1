"""Telling age, gender and more."""
