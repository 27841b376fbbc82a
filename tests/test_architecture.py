"""Rules of the house that a linter of imports cannot see."""

import ast
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
SOURCES = sorted(
    path
    for package in ("annotate", "training", "config")
    for path in (ROOT / package).rglob("*.py")
    if "migrations" not in path.parts
)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", [path for path in SOURCES if path.name == "__init__.py"], ids=named)
def test_package_files_are_empty_except_where_django_looks_for_models(path):
    if path.parent.name == "models":
        tree = ast.parse(path.read_text())
        assert all(isinstance(node, ast.ImportFrom | ast.Assign | ast.Expr) for node in tree.body)
    else:
        assert path.read_text() == ""


def test_no_module_is_a_drawer_for_odds_and_ends():
    drawers = {"utils.py", "helpers.py", "common.py", "mixins.py", "misc.py"}
    assert [named(path) for path in SOURCES if path.name in drawers] == []


def test_no_source_file_is_longer_than_five_hundred_lines():
    long = {named(path): len(path.read_text().splitlines()) for path in SOURCES}
    assert {name: lines for name, lines in long.items() if lines > 500} == {}


def test_no_bare_except_and_no_debugging_left():
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ExceptHandler) and node.type is None:
                found.append(f"{named(path)}:{node.lineno} bare except")
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "breakpoint":
                found.append(f"{named(path)}:{node.lineno} breakpoint")
    assert found == []


def test_our_own_logic_uses_no_signals():
    assert [
        named(path) for path in SOURCES if re.search(r"\b(post_save|pre_save|m2m_changed|receiver)\b", path.read_text())
    ] == []


def test_templates_have_no_inline_script_style_or_handler_and_never_call_text_safe():
    """The CSP would block the first three; the last would open the page to hostile text."""
    forbidden = {
        "inline script": re.compile(r"<script(?![^>]*\b(src|type=\"application/json\"))[^>]*>", re.I),
        "style attribute": re.compile(r"<[^>]+\sstyle\s*=", re.I),
        "style element": re.compile(r"<style\b", re.I),
        "event handler": re.compile(r"<[^>]+\son[a-z]+\s*=", re.I),
        "javascript link": re.compile(r"javascript:", re.I),
        "safe filter": re.compile(r"\|\s*safe\b|\bautoescape off\b|mark_safe"),
        "other host": re.compile(r"(src|href)=\"(https?:)?//", re.I),
    }
    found = [
        f"{named(path)}: {rule}"
        for path in TEMPLATES
        for rule, pattern in forbidden.items()
        if pattern.search(path.read_text())
    ]
    assert found == []


def test_only_the_markdown_module_marks_text_as_safe():
    users = [named(path) for path in SOURCES if re.search(r"\b(mark_safe|SafeString)\(", path.read_text())]
    assert users == ["annotate/markdown.py"]


def test_every_model_of_a_project_can_be_filtered_by_who_may_see_it():
    """Rows inside a parent that is reached first (places, details) need no door of their own."""
    answers = {"Comparison", "Ranking", "Rating", "Demonstration", "Edit", "SpanFeedback"}
    inside = {"TaskResponse", "SnapshotItem", "GenerationPrompt", "EvaluationItem", "User", *answers}
    ours = [model for label in ("annotate", "training") for model in apps.get_app_config(label).get_models()]
    without = [model.__name__ for model in ours if not hasattr(model.objects.all(), "visible_to")]
    assert set(without) <= inside


def test_tests_never_sleep_in_hope_or_skip_what_is_missing():
    found = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if path.name == Path(__file__).name:
            continue
        text = path.read_text()
        if re.search(
            r"\b(pytest\.skip|mark\.skip|mark\.xfail|unittest\.mock|mocker|monkeypatch\.setattr\(\"(annotate|training))",
            text,
        ):
            found.append(named(path))
    assert found == []
