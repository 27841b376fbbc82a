"""The keys of the judging page as each person has set them. Digits and the keys of the kinds stay as they are."""

from collections.abc import Mapping
from typing import Any

# action: (its key unless changed, what it does)
KEYS = {
    "skip": ("s", "Skip"),
    "undo": ("u", "Undo"),
    "flag": ("f", "Flags"),
    "why": ("r", "Write why"),
    "guidelines": ("g", "Guidelines"),
    "linked": ("l", "Scroll both together"),
    "words": ("x", "Compare word by word"),
    "source": ("m", "Show as written"),
    "folded": ("t", "Fold the prompt"),
    "search": ("/", "Find in all texts"),
    "keys": ("?", "List of keys"),
}
TAKEN = {
    **{str(digit): "answers a task" for digit in range(10)},
    "=": "ties responses in a ranking",
    **dict.fromkeys("cdenopw", "belongs to one of the kinds of task"),
}


def keys_of(preferences: Mapping[str, Any]) -> dict[str, str]:
    """{action: key} for this person."""
    chosen = preferences.get("keys", {})
    return {action: chosen.get(action, standard) for action, (standard, _) in KEYS.items()}


def collisions(chosen: Mapping[str, str]) -> dict[str, str]:
    """{action: what is wrong with its key}; empty when every action has a key of its own."""
    problems, owners = {}, dict[str, str]()
    for action, key in chosen.items():
        if len(key) != 1 or not key.isprintable() or key.isspace():
            problems[action] = "Give one character that you can type without Ctrl or Alt."
        elif key in TAKEN:
            problems[action] = f"“{key}” {TAKEN[key]} and cannot be changed. Choose another key."
        elif key in owners:
            problems[action] = f"“{key}” is the key of “{KEYS[owners[key]][1]}” already. Choose another."
        owners.setdefault(key, action)
    return problems
