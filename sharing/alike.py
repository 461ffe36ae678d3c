"""Names that are almost the same: for a person to look at, never a match by themselves."""

from collections.abc import Sequence

import numpy as np

from sharing.conflict import plain

THRESHOLD = 87.0  # of 100; docs/decisions/0016-what-leads-to-a-partner.md says why
SHORTEST = 4  # letters; of shorter names too many are alike
LONGEST = 2_000  # names of organisations compared, the nearest first
_PAGE = 500


def alike(
    held: Sequence[str], near: Sequence[str], threshold: float = THRESHOLD
) -> list[tuple[int, int, float]]:
    """(place in held, place in near, score) of each pair that is alike and not the same. Both are
    compared without legal form, accents, case and punctuation, their words in alphabetical order:
    one letter in eight may differ."""
    from rapidfuzz import process
    from rapidfuzz.distance import Indel

    ours, theirs = [_sorted(name) for name in held], [_sorted(name) for name in near]
    found = []
    for start in range(0, len(theirs), _PAGE):
        scores = process.cdist(
            theirs[start : start + _PAGE],
            ours,
            scorer=Indel.normalized_similarity,
            score_cutoff=threshold / 100,
            dtype=np.float32,
        )
        for there, here in zip(*np.nonzero(scores), strict=True):
            one, other = int(here), int(there) + start
            if ours[one] != theirs[other] and min(len(ours[one]), len(theirs[other])) >= SHORTEST:
                found.append((one, other, round(100 * float(scores[there, here]), 1)))
    return sorted(found)


def score(one: str, other: str, threshold: float = THRESHOLD) -> float | None:
    """How much alike two names are, of 100; None if they are not, or if they are the same."""
    found = alike([one], [other], threshold)
    return found[0][2] if found else None


def _sorted(name: str) -> str:
    return " ".join(sorted(plain(name).split()))
