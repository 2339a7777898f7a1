"""Use cases, one a module, written against ports that the constructor takes."""
