"""Forms of other trainers: TRL's, HH-RLHF's transcripts, UltraFeedback's pairs and OpenAI's fine-tuning files.

TRL's standard form and HH-RLHF share one transcript: "\\n\\nHuman: …\\n\\nAssistant:" is the prompt and " …" the
completion, so that prompt + completion is exactly the HH-RLHF text and no two words run together where they meet.
"""

from typing import Any

from annotate.exports.columns import MESSAGES, Columns
from annotate.exports.kinds.kind_export import Pair, Verdict
from annotate.exports.rows import Row

SPEAKERS = {"user": "Human", "assistant": "Assistant"}

TRL: Columns = {"prompt": "text", "chosen": "text", "rejected": "text"}
TRL_CONVERSATIONAL: Columns = {"prompt": MESSAGES, "chosen": MESSAGES, "rejected": MESSAGES}
HH: Columns = {"chosen": "text", "rejected": "text"}
SFT: Columns = {"prompt": MESSAGES, "completion": MESSAGES}
UNPAIRED: Columns = {"prompt": MESSAGES, "completion": MESSAGES, "label": "boolean"}
PROMPTS: Columns = {"prompt": MESSAGES}
OPENAI_SFT: Columns = {"messages": MESSAGES}
OPENAI_DPO: Columns = {
    "input": {"messages": MESSAGES},
    "preferred_output": MESSAGES,
    "non_preferred_output": MESSAGES,
}


def transcript(row: Row) -> str:
    """System text, then every turn; ends where the assistant is to speak."""
    turns = [f"\n\n{SPEAKERS[message['role']]}: {message['content']}" for message in row.facts.messages]
    return "".join([row.facts.system, *turns, "\n\nAssistant:"])


def conversation(row: Row) -> list[dict[str, str]]:
    """The same as messages."""
    system = [{"role": "system", "content": row.facts.system}] if row.facts.system else []
    return [*system, *({"role": turn["role"], "content": turn["content"]} for turn in row.facts.messages)]


def reply(row: Row, place: int) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": row.text(place)}]


def to_trl(row: Row, pair: Pair) -> dict[str, Any]:
    chosen, rejected = map(row.text, pair)
    return {"prompt": transcript(row), "chosen": f" {chosen}", "rejected": f" {rejected}"}


def to_trl_conversational(row: Row, pair: Pair) -> dict[str, Any]:
    chosen, rejected = pair
    return {"prompt": conversation(row), "chosen": reply(row, chosen), "rejected": reply(row, rejected)}


def to_hh(row: Row, pair: Pair) -> dict[str, Any]:
    prompt = transcript(row)
    chosen, rejected = map(row.text, pair)
    return {"chosen": f"{prompt} {chosen}", "rejected": f"{prompt} {rejected}"}


def to_sft(row: Row, place: int) -> dict[str, Any]:
    return {"prompt": conversation(row), "completion": reply(row, place)}


def to_unpaired(row: Row, verdict: Verdict) -> dict[str, Any]:
    place, is_good = verdict
    return {"prompt": conversation(row), "completion": reply(row, place), "label": is_good}


def to_prompt(row: Row, _: None) -> dict[str, Any]:
    return {"prompt": conversation(row)}


def to_openai_sft(row: Row, place: int) -> dict[str, Any]:
    """OpenAI, "Supervised fine-tuning": a conversation that ends with what the assistant is to say."""
    return {"messages": [*conversation(row), *reply(row, place)]}


def to_openai_dpo(row: Row, pair: Pair) -> dict[str, Any]:
    """OpenAI, "Direct preference optimization": both outputs are one message of the assistant."""
    preferred, other = pair
    return {
        "input": {"messages": conversation(row)},
        "preferred_output": reply(row, preferred),
        "non_preferred_output": reply(row, other),
    }
