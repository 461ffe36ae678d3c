"""Problems whose text is already the sentence, with the cure, that a person is to read."""


class Told(Exception):
    """Shown as it is, without a traceback."""
