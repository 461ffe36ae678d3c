"""Statements compiled once a process, as they are in production, and not once for each database.

There one engine serves for months and has each statement compiled when it comes again. Here each
test has an engine of its own, and two thirds of what its statements cost was compiling them.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.engine import Dialect

from sharing.records import engines

MAKERS = ("create_engine", "create_async_engine")
SHARED: dict[str, tuple[Dialect, Any]] = {}  # by driver: who compiles, and what is compiled


def share() -> None:
    """From now on, every database of this process has its statements compiled by one compiler."""
    for name in MAKERS:
        setattr(engines, name, _sharing(getattr(engines, name)))


def _sharing(create: Callable[..., Any]) -> Callable[..., Any]:
    def created(*given: Any, **named: Any) -> Any:
        engine = create(*given, **named)
        _join(getattr(engine, "sync_engine", engine))
        return engine

    return created


def _join(engine: Engine) -> None:
    """What is compiled is found by the statement and by who compiled it."""
    dialect, compiled = SHARED.setdefault(engine.driver, (engine.dialect, engine._compiled_cache))
    if dialect.server_version_info is not None:  # the first one has seen its server
        engine.dialect, engine._compiled_cache = dialect, compiled
