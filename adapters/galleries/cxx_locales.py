"""Lets usearch and other C++ libraries live in one process.

The Linux wheel of usearch brings its own libstdc++ and exports it. The numbers under which a C++
locale keeps its facets are unique in a process (``STB_GNU_UNIQUE``), so both copies share some of
them, but each counts for itself. The copy that sets up its locale last mixes facets up: if that is
the libstdc++ of the system, the next library that writes a number to a stream calls the wrong
facet. ONNX Runtime does when it is imported, and dies of a segmentation fault.
"""

import contextlib
import ctypes
import sys


def settle_cxx_locales() -> None:
    """Make the system's libstdc++ set up its locale now; call this before usearch is loaded.

    The copy in usearch comes last then; the little that usearch does with streams needs no facet
    that gets mixed up. Does nothing where there is no such library, or when called again.
    """
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, AttributeError):
        classic_locale = ctypes.CDLL("libstdc++.so.6")["_ZNSt6locale7classicEv"]
        classic_locale.restype = ctypes.c_void_p
        classic_locale()
