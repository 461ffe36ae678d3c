"""Problems whose text is already the sentence, with the cure, that a person is to read."""


class Told(Exception):
    """Shown as it is, without a traceback."""


class WrongUsage(Told):
    """The command was called with something it cannot use: exit code 2."""
