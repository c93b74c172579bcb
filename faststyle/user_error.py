"""What users can mend: the command line says it in one line, and shows the traceback of anything else."""


class UserError(ValueError):
    """An input, option or place that cannot be used; the message says which, why, and the way out."""
