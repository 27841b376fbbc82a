"""What the programs of `manage.py serve` write, on one terminal: each line behind the name of its program."""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TextIO

COLOURS = (36, 35, 34, 33, 32, 31)


@dataclass
class LogTail:
    """The growing end of one log file, from the moment this is made; follows the file through a rotation."""

    path: Path
    handle: BinaryIO | None = field(default=None, init=False)
    partial: bytes = field(default=b"", init=False)

    def __post_init__(self) -> None:
        if self.path.exists():
            self.handle = self.path.open("rb")
            self.handle.seek(0, os.SEEK_END)

    def lines(self) -> list[str]:
        """The whole lines written since the last call."""
        if self.handle is None:
            if not self.path.exists():
                return []
            self.handle = self.path.open("rb")
        data = self.partial + self.handle.read()
        if self._was_rotated():
            self.handle.close()
            self.handle = None
        *whole, self.partial = data.split(b"\n")
        return [line.decode(errors="replace").rstrip() for line in whole]

    def _was_rotated(self) -> bool:
        assert self.handle is not None
        try:
            return os.stat(self.path).st_ino != os.fstat(self.handle.fileno()).st_ino
        except FileNotFoundError:
            return True


class Output:
    """Prints what the programs' logs gain. Colours the names on a terminal."""

    def __init__(self, logs: Path, names: list[str], stream: TextIO = sys.stdout) -> None:
        self.tails = {name: LogTail(logs / f"{name}.log") for name in names}
        self.width = max(len(name) for name in names)
        self.stream = stream

    def forward(self) -> None:
        for index, (name, tail) in enumerate(self.tails.items()):
            for line in tail.lines():
                print(f"{self._label(name, index)} {line}", file=self.stream)
        self.stream.flush()

    def _label(self, name: str, index: int) -> str:
        label = f"{name:<{self.width}} |"
        return f"\033[{COLOURS[index % len(COLOURS)]}m{label}\033[0m" if self.stream.isatty() else label
