"""What consent is judged by here: the vocabulary and the jurisdiction rules of this deployment."""

from sharing import jurisdiction_file, vocabulary
from sharing.settings import Settings, SettingsError


def take_up(settings: Settings) -> None:
    """Puts a deployment's own files in force, once, where a process starts.

    Raises SettingsError with the setting, the file, and what is wrong in it.
    """
    try:
        vocabulary.use(settings.vocabulary)
    except vocabulary.VocabularyError as failure:
        raise SettingsError(f"CLEARANCE_VOCABULARY: {settings.vocabulary}: {failure}") from None
    try:
        jurisdiction_file.use(settings.jurisdictions)
    except jurisdiction_file.JurisdictionError as failure:
        told = f"CLEARANCE_JURISDICTIONS: {settings.jurisdictions}: {failure}"
        raise SettingsError(told) from None
