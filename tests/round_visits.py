"""Rounds over HTTP, as an owner and annotators go about them: a recipe, people who judge by a rule, the wait."""

import re
from collections.abc import Callable

from tests.visitor import Refused, Visitor

PASSWORD = "a plumb line hangs straight"
QUICK = {"max_length": "128", "lora": "false", "eval_every": "0", "samples": "0", "checkpoint_every": "5"}
QUICK_REWARD = {"max_length": "128", "eval_every": "0", "epochs": "6", "learning_rate": "0.002", "batch_size": "8"}
Rule = Callable[[str], float]


def vowel_share(text: str) -> float:
    """The hidden rule: people here like vowels, and never say so."""
    return sum(letter in "aeiouAEIOU" for letter in text) / max(1, len(text))


def write_recipe(
    visitor: Visitor, project: str, *, algorithm: str, policy: dict[str, str], reward: dict[str, str], **fields: str
) -> None:
    """Save a recipe by its form."""
    visitor.open(f"{project}recipes/new/?algorithm={algorithm}")
    nested = {f"policy-{name}": value for name, value in {**QUICK, **policy}.items()}
    nested |= {f"reward-{name}": value for name, value in {**QUICK_REWARD, **reward}.items()}
    visitor.send(visitor.form("name", "trigger"), **{"name": "By itself", **fields, **nested})
    if not visitor.address.endswith("/recipes/"):
        raise Refused(f"The recipe was not saved: {visitor.text()[:2000]}")


def join(owner: Visitor, project: str, site: str, name: str) -> Visitor:
    """Invite an annotator and become one, in a browser of their own."""
    owner.open(f"{project}people/")
    owner.send(owner.form("email", "role"), email=f"{name.lower()}@example.org", role="annotator")
    link = re.search(r"/invitations/[\w-]+/", owner.page.decode())
    if link is None:
        raise Refused(f"No invitation for {name}: {owner.text()[:2000]}")
    person = Visitor(site)
    person.open(link[0])
    names = {str(control["name"]) for control in person.controls(person.form("name"))}
    twice = {field: PASSWORD for field in names if "password" in field}
    person.send(person.form("name"), name=name, **twice)
    return person


def judge_by(person: Visitor, project: str, rule: Rule, *, most: int = 10_000) -> int:
    """Judge what waits, at most so many: the response the rule likes better wins. How many were judged."""
    judged = 0
    person.open(f"{project}judge/")
    if guidelines := person.page.select_one("form#read-guidelines"):
        person.send(guidelines)
    while judged < most and person.page.select_one("form#answer") is not None:
        left, right = (rule(pane.get_text()) for pane in person.page.select(".pane-text"))
        person.send(person.page.select_one("form#answer"), choice="-3" if left >= right else "3")
        judged += 1
    return judged


def round_selector(number: int, within: str) -> str:
    return f'tr:has(a:-soup-contains("Round {number}")) {within}'


def wait_for_round(visitor: Visitor, project: str, number: int, seconds: float) -> str:
    """Until round `number` has ended; its line in the history. Raises Refused when it needs its owner."""
    ended = round_selector(number, ".pill-success") + ", " + round_selector(number, ".pill-danger")
    visitor.wait_until(f"{project}rounds/", ended, seconds)
    row = visitor.page.select_one(round_selector(number, "th"))
    assert row is not None and row.parent is not None
    line = " ".join(row.parent.get_text(" ").split())
    if "Needs you" in line:
        link = row.select_one("a")
        assert link is not None
        visitor.open(str(link["href"]))
        raise Refused(f"Round {number} stopped: {visitor.text()[:2000]}")
    return line
