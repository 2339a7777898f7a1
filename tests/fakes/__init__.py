"""Small implementations of the ports, one a port, for tests."""
