"""Prompts in the shapes that are found row by row, with the responses that came with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from annotate.imports.pairs import read_pair
from annotate.imports.rows import JudgedRow, Options
from annotate.imports.shapes import read_prompt


def read_prompts(value: Any, options: Options) -> Sequence[JudgedRow]:
    row = read_prompt(value, options)
    return [JudgedRow(replace(row, responses=()), row.responses)]


def read_pairs(value: Any, options: Options) -> Sequence[JudgedRow]:
    return [read_pair(value, options)]
