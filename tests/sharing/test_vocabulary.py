"""The vocabulary: a tree of words with labels, extended by a file, never changed by one."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from sharing import vocabulary
from sharing.vocabulary import (
    CATEGORIES,
    PURPOSES,
    RECIPIENTS,
    Term,
    VocabularyError,
    covers,
    needs_explicit,
    overlap,
    use,
)

EVERY = {"purposes": PURPOSES, "categories": CATEGORIES, "recipients": RECIPIENTS}
# Consents that were given speak in these words: they must keep their meaning.
FIRST_PURPOSES = {
    "dpv:ServiceProvision": None, "dpv:Personalisation": "dpv:ServiceProvision",
    "dpv:ServiceOptimisation": "dpv:ServiceProvision", "dpv:EnforceSecurity": None,
    "dpv:FraudPreventionAndDetection": "dpv:EnforceSecurity", "dpv:Marketing": None,
    "dpv:TargetedAdvertising": "dpv:Marketing", "dpv:LegalCompliance": None,
    "dpv:ResearchAndDevelopment": None, "dpv:AcademicResearch": "dpv:ResearchAndDevelopment",
    "dpv:CommercialResearch": "dpv:ResearchAndDevelopment",
    "ai:AIDevelopment": "dpv:ResearchAndDevelopment", "ai:ModelTraining": "ai:AIDevelopment",
    "ai:ModelTesting": "ai:AIDevelopment", "ai:FaceRecognition": None,
    "ai:BiometricIdentification": None,
}  # fmt: skip
FIRST_CATEGORIES = {
    "pd:Picture": None, "pd:ProfilePicture": "pd:Picture", "pd:Location": None,
    "pd:Country": "pd:Location", "pd:Demographic": None, "pd:Age": "pd:Demographic",
    "pd:Gender": "pd:Demographic", "pd:Biometric": None, "pd:FacialPrint": "pd:Biometric",
    "pd:SexualPreference": None, "pd:Interest": None, "pd:Communication": None,
}  # fmt: skip
OWN = """
version = "7"
[purposes]
"own:Captions" = { label = "Training models that describe photos", parent = "ai:ModelTraining" }
"own:Short" = { label = "Short captions", parent = "own:Captions", description = "A line." }
"own:Art" = { label = "Making art" }
[recipients]
"own:Observatory" = { label = "Observatories", parent = "dpv:AcademicScientificOrganisation" }
"""


@pytest.fixture(autouse=True)
def _as_packaged() -> Iterator[None]:
    yield
    use(None)


def file(folder: Path, text: str) -> Path:
    """A file of vocabulary."""
    path = folder / "vocabulary.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("kind", EVERY)
def test_every_term_is_told_in_words(kind: str) -> None:
    """Each packaged term has a label of its own that is more than its name."""
    labels = [term.label for term in EVERY[kind].values()]
    assert len(set(labels)) == len(labels) > 10
    assert all(term.label[0].isupper() for term in EVERY[kind].values())


@pytest.mark.parametrize(
    ("words", "first"), [(PURPOSES, FIRST_PURPOSES), (CATEGORIES, FIRST_CATEGORIES)]
)
def test_first_terms_keep_their_meaning(
    words: Mapping[str, Term], first: dict[str, str | None]
) -> None:
    """Among the terms of the first day, a yes to one covers exactly what it covered then."""
    then = {name: Term(name, parent) for name, parent in first.items()}
    for wide in first:
        for narrow in first:
            assert covers(words, wide, narrow) == covers(then, wide, narrow), (wide, narrow)


def test_what_needs_explicit_consent() -> None:
    """Making AI, recognising faces and all biometric or special data, and nothing plainer."""
    for purpose in ("ai:ModelTraining", "ai:FaceRecognition", "ai:ModelFineTuning"):
        assert needs_explicit(purpose, "pd:Age", special_category=False)
    for category in ("pd:Biometric", "pd:Fingerprint", "pd:MentalHealth", "pd:Religion"):
        assert needs_explicit("dpv:Marketing", category, special_category=False)
    assert not needs_explicit("dpv:AcademicResearch", "pd:Location", special_category=False)


def test_a_file_adds_terms(tmp_path: Path) -> None:
    """A deployment's own terms join the packaged ones, below their parents, for all importers."""
    before, packaged = vocabulary.digest(), dict(PURPOSES)
    use(file(tmp_path, OWN))
    assert covers(PURPOSES, "dpv:ResearchAndDevelopment", "own:Short")
    assert PURPOSES["own:Short"].explicit, "handed down from model training"
    assert not PURPOSES["own:Art"].explicit
    assert covers(RECIPIENTS, "dpv:Organisation", "own:Observatory")
    assert {name: PURPOSES[name] for name in packaged} == packaged
    assert vocabulary.version().endswith("+7")
    assert vocabulary.digest() != before
    use(None)
    assert "own:Captions" not in PURPOSES
    assert vocabulary.digest() == before


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("version = 1", "no version"),
        ("", "no version"),
        ('version = "1', "not TOML"),
        ('version = "1"\nterms = 1', "'terms' is not known"),
        ('version = "1"\npurposes = 1', "must be a table"),
        ('[purposes]\n"own:A" = "a"', "own:A must be a table"),
        ('[purposes]\n"own:A" = {}', "own:A has no label"),
        ('[purposes]\n"own:A" = { label = " " }', "own:A has no label"),
        ('[purposes]\n"own:A" = { label = 1 }', "own:A: label must be text"),
        ('[purposes]\n"own:A" = { label = "a", explicit = 1 }', "explicit must be true or false"),
        ('[purposes]\n"own:A" = { label = "a", above = "own:B" }', "'above' is not known"),
        ('[purposes]\n"own:A" = { label = "a", parent = "own:B" }', "no term own:B"),
        ('[purposes]\n"own:A" = { label = "a", parent = "pd:Picture" }', "no term pd:Picture"),
        ('[purposes]\n"own:A" = { label = "a", parent = "own:A" }', "lies above itself"),
        (
            '[purposes]\n"own:A" = { label = "a", parent = "own:B" }\n'
            '"own:B" = { label = "b", parent = "own:A" }',
            "lies above itself",
        ),
        ('[purposes]\n"dpv:Marketing" = { label = "Nothing bad" }', "defined already"),
        ('[purposes]\n"ai:Fun" = { label = "Fun" }', "a prefix that is not yours"),
        ('[purposes]\n"Fun" = { label = "Fun" }', "is no term"),
        ('[recipients]\n"*:Fun" = { label = "Fun" }', "is no term"),
        (
            '[purposes]\n"own:A" = { label = "a", parent = "ai:ModelTraining", explicit = false }',
            "needs explicit consent",
        ),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, text: str, told: str) -> None:
    """A file that cannot be used is refused with a sentence, and then nothing has changed."""
    before = vocabulary.digest(), dict(PURPOSES)
    whole = text if text.startswith("version") or not text else f'version = "1"\n{text}'
    with pytest.raises(VocabularyError, match=told) as refused:
        use(file(tmp_path, whole))
    assert str(refused.value).endswith(".")
    assert (vocabulary.digest(), dict(PURPOSES)) == before


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """A path that leads nowhere is refused, not skipped."""
    with pytest.raises(VocabularyError, match="cannot be read"):
        use(tmp_path / "nowhere.toml")


def test_the_digest_is_of_what_decides(tmp_path: Path) -> None:
    """Another label is the same digest; another parent or flag is another, wherever it is run."""
    use(file(tmp_path, OWN))
    digest = vocabulary.digest()
    for old, new, same in [
        ("Making art", "Making good art", True),
        ('"own:Captions", description', '"own:Art", description', False),
        ('"Making art"', '"Making art", explicit = true', False),
    ]:
        assert old in OWN
        use(file(tmp_path, OWN.replace(old, new)))
        assert (vocabulary.digest() == digest) is same
    use(None)
    program = "from sharing import vocabulary; print(vocabulary.digest())"
    again = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert again.stdout.decode().strip() == vocabulary.digest()


def test_overlap_takes_the_unknown_for_possible() -> None:
    """Two words may mean the same thing where one lies above the other or is not known."""
    assert overlap(PURPOSES, "ai:ModelTraining", "dpv:ResearchAndDevelopment")
    assert overlap(PURPOSES, "dpv:ResearchAndDevelopment", "ai:ModelTraining")
    assert overlap(PURPOSES, "own:Gone", "ai:ModelTraining")
    assert not overlap(PURPOSES, "ai:ModelTraining", "ai:ModelTesting")


def test_no_worker_is_slowed_by_other_packages() -> None:
    """The vocabulary loads without a table, a database driver or a web framework: workflow code
    reaches it."""
    program = "import json, sys, sharing.vocabulary; print(json.dumps(list(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    loaded = {name.partition(".")[0] for name in json.loads(told.stdout)}
    assert not loaded & {"sqlmodel", "sqlalchemy", "pydantic", "fastapi", "temporalio"}
