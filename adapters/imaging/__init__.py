"""Pure functions on pictures, shared by adapters."""
