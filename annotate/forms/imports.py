"""Forms of prompts and imports."""

from __future__ import annotations

from io import BytesIO
from typing import Any, BinaryIO

from django import forms
from django.conf import settings
from django.template.defaultfilters import filesizeformat

from annotate.imports.presets.mapped import ROLES
from annotate.imports.presets.table import PRESETS
from annotate.imports.rows import MAX_PROMPT_CHARACTERS, Options
from annotate.imports.shapes import MAX_TAG
from annotate.models import Import
from annotate.models.projects import SCALE_MAXIMUM

CONTENTS = [(key, label) for key, label in Import.Contents.choices if key in PRESETS]
GENERAL = ("prompts", "pairs", "mapped")  # what a file may be that is of no known format
KNOWN_FORMATS = [label for key, label in CONTENTS if key not in GENERAL]


class TagsField(forms.CharField):
    """Tags with commas between them; cleans to a list."""

    def __init__(self, *, help_text: str) -> None:
        super().__init__(label="Tags", required=False, help_text=help_text)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        tags = [tag.strip() for tag in super().clean(value).split(",") if tag.strip()]
        for tag in tags:
            if len(tag) > MAX_TAG:
                raise forms.ValidationError(f"The tag “{tag[:30]}…” has {len(tag)} characters; the limit is {MAX_TAG}.")
        return list(dict.fromkeys(tags))


class UploadForm(forms.Form):
    file = forms.FileField(
        required=False, help_text="JSON Lines, JSON, CSV, Parquet or plain text; each may be gzip’d."
    )
    text = forms.CharField(
        label="Or paste text",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text="One prompt a line, or any of the formats above.",
    )
    contents = forms.ChoiceField(
        label="What is in it",
        required=False,
        choices=[("", "Find out from the first row"), *CONTENTS],
    )

    def __init__(self, *args: Any, sent_bytes: int = 0) -> None:
        """`sent_bytes` is the size of the request: a file that was dropped for its size shows in nothing else."""
        super().__init__(*args)
        self.sent_bytes = sent_bytes

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if not file and self.sent_bytes > settings.MAX_UPLOAD_BYTES:
            raise forms.ValidationError(
                f"The file has about {filesizeformat(self.sent_bytes)}; the largest that is taken has "
                f"{filesizeformat(settings.MAX_UPLOAD_BYTES)}. Split it."
            )
        return file

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if not self.errors and bool(data.get("file")) == bool(data.get("text", "").strip()):
            both = data.get("file")
            raise forms.ValidationError(
                "Choose a file or paste text, not both." if both else "Choose a file or paste some text."
            )
        return data

    def content(self) -> tuple[BinaryIO, str]:
        """(what to read, the file's name; empty for pasted text)."""
        file = self.cleaned_data["file"]
        if file:
            return file, file.name
        return BytesIO(self.cleaned_data["text"].encode()), ""


class OptionsForm(forms.Form):
    """The preview's settings. `columns` are the fields that the file's first row has."""

    format = forms.ChoiceField(choices=Import.Format)
    contents = forms.ChoiceField(label="What is in it", choices=CONTENTS)
    column = forms.ChoiceField(label="Field with the prompt", required=False)
    tags = TagsField(help_text="Put on every prompt of this file, with commas between them.")
    source = forms.CharField(required=False, max_length=120, help_text="Where the prompts come from.")
    id_prefix = forms.CharField(
        label="Prefix for ids",
        required=False,
        max_length=60,
        help_text="Put before each id, when another file has used the same ids.",
    )
    keep_responses = forms.BooleanField(label="Keep responses that come with the prompts", required=False)
    points = forms.TypedChoiceField(
        label="Scale of the preferences",
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", "Which is better, not by how much"), *((number, f"{number} points") for number in SCALE_MAXIMUM)],
    )

    def __init__(self, job: Import, columns: list[str], data: Any = None) -> None:
        initial = {"format": job.format, "contents": job.contents, **job.options}
        super().__init__(data, initial=initial)
        names = list(dict.fromkeys([*columns, *filter(None, [job.options.get("column", "")])]))
        choices = [("", "Find out from its name"), *((name, name) for name in names)]
        self.fields["column"] = forms.ChoiceField(label="Field with the prompt", required=False, choices=choices)
        chosen = job.options.get("columns", {})
        choices = [("", "—"), *((name, name) for name in dict.fromkeys([*columns, *chosen.values()]))]
        for role, label in ROLES.items():
            field = forms.ChoiceField(label=label, required=False, choices=choices, initial=chosen.get(role, ""))
            self.fields[f"column-{role}"] = field

    def role_fields(self) -> list[forms.BoundField]:
        """The columns of a file of no known format, and the scale they use."""
        return [*(self[f"column-{role}"] for role in ROLES), self["points"]]

    def usual_fields(self) -> list[forms.BoundField]:
        return [field for field in self if not field.name.startswith("column-") and field.name != "points"]

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if data.get("contents") == Import.Contents.MAPPED and not data.get("column-prompt"):
            self.add_error("column-prompt", "Choose the column with the prompts.")
        return data

    def options(self) -> Options:
        data = self.cleaned_data
        return Options(
            column=data["column"],
            tags=data["tags"],
            source=data["source"],
            id_prefix=data["id_prefix"],
            keep_responses=data["keep_responses"],
            columns={role: column for role in ROLES if (column := data[f"column-{role}"])},
            points=data["points"],
        )


class PromptForm(forms.Form):
    """One prompt written by hand. Its length is checked where every prompt's is, in the service."""

    text = forms.CharField(label="Prompt", widget=forms.Textarea(attrs={"rows": 8}))
    system = forms.CharField(
        label="System text",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=f"Shown to the model before the prompt. Both together may have {MAX_PROMPT_CHARACTERS:,} characters.",
    )
    tags = TagsField(help_text="With commas between them.")


class PromptFilterForm(forms.Form):
    q = forms.CharField(label="Text", required=False, max_length=200)
    tag = forms.CharField(required=False, max_length=MAX_TAG)
    before = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)
