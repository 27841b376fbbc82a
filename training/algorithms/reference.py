"""Log-probabilities under the reference policy: computed once, kept by content."""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from training.algorithms.groups import EncodedGroup
from training.algorithms.logprobs import sum_by_owner
from training.algorithms.loop import Stopped
from training.algorithms.models import Policy
from training.algorithms.packing import collate, micro_batches
from training.algorithms.processes import from_all, is_main, share


def attach_reference(
    policy: Policy,
    groups: Sequence[EncodedGroup],
    *,
    cache: Path,
    digest: str,
    budget: int,
    should_stop: Callable[[], bool],
) -> list[EncodedGroup]:
    """Give every group its completions' log-probabilities under `policy`, nats a completion.

    `cache` is a folder; its file for the model's `digest` maps the hash of the tokens to the value, so that other
    runs, other splits and a resumed run find what was computed; several processes share the work. Raises Stopped when
    asked to stop, after keeping what is done.
    """
    path = cache / f"{digest[:32]}.safetensors"
    known, mine = read_cache(path), share(groups)
    missing = [group for group in mine if any(key not in known for key in keys(group))]
    stopped, device = False, next(policy.parameters()).device
    with torch.no_grad():
        for chunk in micro_batches(missing, form=policy.form, budget=budget):
            if stopped := should_stop():
                break
            batch = collate(chunk, policy.form).to(device)
            values = sum_by_owner(policy(batch), batch.owners, sum(batch.counts)).tolist()
            known.update(zip((key for group in chunk for key in keys(group)), values, strict=True))
    own = {key: known[key] for group in mine for key in keys(group) if key in known}
    parts = from_all((stopped, bool(missing), own))
    for _, _, found in parts:
        known |= found
    if is_main() and any(computed for _, computed, _ in parts):
        write_cache(path, known)
    if any(stopped for stopped, _, _ in parts):
        raise Stopped
    return [replace(group, reference=tuple(known[key] for key in keys(group))) for group in groups]


def keys(group: EncodedGroup) -> list[str]:
    """A name for each completion that depends on its tokens and its prompt's tokens alone."""
    return [
        hashlib.sha256(repr((group.prompt, completion)).encode()).hexdigest()[:32] for completion in group.completions
    ]


def read_cache(path: Path) -> dict[str, float]:
    if not path.exists():
        return {}
    stored = load_file(path)
    names = bytes(stored["names"].flatten().tolist())
    return dict(
        zip((names[i : i + 16].hex() for i in range(0, len(names), 16)), stored["values"].tolist(), strict=True)
    )


def write_cache(path: Path, known: dict[str, float]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    names = torch.tensor(list(b"".join(bytes.fromhex(name) for name in known)), dtype=torch.uint8).reshape(-1, 16)
    aside = path.with_suffix(f".{os.getpid()}")
    save_file({"names": names, "values": torch.tensor(list(known.values()), dtype=torch.float32)}, aside)
    aside.replace(path)


def digest_folder(folder: Path) -> str:
    """SHA-256 over the names and contents of a model folder's weights and settings."""
    total = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in (".safetensors", ".json", ".jinja"):
            total.update(f"{path.name} {digest_file(path)}\n".encode())
    return total.hexdigest()


def digest_file(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
