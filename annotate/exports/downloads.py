"""One file of a snapshot: in which form and format, of which split, under which name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.utils.text import slugify

from annotate.exports.counts import FormCounts
from annotate.exports.formats import Format, find_format
from annotate.exports.forms import Form
from annotate.exports.lines import count_lines, export_objects, find_form, find_split
from annotate.models import Snapshot


@dataclass(frozen=True)
class Download:
    snapshot: Snapshot
    form: Form
    format: Format
    split: str | None  # None for both

    def pieces(self, *, pause: Callable[[int], None] = lambda count: None) -> Iterator[bytes]:
        """The bytes of the file, the same every time; `pause` as in stream_rows."""
        rows = export_objects(self.snapshot, self.form, self.split, pause=pause)
        return self.format.write(self.form.columns, rows)

    def counts(self) -> FormCounts:
        return count_lines(self.snapshot, self.form.name, self.split)

    @property
    def etag(self) -> str:
        return f'"{self.snapshot.content_hash}-{self.form.name}-{self.split or "all"}-{self.format.name}"'

    @property
    def filename(self) -> str:
        """A file name of plain ASCII whatever the project and the snapshot are called."""
        project = slugify(self.snapshot.project.name) or f"project-{self.snapshot.project_id}"
        name = slugify(self.snapshot.name) or f"snapshot-{self.snapshot.pk}"
        return "-".join(filter(None, [project, name, self.form.name, self.split])) + self.format.suffix


def find_download(snapshot: Snapshot, form: str, split: str | None = None, format: str | None = None) -> Download:
    """Raises UnknownForm, whose message names what there is, for a form, split or format that there is not."""
    found = find_form(form)
    return Download(snapshot, found, find_format(format, found), find_split(split))
