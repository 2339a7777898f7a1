"""Names for PyTorch's types where PyTorch may be absent, as it is where types are checked."""

from typing import Any, TypeAlias

Tensor: TypeAlias = Any
"""A `torch.Tensor`; the docstring that uses it gives the shape."""
Module: TypeAlias = Any
"""A `torch.nn.Module`."""
Rows: TypeAlias = Any
"""Indices or flags, a numpy array [n]."""
