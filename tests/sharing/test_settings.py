"""Settings: read whole or refused with the cure; a misspelt safeguard is never ignored."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing.settings import Settings, SettingsError
from sharing.stages import GATES, Stage

NUMBERS = ("STAGE_DAYS", "LEGAL_APPROVAL_DAYS", "RETENTION_DAYS_MAX", "SHARD_OBJECTS")


def read(**given: str) -> Settings:
    """Settings from CLEARANCE_* names given without their prefix."""
    return Settings.from_environment({f"CLEARANCE_{name}": text for name, text in given.items()})


def refusal(**given: str) -> str:
    """What is said about settings that cannot be used."""
    with pytest.raises(SettingsError) as refused:
        read(**given)
    return str(refused.value)


def test_numbers_are_read_as_numbers() -> None:
    """A deadline, a limit and a size from the environment are numbers that can be reckoned with."""
    settings = read(STAGE_DAYS="1.5", RETENTION_DAYS_MAX="30", SHARD_OBJECTS="7")
    assert settings.deadline(Stage.PURPOSE_REVIEW) == timedelta(hours=36)
    assert (settings.retention_days_max, settings.shard_objects) == (30, 7)


def test_a_gate_of_its_own_deadline() -> None:
    """A gate's own deadline wins over that of all stages, and only at that gate."""
    settings = read(STAGE_DAYS="10", CONFLICT_SIGNOFF_DAYS="2")
    days = [settings.deadline(stage).days for stage in GATES]
    assert days == [10, 10, 2, 10]


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(
    "text", ["zero", "0", "-1", "nan", "inf", "1e400", "999999999", "1,5", " "]
)
def test_bad_numbers_are_refused_by_name(name: str, text: str) -> None:
    """A number that no deadline or limit could be is refused, and by name."""
    assert f"CLEARANCE_{name} must be" in refusal(**{name: text})


@given(days=st.floats(min_value=1e-6, max_value=36_500))
def test_any_accepted_deadline_can_be_reckoned_with(days: float) -> None:
    """Every number of days that is accepted makes a deadline."""
    assert read(STAGE_DAYS=repr(days)).deadline(Stage.LEGAL_APPROVAL) >= timedelta(0)


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("STAGE_DAY", "STAGE_DAYS"), ("SIGNIN_KEY", "SIGNING_KEY"), ("DATABASE_URI", "DATABASE_URL")],
)
def test_misspelt_names_are_refused_with_the_right_one(wrong: str, meant: str) -> None:
    """A misspelt setting stops the program and the message names the one that was meant."""
    assert refusal(**{wrong: "1"}).endswith(f"Did you mean CLEARANCE_{meant}?")


def test_a_name_like_no_other_is_answered_with_all() -> None:
    """A name that resembles no setting is answered with the names of all."""
    told = refusal(XQZ="1")
    assert "CLEARANCE_STAGE_DAYS" in told
    assert "CLEARANCE_PAYLOAD_KEYS" in told


def test_an_empty_value_counts_as_not_set() -> None:
    """An empty variable leaves the default in place."""
    assert read(STAGE_DAYS="", LOG_LEVEL="").stage_days == Settings().stage_days


def test_log_levels_are_checked() -> None:
    """A log level that does not exist is refused with those that do."""
    assert "DEBUG, INFO, WARNING, ERROR" in refusal(LOG_LEVEL="LOUD")
    assert read(LOG_LEVEL="debug").log_level == "debug"


def test_places_default_under_home(tmp_path: Path) -> None:
    """Database, store and packages lie under home unless a place of their own is given."""
    settings = read(HOME=str(tmp_path), STORE_URL="file:///elsewhere")
    assert settings.database_url == f"sqlite+aiosqlite:///{tmp_path}/clearance.sqlite3"
    assert settings.delivery_url == f"file://{tmp_path}/delivered"
    assert settings.store_url == "file:///elsewhere"


def test_keys_are_never_shown() -> None:
    """The text form of settings, as logs would show it, holds none of the secrets."""
    names = ("TOKEN", "DECISION_KEY", "SIGNING_KEY", "PSEUDONYM_KEY", "PAYLOAD_KEYS")
    shown = repr(read(**dict.fromkeys(names, "hush-canary")))
    assert "hush-canary" not in shown


def test_other_programs_variables_are_left_alone() -> None:
    """A variable without the prefix is nobody's business here."""
    assert Settings.from_environment({"STAGE_DAYS": "none", "PATH": "/bin"}).stage_days == 14.0


def test_bytes_may_be_many() -> None:
    """A limit of bytes a second and a quota of bytes take numbers that days do not, and no 0."""
    settings = read(EXPORT_BYTES_PER_SECOND="50000000", STAGING_BYTES_MAX="2000000000000")
    assert settings.export_bytes_per_second == 50_000_000
    assert settings.staging_bytes_max == 2_000_000_000_000
    assert "above 0" in refusal(EXPORT_BYTES_PER_SECOND="0")
    assert "at most" in refusal(RETENTION_DAYS_MAX="2000000000000")
