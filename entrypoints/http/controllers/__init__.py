"""The routes, one area a file."""
