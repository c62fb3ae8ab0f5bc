"""Lifeline: when to stop, because somebody said so or because the process that started this one has gone."""

import select


class Lifeline:
    """Set by ``set()``, or when the other end of the pipe ``file`` closes; its holder writes nothing to it."""

    def __init__(self, file: int | None = None) -> None:
        self._is_set = False
        self._poll = select.poll()
        if file is not None:
            self._poll.register(file, select.POLLIN)

    def set(self) -> None:
        self._is_set = True

    def is_set(self) -> bool:
        self._is_set = self._is_set or bool(self._poll.poll(0))
        return self._is_set
