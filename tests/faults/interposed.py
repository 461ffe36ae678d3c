"""Something that happens right before a step of the export worker: how races are aimed."""

from collections.abc import Callable
from typing import Any

import pytest

from sharing.export import depot


def before(
    step: str, patch: pytest.MonkeyPatch, happens: Callable[[], None], times: int | None = None
) -> None:
    """Calls `happens` in the packing thread before each call of that step (`seal`, `deliver`), or
    only before the first `times` of them."""
    real = getattr(depot, step)
    left = [times]

    def interposed(*given: Any, **named: Any) -> Any:
        if left[0] is None:
            happens()
        elif left[0] > 0:
            left[0] -= 1
            happens()
        return real(*given, **named)

    patch.setattr(depot, step, interposed)
