"""``LoggingMixin``: a class's own logger."""

import logging


class LoggingMixin:
    """``self.log`` writes to the log of the task that runs, under the name of the class."""

    @property
    def log(self) -> logging.Logger:
        kind = type(self)
        return logging.getLogger(f"{kind.__module__}.{kind.__qualname__}")
