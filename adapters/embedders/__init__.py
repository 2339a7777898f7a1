"""Turning faces into vectors."""
