"""What an import needs to know of a format of preference data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotate.imports.rows import JudgedRow, Options


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A way to read rows.

    fields     what it is recognised by, in words, for the preview
    recognise  whether a row of named fields is of this format
    read       what a row holds; raises RowRefused with the reason
    """

    fields: str
    recognise: Callable[[Mapping[str, Any]], bool]
    read: Callable[[Any, Options], Sequence[JudgedRow]]


def has(*names: str) -> Callable[[Mapping[str, Any]], bool]:
    """Recognises a row that has all of these fields."""
    return lambda row: set(names) <= row.keys()
