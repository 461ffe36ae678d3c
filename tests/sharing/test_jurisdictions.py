"""Jurisdiction rules: what the law of a subject's place asks of consent."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sharing import jurisdiction_file
from sharing.consent import Action, Question
from sharing.jurisdiction import Needs, Rules
from sharing.jurisdiction_file import JurisdictionError, in_force, read, use
from sharing.stages import Exclusion
from tests.sharing.subjects import ASKED, AT, NO, YES, excluded

PLAIN = replace(ASKED, purpose="dpv:AcademicResearch", category="pd:Location", explicit=False)
AI = replace(PLAIN, purpose="ai:ModelTraining")
SPECIAL = replace(PLAIN, special_category=True)
FACES = replace(PLAIN, purpose="ai:FaceRecognition")
PRINTS = replace(PLAIN, category="pd:FacialPrint")
NOTHING, EXPLICIT, WRITTEN, NEVER = Needs.NOTHING, Needs.EXPLICIT, Needs.WRITTEN, Needs.NEVER
EU = [
    "AT",
    "BE",
    "BG",
    "CY",
    "CZ",
    "DE",
    "DK",
    "EE",
    "ES",
    "FI",
    "FR",
    "GR",
    "HR",
    "HU",
    "IE",
    "IT",
    "LT",
    "LU",
    "LV",
    "MT",
    "NL",
    "PL",
    "PT",
    "RO",
    "SE",
    "SI",
    "SK",
]

GOOD = """
[[version]]
version = "1"
from = 2025-01-01
reviewed_by = "counsel"
[version.groups]
TWO = ["AA", "BB"]
[version.places]
known = ["CC"]
[version.subdivisions]
CC = ["CC-X", "CC-Y"]
[[version.rule]]
name = "first"
where = ["CC-X", "TWO"]
purposes = ["dpv:Marketing"]
needs = "written"
because = "a law"
"""


@pytest.fixture(autouse=True)
def _as_packaged() -> Iterator[None]:
    yield
    use(None)


@pytest.mark.parametrize(
    ("place", "plain", "ai", "special", "faces", "prints"),
    [
        *((place, NOTHING, EXPLICIT, EXPLICIT, EXPLICIT, EXPLICIT)
          for place in ("EU", "DE", "IE", "NO", "IS", "LI", "GB", "CH", "BR", "FR-75")),
        *((place, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING)
          for place in ("CA", "CA-QC", "AU", "JP", "NZ", "US-CA", "US-NY")),
        ("US-IL", NOTHING, NOTHING, NOTHING, WRITTEN, WRITTEN),
        ("US-WA", NOTHING, NOTHING, NOTHING, WRITTEN, WRITTEN),
        ("US-TX", NOTHING, NOTHING, NOTHING, WRITTEN, NEVER),
        ("US", NOTHING, NOTHING, NOTHING, WRITTEN, WRITTEN | NEVER),  # any of its states
        *((place, NEVER, NEVER, NEVER, NEVER, NEVER)
          for place in (None, "", "XX", "US-ZZ", "XX-YY", "eu", "UK", "DE ", "EU-DE", "CN", "*")),
    ],
)  # fmt: skip
def test_packaged_rules(
    place: str | None, plain: Needs, ai: Needs, special: Needs, faces: Needs, prints: Needs
) -> None:
    """What each kind of place asks for, question by question; what is not known is never."""
    rules = in_force()
    questions = (PLAIN, AI, SPECIAL, FACES, PRINTS)
    assert [rules.needs(place, q) for q in questions] == [plain, ai, special, faces, prints]
    assert rules.known(place) is (plain is not NEVER)


def test_all_members_of_the_union_are_known() -> None:
    """The 27 members of the EU, and its name, ask for the same."""
    rules = in_force()
    assert rules.groups["EU"] == set(EU)
    assert len(EU) == 27
    assert {rules.needs(place, SPECIAL) for place in (*EU, "EU")} == {EXPLICIT}


@pytest.mark.parametrize("place", ["EU", "US", "CA", None])
def test_minors_are_never_exported(place: str | None) -> None:
    """Wherever a minor is, and whatever is asked."""
    assert all(in_force().needs(place, q, minor=True) is NEVER for q in (PLAIN, FACES))


@pytest.mark.parametrize(
    ("asked", "place", "explicit", "method", "goes"),
    [
        (PLAIN, "DE", False, None, True),
        (SPECIAL, "DE", False, None, False),
        (SPECIAL, "DE", True, None, True),
        (SPECIAL, "CA", False, None, True),
        (FACES, "US-CA", True, None, True),
        (FACES, "US-IL", True, None, False),
        (FACES, "US-IL", True, "web_form", False),
        (FACES, "US-IL", True, "written_release", True),
        (FACES, "US-IL", False, "written_release", True),
        (FACES, "US", True, "web_form", False),
        (PRINTS, "US-TX", True, "written_release", False),
        (PLAIN, "XX", True, "written_release", False),
    ],
)
def test_consent_must_be_what_the_place_asks_for(
    asked: Question, place: str, explicit: bool, method: str | None, goes: bool
) -> None:
    """Data goes only where consent was expressed as the law of the subject's place asks for."""
    said = replace(
        YES, purpose=asked.purpose, category=asked.category, jurisdiction=place,
        explicit=explicit, method=method,
    )  # fmt: skip
    assert excluded(said, asked=asked) is (None if goes else Exclusion.JURISDICTION)


def test_a_no_needs_no_law() -> None:
    """Who said no is left out for that, whatever the law of the place would say."""
    for action in (Action.WITHDRAWN, Action.REVOKED):
        no = replace(NO, action=action, jurisdiction="XX")
        assert excluded(YES, no) == action.value


def rules_of(text: str) -> Rules:
    """The only version in a file."""
    (rules,) = read(text)
    return rules


def test_a_rule_holds_where_it_says_and_in_all_parts_of_it() -> None:
    """In a named part, in every member of a group, and wherever a subject may be in one of those;
    not beside it, and not for another question."""
    rules = rules_of(GOOD)
    asked = replace(PLAIN, purpose="dpv:Marketing")
    found = {p: rules.needs(p, asked) for p in ("CC-X", "CC-Y", "CC", "AA", "AA-1", "BB", "TWO")}
    assert found.pop("CC-Y") is NOTHING
    assert set(found.values()) == {WRITTEN}
    assert rules.needs("CC-X", PLAIN) is NOTHING
    assert rules.needs("CC-Z", asked) is NEVER
    one = rules_of(GOOD.replace('where = ["CC-X", "TWO"]', 'where = ["AA"]'))
    assert one.needs("TWO", asked) is WRITTEN, "it may be AA"
    assert one.needs("BB", asked) is NOTHING


def test_a_rule_about_a_part_holds_for_the_whole() -> None:
    """A rule on targeted advertising holds for a question about all marketing, and the reverse."""
    rules = rules_of(GOOD.replace("dpv:Marketing", "dpv:Advertising"))
    for purpose in ("dpv:Marketing", "dpv:TargetedAdvertising"):
        assert rules.needs("AA", replace(PLAIN, purpose=purpose)) is WRITTEN
    assert rules.needs("AA", replace(PLAIN, purpose="dpv:DirectMarketing")) is NOTHING


def test_rules_without_a_subject_matter_hold_always() -> None:
    """A rule that names no purpose, no category and nothing special is about every question."""
    rules = rules_of(GOOD.replace('purposes = ["dpv:Marketing"]\n', ""))
    assert rules.needs("AA", PLAIN) is WRITTEN


def later(text: str, version: str, begins: str) -> str:
    """The same rules as another version, that asks for never."""
    changed = text.replace('version = "1"', f'version = "{version}"')
    return changed.replace("2025-01-01", begins).replace('"written"', '"never"')


def test_the_version_in_force_is_the_latest_that_has_begun(tmp_path: Path) -> None:
    """By day, in UTC, in whatever order they are written; before the first, nothing is known."""
    path = tmp_path / "rules.toml"
    path.write_text(later(GOOD, "2", "2026-06-01") + GOOD)
    use(path)
    asked = replace(PLAIN, purpose="dpv:Marketing")

    def at(*moment: int) -> Needs:
        return in_force(datetime(*moment, tzinfo=UTC)).needs("AA", asked)  # type: ignore[misc,arg-type]

    assert at(2024, 12, 31, 23, 59, 59) is NEVER
    assert in_force(datetime(2024, 12, 31, tzinfo=UTC)).needs("CC", PLAIN) is NEVER
    assert at(2025, 1, 1) is WRITTEN
    assert at(2026, 5, 31, 23, 59, 59) is WRITTEN
    assert at(2026, 6, 1) is NEVER
    assert in_force(AT).version == "2"
    use(None)
    assert in_force(AT).known("EU")


def test_the_digest_is_of_what_decides() -> None:
    """Another reviewer or law behind a rule is the same digest; whatever changes an answer is
    another one."""
    digest = rules_of(GOOD).digest()
    for old, new in [("counsel", "another"), ("a law", "its law")]:
        assert rules_of(GOOD.replace(old, new)).digest() == digest
    for old, new in [
        ('"written"', '"never"'), ('"CC-X", "TWO"', '"CC-X"'), ('["CC"]', '["CC", "DD"]'),
        ('["AA", "BB"]', '["AA"]'), ('"CC-Y"]', '"CC-Z"]'), ("dpv:Marketing", "dpv:Advertising"),
    ]:  # fmt: skip
        assert old in GOOD
        assert rules_of(GOOD.replace(old, new)).digest() != digest, new


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (GOOD, "", "holds no rules"),
        (GOOD, "version = 1", "holds no rules"),
        (GOOD, "[[version]", "not TOML"),
        (GOOD, GOOD + GOOD, "one name, or begin on one day"),
        (GOOD, "rules = 1\n" + GOOD, "'rules' is not known"),
        ('version = "1"\n', "", "say `version`"),
        ("from = 2025-01-01", 'from = "soon"', "must be a day"),
        ("from = 2025-01-01", "from = 2025-01-01T00:00:00Z", "must be a day"),
        ('reviewed_by = "counsel"', "", "say `reviewed_by`"),
        ('reviewed_by = "counsel"', 'reviewed_by = " "', "say `reviewed_by`"),
        ('known = ["CC"]', 'known = ["cc"]', "'cc' is no code"),
        ('known = ["CC"]', 'known = "CC"', "must be a list"),
        ('known = ["CC"]', "known = []", "list CC as a place"),
        ('"CC-Y"', '"DD-Y"', "only its own parts"),
        ('TWO = ["AA"', 'CC = ["AA"', "CC is a country too"),
        ('where = ["CC-X", "TWO"]', 'where = ["CC-Z"]', "rule first: CC-Z is not among"),
        ('where = ["CC-X", "TWO"]', "where = []", "rule first: `where` names no place"),
        ('where = ["CC-X", "TWO"]', "", "rule first: `where` names no place"),
        ("dpv:Marketing", "dpv:Fun", "rule first: dpv:Fun is not in the vocabulary"),
        ('["dpv:Marketing"]', '"dpv:Marketing"', "rule first: `purposes` must be a list"),
        ('"written"', '"a smile"', "rule first: `needs` must be one of explicit, written, never"),
        ('"written"', "[]", "rule first: `needs` must be one of explicit, written, never"),
        ('needs = "written"\n', "", "rule first: `needs` must be one of explicit, written, never"),
        ('because = "a law"', "", "rule first: say `because`"),
        ('because = "a law"', 'because = "a law"\nminors = "fine"', "'minors' is not known"),
        ('because = "a law"', 'because = "a law"\nspecial = "yes"', "`special` must be true"),
        ('name = "first"', "", "a rule of version 1: say `name`"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, old: str, new: str, told: str) -> None:
    """A file that cannot be used is refused with a sentence, and then nothing has changed."""
    assert old in GOOD
    path = tmp_path / "rules.toml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(JurisdictionError) as refused:
        use(path)
    assert told in str(refused.value)
    assert str(refused.value).endswith(".")
    assert in_force().known("EU")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """A path that leads nowhere is refused, not skipped."""
    with pytest.raises(JurisdictionError, match="cannot be read"):
        use(tmp_path / "nowhere.toml")


def test_every_packaged_rule_names_its_law() -> None:
    """Versions say who reviewed them, and rules say why; no two rules have one name."""
    packaged = Path(jurisdiction_file.__file__).with_name("jurisdictions.toml").read_text()
    for rules in read(packaged):
        assert rules.reviewed_by
        assert len({rule.name for rule in rules.rules}) == len(rules.rules)
        assert all(len(rule.because) > 10 for rule in rules.rules)
