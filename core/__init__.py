"""The domain: values, ports and application services.

Nothing here reads a file, opens a socket or knows a library beyond numpy and attrs. Values sit at
the top level of this package, ports (what the outside must provide) in `facecv.core.ports`, and
use cases, written against ports alone, in `facecv.core.services`.
"""
