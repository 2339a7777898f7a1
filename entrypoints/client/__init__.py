"""Clients of the HTTP service: `Client`, `AsyncClient`, and what they answer with."""
