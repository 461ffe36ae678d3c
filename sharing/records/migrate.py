"""Brings a database's schema to the newest version, on SQLite and PostgreSQL."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import make_url


def configuration(database_url: str) -> Config:
    """Alembic's configuration without an ini file: the scripts are part of the package."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["url"] = database_url
    return config


def migrate(database_url: str, revision: str = "head") -> None:
    """Upgrades to `revision`; does nothing to a database that is there already. Synchronous, and
    runs an event loop of its own: call it from a thread where one is running."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    command.upgrade(configuration(database_url), revision)
