"""A task held ahead, drawn from a frame: what its templates write for every such task, and the leaves of this one.

Tasks of one project differ on the page in a few values: the lease, its times, the texts. A frame is the area of the
judging page, drawn by its templates with marks in place of these leaves, cut at the marks and kept; a task is then its
leaves, each written as the templates write it, between the pieces. A frame is made from a `Scene` alone, so whatever
its templates can read is part of the key it is kept under (docs/decisions/0062).
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from django.template.loader import render_to_string
from django.utils.html import escape, json_script

from annotate.forms.answers.written import WrittenField
from annotate.forms.judging import SkipForm
from annotate.markdown import render_markdown
from annotate.models import Kind, Project, Prompt, Response
from annotate.preferences import KEYS, keys_of
from annotate.prepared import load
from annotate.services.answers.shown import LETTERS, Shown
from annotate.standing import Stage, Standing
from annotate.views.kinds import KINDS, kind_context

FRAMES_KEPT = 256
# Nobody can write it into a text or a setting. The star and the bracket come out otherwise from each way of writing.
MARK = f"Leaf{secrets.token_hex(12)}"
SCRIPT = '<script type="application/json">'


@dataclass(frozen=True)
class Scene:
    """All that the templates can read of a task held ahead, but its leaves."""

    kind: str
    project: tuple[Any, ...]  # its columns, as `statements.load` takes them
    keys: tuple[str, ...]  # of the person, in the order of KEYS
    standing: Standing | None  # where it says more than that they are at work
    roles: tuple[str, ...]  # of the messages
    has_system: bool
    responses: int
    warns_quick: bool


@dataclass(frozen=True)
class Leaf:
    """A value, after the piece that stands before it."""

    before: str
    name: str
    write: Callable[[str], str]


@dataclass(frozen=True)
class Frame:
    leaves: tuple[Leaf, ...]
    end: str

    def fill(self, values: Mapping[str, str]) -> str:
        """The area with these values; KeyError when one is missing."""
        parts = [part for leaf in self.leaves for part in (leaf.before, leaf.write(values[leaf.name]))]
        return "".join([*parts, self.end])


def see_scene(
    *,
    kind: str,
    project: Project,
    preferences: Mapping[str, Any],
    standing: Standing | None,
    prompt: Prompt,
    shown: Sequence[Shown],
    warns_quick: bool,
) -> Scene:
    says_nothing = standing is not None and standing.stage == Stage.WORK and not standing.warns
    return Scene(
        kind=kind,
        project=tuple(_plain(getattr(project, field.attname)) for field in Project._meta.concrete_fields),
        keys=tuple(keys_of(preferences).values()),
        standing=None if says_nothing else standing,
        roles=tuple(message["role"] for message in prompt.messages),
        has_system=bool(prompt.system),
        responses=len(shown),
        warns_quick=warns_quick,
    )


def text_leaves(kind: str, prompt: Prompt, shown: Sequence[Shown]) -> dict[str, str]:
    """The leaves that people and models have written."""
    leaves = {f"text{place}": entry.response.text for place, entry in enumerate(shown)}
    leaves |= {f"message{place}": message["content"] for place, message in enumerate(prompt.messages)}
    leaves["system"] = prompt.system
    if kind == Kind.EDIT:
        leaves["original"] = WrittenField().to_python(shown[0].response.text)
    return leaves


@lru_cache(maxsize=FRAMES_KEPT)
def make_frame(scene: Scene) -> Frame:
    """The frame of every task of this scene. Raises ValueError when a template changes a leaf in a way not foreseen."""
    names = ["lease", "held_until", "submission_id", "csrf_token", "least_seconds", "least_in_words"]
    names += ["system", "original"]
    names += [f"message{place}" for place in range(len(scene.roles))]
    names += [f"text{place}" for place in range(scene.responses)]
    return _cut(render_to_string("judging/judge.html#area", _context(scene)), names)


def _context(scene: Scene) -> dict[str, Any]:
    """What the templates are given for a real task, with marks for its leaves."""
    project = load(Project, scene.project)
    shown = [Shown(LETTERS[place], Response(text=_mark(f"text{place}")), place) for place in range(scene.responses)]
    initial = {"text": _mark("original")} if scene.kind == Kind.EDIT else {}
    messages = [{"role": role, "content": _mark(f"message{place}")} for place, role in enumerate(scene.roles)]
    user = SimpleNamespace(preferences={"keys": dict(zip(KEYS, scene.keys, strict=True))})
    return {
        **kind_context(scene.kind),
        "project": project,
        "lease": SimpleNamespace(pk=_mark("lease"), expires_at=SimpleNamespace(isoformat=_mark("held_until"))),
        "prompt": Prompt(messages=messages, system=_mark("system") if scene.has_system else ""),
        "form": KINDS[scene.kind].form(project=project, shown=shown, initial=initial),
        "skip_form": SkipForm(project=project),
        "submission_id": _mark("submission_id"),
        "least_seconds": _mark("least_seconds") if scene.warns_quick else 0,
        "least_in_words": _mark("least_in_words"),
        "standing": scene.standing,
        "is_ahead": True,
        "request": SimpleNamespace(user=user),
        "csrf_token": _mark("csrf_token"),
    }


def _cut(drawn: str, names: Sequence[str]) -> Frame:
    """The frame of what was drawn with the marks of these leaves."""
    written = {write(_mark(name)): (name, write) for name in names for write in (escape, prose, script)}
    pieces = re.split("({})".format("|".join(map(re.escape, written))), drawn)
    if lost := [piece for piece in pieces[::2] if MARK.casefold() in piece.casefold()]:
        raise ValueError(f"A leaf of the judging page is written in a way that no frame knows: {lost[0]!r}")
    leaves = [Leaf(before, *written[leaf]) for before, leaf in zip(pieces[:-1:2], pieces[1::2], strict=True)]
    return Frame(tuple(leaves), pieces[-1])


def prose(text: str) -> str:
    """As `{{ text|markdown }}` writes it."""
    return render_markdown(text or "")


def script(text: str) -> str:
    """As `{{ text|json_script }}` writes it, from its text on."""
    return json_script(text).removeprefix(SCRIPT)


def _mark(name: str) -> str:
    return f"{MARK}*{name}*<;"


def _plain(value: Any) -> Any:
    """A column's value as one that can be part of a key."""
    if isinstance(value, list):
        return tuple(value)
    return json.dumps(value) if isinstance(value, dict) else value
