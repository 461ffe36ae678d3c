"""Which objects are in a shard: a bit for each index position, from the shard's first one on."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Bits = bytes
Places = NDArray[np.int64]


def marked(first: int, last: int, places: Iterable[int]) -> Bits:
    """The bits of a shard that reaches from `first` to `last`: set at `places`."""
    bits = np.zeros(last - first + 1, dtype=np.bool_)
    bits[np.fromiter(places, dtype=np.int64) - first] = True
    return np.packbits(bits).tobytes()


def among(bits: Bits | None, first: int, places: Places) -> NDArray[np.bool_]:
    """Which of these places, all of them within the shard, are in it. A shard that was made before
    this was recorded counts as holding all of them: rather one recall too many than one missing."""
    if bits is None:
        return np.ones(len(places), dtype=np.bool_)
    known = np.unpackbits(np.frombuffer(bits, dtype=np.uint8))
    return known[places - first].astype(np.bool_)
