"""The types of a form's columns, in words that need no library: a list holds what its entry is, a mapping has fields.

A file format that has types of its own (Parquet) translates them; JSON Lines need none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Leaf = Literal["text", "integer", "number", "boolean", "json"]  # json: whatever it is, kept as its JSON text
Type = Leaf | list[Any] | Mapping[str, Any]
Columns = Mapping[str, Type]

MESSAGES: Type = [{"role": "text", "content": "text"}]
