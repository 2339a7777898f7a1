"""From the logits of a classifier to the class that is chosen."""

from collections.abc import Sequence

import numpy as np

from facecv.core.arrays import Floats
from facecv.core.attributes import AttributeValue


def softmax(logits: Floats) -> Floats:
    """Return probabilities, float32 [..., K], for logits of that shape."""
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: Floats = weights / weights.sum(axis=-1, keepdims=True)
    return shares


def chosen(classes: Sequence[str], logits: Floats, model: str) -> AttributeValue:
    """Return the likeliest of `classes` for their logits, float32 [K]."""
    return likeliest(dict(zip(classes, softmax(logits).tolist(), strict=True)), model)


def likeliest(shares: dict[str, float], model: str) -> AttributeValue:
    """Return the class with the largest probability."""
    best = max(shares, key=lambda name: shares[name])
    return AttributeValue(best, shares[best], shares, model)
