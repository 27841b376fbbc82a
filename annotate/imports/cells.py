"""Cells of a CSV that hold more than text: lists of messages, objects."""

from __future__ import annotations

import json
from typing import Any


def unpack_cells(value: Any) -> Any:
    """The row with every cell read that is a JSON object, or a JSON list of objects; any other stays the text it is."""
    if not isinstance(value, dict):
        return value
    return {name: _unpacked(cell) for name, cell in value.items()}


def _unpacked(cell: Any) -> Any:
    if not isinstance(cell, str) or not cell.lstrip().startswith(("{", "[")):
        return cell
    try:
        found = json.loads(cell)
    except (ValueError, RecursionError):
        return cell
    if isinstance(found, dict):
        return found
    is_objects = isinstance(found, list) and found and all(isinstance(item, dict) for item in found)
    return found if is_objects else cell
