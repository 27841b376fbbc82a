"""Write the types of the Python client from the OpenAPI document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from annotate.api.schema import document

TARGET = Path("clients/python/plumbline_client/shapes.py")
HEAD = '''"""What the API answers. Written by `manage.py write_client_shapes`; do not edit."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict
'''
WIDEST = 120  # characters of a line
PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None", "object": "dict"}


class Command(BaseCommand):
    help = (
        "Write the types of the Python client from the OpenAPI document, or with --check say whether they are current."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when they are not current")

    def handle(self, *, check: bool, **options: Any) -> None:
        path, text = settings.BASE_DIR / TARGET, write_shapes(document()["components"]["schemas"])
        if check and path.read_text() != text:
            raise SystemExit(f"{TARGET} is out of date. Run `manage.py write_client_shapes`.")
        path.write_text(text)


def write_shapes(components: dict[str, Any]) -> str:
    """A TypedDict for each component that is answered; enumerations stand where they are used."""
    answered = {
        name: shape for name, shape in components.items() if shape.get("type") == "object" and "Request" not in name
    }
    return HEAD + "".join(write_class(name, shape, components) for name, shape in sorted(answered.items()))


def write_class(name: str, shape: dict[str, Any], components: dict[str, Any]) -> str:
    required = shape.get("required", [])
    lines = [
        fit(f"    {field}: {kind}") if field in required else fit(f"    {field}: NotRequired[{kind}]")
        for field, facts in shape["properties"].items()
        for kind in [type_of(facts, components)]
    ]
    return "\n\n".join(["", f"class {name}(TypedDict):\n" + "\n".join(lines)]) + "\n"


def fit(line: str) -> str:
    """The line, or where it is too long, with the values of its enumeration one a line."""
    if len(line) <= WIDEST:
        return line
    before, _, rest = line.partition("Literal[")
    values, _, after = rest.partition("]")
    return f"{before}Literal[\n" + "".join(f"        {value},\n" for value in values.split(", ")) + f"    ]{after}"


def type_of(shape: dict[str, Any], components: dict[str, Any]) -> str:
    if "$ref" in shape:
        name = shape["$ref"].rsplit("/", 1)[1]
        return name if components[name].get("type") == "object" else type_of(components[name], components)
    if "enum" in shape:
        return f"Literal[{', '.join(quoted(value) for value in shape['enum'])}]"
    if parts := shape.get("oneOf") or shape.get("anyOf") or shape.get("allOf"):
        return " | ".join(dict.fromkeys(type_of(part, components) for part in parts))
    if isinstance(shape.get("type"), list):
        return " | ".join(type_of({**shape, "type": kind}, components) for kind in shape["type"])
    if shape.get("type") == "array":
        return f"list[{type_of(shape['items'], components)}]"
    if shape.get("type") == "object":
        return f"dict[str, {type_of(shape.get('additionalProperties') or {}, components)}]"
    return PLAIN.get(str(shape.get("type")), "Any")


def quoted(value: Any) -> str:
    return "None" if value is None else f'"{value}"' if isinstance(value, str) else str(value)
