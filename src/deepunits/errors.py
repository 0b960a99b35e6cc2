"""The one kind of error that a user can put right."""


class UserError(ValueError):
    """One sentence that names what is wrong and says what to do about it.

    Scripts print it without a traceback and exit with status 1; any other exception is a bug in the code.
    """
