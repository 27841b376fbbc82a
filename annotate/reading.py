"""How long it takes at the very least to look through what a task shows."""

from __future__ import annotations

from collections.abc import Iterable

# Scanning for a word runs at about 600 words a minute, skimming at 450, reading at 300 (Carver, Reading Rate, 1990; 238
# for silent reading of prose in Brysbaert, How many words do we read per minute?, 2019); a word is 6 characters with
# its space. Nobody judges what they only scanned.
CHARACTERS_A_SECOND = 60
LEAST_WORTH_ASKING = 5.0  # seconds; a short text is taken in at a glance
MOST = 60.0  # seconds; of long texts a part may be enough to tell


def least_seconds(texts: Iterable[str]) -> float:
    """Seconds below which the texts cannot have been looked through; 0 where that says nothing."""
    seconds = sum(len(text) for text in texts) / CHARACTERS_A_SECOND
    return min(round(seconds, 1), MOST) if seconds >= LEAST_WORTH_ASKING else 0.0


def is_quick(active_seconds: float | None, texts: Iterable[str]) -> bool | None:
    """Whether an answer came before that; None when the time is not known."""
    return None if active_seconds is None else active_seconds < least_seconds(texts)
