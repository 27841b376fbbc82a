"""OpenAI's fine-tuning files against the form that its guides describe, as a JSON schema.

https://developers.openai.com/api/docs/guides/direct-preference-optimization and …/supervised-fine-tuning: an example a
line; the prompt's messages under `input`, each output a list with one message of the assistant; a supervised example is
a conversation that ends with the assistant. Tools are left out on purpose: no prompt here has any.
"""

import json

import pytest
from jsonschema import Draft202012Validator, ValidationError

from annotate.exports.lines import export_lines
from annotate.models import Demonstration, Kind
from annotate.services.snapshots import create_snapshot
from tests.factories import make_judgement, make_prompt, make_response, make_task


def message(*roles):
    return {
        "type": "object",
        "properties": {"role": {"enum": list(roles)}, "content": {"type": "string", "minLength": 1}},
        "required": ["role", "content"],
        "additionalProperties": False,
    }


def whole(properties):
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


MESSAGES = {"type": "array", "items": message("system", "user", "assistant"), "minItems": 1}
OUTPUT = {"type": "array", "items": message("assistant"), "minItems": 1, "maxItems": 1}
SCHEMAS = {
    "openai-dpo": whole(
        {"input": whole({"messages": MESSAGES}), "preferred_output": OUTPUT, "non_preferred_output": OUTPUT}
    ),
    "openai-sft": whole({"messages": {**MESSAGES, "contains": message("assistant")}}),
}
TURNS = [("user", "How long?"), ("assistant", "For what egg?"), ("user", "A hen's.\u2028Please.")]


@pytest.fixture
def snapshot(project, alice, bob, carol):
    prompt = make_prompt(project, system="Be brief.")
    prompt.messages = [{"role": role, "content": content} for role, content in TURNS]
    prompt.save()
    for asked in (prompt, make_prompt(project, "And goose?")):
        task = make_task(project, prompt=asked)
        make_judgement(task, carol, -2)
        make_judgement(task, bob, 0)
    written = make_judgement(make_task(project, prompt=prompt), carol)
    written.comparison.delete()
    written.task.kind = written.kind = Kind.DEMONSTRATION
    written.task.save()
    written.save()
    Demonstration.objects.create(judgement=written, response=make_response(prompt, "Seven minutes."))
    return create_snapshot(project=project, user=alice)


@pytest.mark.parametrize(("form", "lines"), [("openai-dpo", 2), ("openai-sft", 1)])
def test_every_line_is_what_openai_takes(snapshot, form, lines):
    checker = Draft202012Validator(SCHEMAS[form])
    found = [json.loads(line) for line in export_lines(snapshot, form)]
    for line in found:
        checker.validate(line)
    assert len(found) == lines


def test_the_schema_refuses_what_openai_would(snapshot):
    line = json.loads(next(iter(export_lines(snapshot, "openai-dpo"))))
    line["preferred_output"] *= 2
    with pytest.raises(ValidationError, match="is too long"):
        Draft202012Validator(SCHEMAS["openai-dpo"]).validate(line)
