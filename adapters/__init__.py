"""Implementations of the ports, one folder a port, each file named after the thing it wraps."""
