"""A template that cannot be used is refused with the key and the cure."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sharing import agreement_file, policy
from sharing.agreement import drafted
from sharing.agreement_file import AgreementError, in_force, read
from sharing.settings import Settings, SettingsError
from tests.walk import BODY

PACKAGED = Path(agreement_file.__file__).with_name("agreement.toml").read_text()
PURPOSE = 'purpose = "{purpose}"'
BREACH = 'within = "72 hours"\nafter = "breach"'


@pytest.fixture(autouse=True)
def _as_packaged() -> Iterator[None]:
    yield
    agreement_file.use(None)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("version =", "verson =", "'verson' is not known. Use version, title"),
        ('version = "2026-11"', "", "say `version` in words"),
        ('version = "2026-11"', "version = 3", "say `version` in words"),
        ("{dataset}", "{data}", "the file, `text`: {data} is not known. Use {partner}"),
        ("{dataset}", "{dataset", "a brace stands alone"),
        (PURPOSE, 'purpos = "x"', "permission use: 'purpos' is not known"),
        ('odrl = "use"', 'odrl = "using"', "permission use: `odrl` must be one of aggregate"),
        ('when = "trains_models"', 'when = "mondays"', "`when` must be one of trains_models"),
        (BREACH, 'within = "3 weeks"\nafter = "breach"', "duty notify_breach: `within` must be"),
        (BREACH, 'within = "0 days"\nafter = "breach"', "duty notify_breach: `within` must be"),
        (BREACH, 'within = "72 hours"', "count from `after`: give that too"),
        (BREACH, 'within = "72 hours"\nafter = "lunch"', "`after` must be one of delivery"),
        (BREACH, 'after = "breach"', "duty notify_breach: say when it is due"),
        (PURPOSE, BREACH, "permission use: `within` and `every` are for duties"),
        ('"notify_breach"', '"Notify!"', "`action` must be small letters"),
        ('"notify_breach"', '"tell"', "duty notify_breach is missing: add [[duty]]"),
        ('"combine_with_other_data"', '"re_identify"', "re_identify is there twice"),
        ('unless = "trains_models"', 'when = "trains_models"', "train_models must always be there"),
        (BREACH, f'{BREACH}\nunless = "trains_models"', "notify_breach must always be there"),
        ("[[duty]]", "[[dutie]]", "'dutie' is not known"),
        ("title =", "title", "it is not TOML"),
    ],
)
def test_a_bad_template_is_told(old: str, new: str, told: str) -> None:
    """Each mistake is told with the term, the key, and what would do."""
    assert old in PACKAGED
    with pytest.raises(AgreementError) as failure:
        read(PACKAGED.replace(old, new))
    assert told in str(failure.value)


def test_terms_are_tables() -> None:
    """A term that is written as a text is told how to write it."""
    with pytest.raises(AgreementError, match=r"write each duty as \[\[duty\]\]"):
        read('duty = "be nice"\n')


def test_an_own_template_takes_the_place(tmp_path: Path) -> None:
    """The file that the setting names makes the agreements, and the packaged one comes back."""
    file = tmp_path / "own.toml"
    file.write_text(PACKAGED.replace("2026-11", "ours-1"))
    policy.take_up(Settings(agreement_template=file))
    assert drafted(in_force(), BODY, "ptr", "P")["template"]["version"] == "ours-1"
    policy.take_up(Settings())
    assert in_force().version == "2026-11"


@pytest.mark.parametrize("text", ["?", None])
def test_a_bad_file_is_told_with_its_setting(tmp_path: Path, text: str | None) -> None:
    """The error names the setting and the file, and the template in force stays."""
    file = tmp_path / "own.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SettingsError, match=f"CLEARANCE_AGREEMENT_TEMPLATE: {file}: it"):
        policy.take_up(Settings(agreement_template=file))
    assert in_force().version == "2026-11"


def test_the_way_of_accepting_is_one_of_two() -> None:
    """A word that is no way of accepting stops the process, with the two that there are."""
    name = "CLEARANCE_AGREEMENT_ACCEPTANCE"
    assert Settings.from_environment({name: "signature"}).agreement_acceptance == "signature"
    with pytest.raises(SettingsError, match="must be submission or signature"):
        Settings.from_environment({name: "signatures"})
