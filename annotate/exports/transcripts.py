"""Forms for trainers: TRL's explicit-prompt preference form, standard and conversational, and HH-RLHF's transcripts.

Standard form and HH-RLHF share one transcript: "\\n\\nHuman: …\\n\\nAssistant:" is the prompt and " …" the completion,
so that prompt + completion is exactly the HH-RLHF text and no two words run together where they meet.
"""

from typing import Any

from annotate.exports.rows import Row

SPEAKERS = {"user": "Human", "assistant": "Assistant"}


def transcript(row: Row) -> str:
    """System text, then every turn; ends where the assistant is to speak."""
    turns = [f"\n\n{SPEAKERS[message['role']]}: {message['content']}" for message in row.messages]
    return "".join([row.system, *turns, "\n\nAssistant:"])


def to_trl(row: Row) -> dict[str, Any]:
    chosen, rejected = row.ordered_texts()
    return {"prompt": transcript(row), "chosen": f" {chosen}", "rejected": f" {rejected}"}


def to_trl_conversational(row: Row) -> dict[str, Any]:
    chosen, rejected = row.ordered_texts()
    system = [{"role": "system", "content": row.system}] if row.system else []
    return {
        "prompt": [*system, *({"role": turn["role"], "content": turn["content"]} for turn in row.messages)],
        "chosen": [{"role": "assistant", "content": chosen}],
        "rejected": [{"role": "assistant", "content": rejected}],
    }


def to_hh(row: Row) -> dict[str, Any]:
    prompt = transcript(row)
    chosen, rejected = row.ordered_texts()
    return {"chosen": f"{prompt} {chosen}", "rejected": f"{prompt} {rejected}"}
