"""What is judged by here: the vocabulary, the jurisdiction rules and the agreement's template of
this deployment."""

from collections.abc import Callable
from pathlib import Path

from sharing import agreement_file, jurisdiction_file, vocabulary
from sharing.settings import PREFIX, Settings, SettingsError

# In this order: the rules speak in the vocabulary's words.
_FILES: tuple[tuple[str, Callable[[Path | None], None], type[ValueError]], ...] = (
    ("vocabulary", vocabulary.use, vocabulary.VocabularyError),
    ("jurisdictions", jurisdiction_file.use, jurisdiction_file.JurisdictionError),
    ("agreement_template", agreement_file.use, agreement_file.AgreementError),
)


def take_up(settings: Settings) -> None:
    """Puts a deployment's own files in force, once, where a process starts.

    Raises SettingsError with the setting, the file, and what is wrong in it.
    """
    for name, use, error in _FILES:
        path = getattr(settings, name)
        try:
            use(path)
        except error as failure:
            raise SettingsError(f"{PREFIX}{name.upper()}: {path}: {failure}") from None
