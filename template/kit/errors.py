"""The one exception that `python -m kit` shows to its user as a sentence instead of a traceback."""


class KitError(Exception):
    """Something that the user can put right; the text says what happened, where, and what to do."""
