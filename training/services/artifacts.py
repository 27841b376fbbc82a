"""The files of a model version. Workers only: fetching may load torch."""

from __future__ import annotations

import hashlib
from pathlib import Path

from django.conf import settings

from training.models import ModelVersion
from training.services.jobs import JobFailed
from training.services.run_directory import relative_to_artifacts


def ensure_files(model: ModelVersion) -> Path:
    """The folder of a model's files, fetched first where nobody has yet. Raises JobFailed with the reason."""
    folder = model.path()
    if folder is not None and (folder / "config.json").exists():
        return folder
    if not model.origin:
        raise JobFailed(
            f"The files of model “{model}” are gone: {folder} has no config.json. Restore them from a backup."
        )
    from training.algorithms.pretrained import materialise  # loads torch, which the default worker never does

    try:
        folder = materialise(model.origin, settings.ARTIFACTS_DIR / "base")
    except (OSError, ValueError) as error:
        raise JobFailed(f"Model “{model}” could not be fetched: {error}") from error
    model.folder = relative_to_artifacts(folder)
    model.file_hashes = hash_files(folder)
    model.save(update_fields=["folder", "file_hashes"])
    return folder


def hash_files(folder: Path) -> dict[str, str]:
    """{file name: sha256} of the files directly in a folder."""
    hashes = {}
    for path in sorted(folder.iterdir()):
        if path.is_file():
            with path.open("rb") as file:
                hashes[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashes
