"""The numbers by which rows made for tests differ."""


class Numbers:
    """1, 2, 3 …; each test begins anew, see `tests/jumble.py`."""

    at = 0

    def __iter__(self) -> "Numbers":
        return self

    def __next__(self) -> int:
        self.at += 1
        return self.at


NUMBERS = Numbers()
