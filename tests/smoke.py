"""`make smoke`: the whole loop over HTTP with a tiny model, on a server of its own; one JSON line of counts at the end.

20 prompts → 40 responses → 20 comparisons → 20 judgements → snapshot → reward run → DPO run → the new policy's
responses queued → export; then two rounds that begin by themselves, each when enough has been judged. Exits with 1 and
says what differs when any count is not what it must be.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.round_visits import wait_for_round, write_recipe
from tests.tiny_models import build_encoder, build_policy
from tests.visitor import Refused, Visitor

ROOT = Path(__file__).resolve().parent.parent
PROMPTS = 20
READY_SECONDS = 300
JOB_SECONDS = 240
ROUND_SECONDS = 300
TOPICS = ["bread", "bicycles", "rain", "chess", "maps", "tea", "bees", "clocks", "rivers", "paint"]


def main() -> None:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="plumbline-smoke-") as folder, running_site(Path(folder)) as (site, link):
        ready = time.monotonic()
        visitor = Visitor(site)
        counts = go_round(visitor, link)
    counts["seconds_to_start"] = round(ready - started, 1)
    counts["seconds"] = round(time.monotonic() - started, 1)
    wrong = {name: (counts[name], value) for name, value in expected().items() if counts[name] != value}
    counts["ok"] = not wrong
    print(json.dumps(counts))
    if wrong:
        lines = [f"{name} is {is_} and must be {must}" for name, (is_, must) in wrong.items()]
        sys.exit("Smoke test failed: " + "; ".join(lines) + ".")


def expected() -> dict[str, int | str]:
    return {
        "prompts": PROMPTS,
        "responses": 2 * PROMPTS,
        "tasks": PROMPTS,
        "judgements": PROMPTS,
        "snapshot_rows": PROMPTS,
        "reward_run": "succeeded",
        "dpo_run": "succeeded",
        "next_responses": 2 * PROMPTS,
        "next_tasks": PROMPTS,
        "next_by_new_policy": PROMPTS,
        "exported_rows": PROMPTS,
        "round_1": "succeeded",
        "round_2": "succeeded",
        "round_cards": 4,  # of each round its held-out reward model's and its policy's
    }


@contextmanager
def running_site(folder: Path) -> Iterator[tuple[str, str]]:
    """A server with its own database, broker and tiny models; yields its address and the first owner's link."""
    environment = {
        **os.environ,
        "PLUMBLINE_VAR": str(folder / "var"),
        "DEFAULT_POLICY": str(build_policy(folder / "models" / "policy", ends=False)),
        "DEFAULT_REWARD_BACKBONE": str(build_encoder(folder / "models" / "encoder")),
        "MODEL_ROOTS": str(folder / "models"),
        "HF_HUB_OFFLINE": "1",
        "PYTHONUNBUFFERED": "1",
    }
    for name in ("DATABASE_URL", "BROKER_URL", "SITE_URL", "PLUMBLINE_ENV"):
        environment.pop(name, None)
    command = [sys.executable, "manage.py", "serve", "--port", str(free_port())]
    log = folder / "serve.log"
    with log.open("wb") as output:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        yield wait_for_link(server, log)
    except BaseException:
        print(log.read_text()[-4000:], file=sys.stderr)
        raise
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for_link(server: subprocess.Popen[bytes], log: Path) -> tuple[str, str]:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        found = re.search(r"(http://[^/\s]+)(/invitations/\S+/)", log.read_text())
        if found:
            return found[1] + "/", found[2]
        if server.poll() is not None:
            raise Refused(f"manage.py serve ended with {server.returncode}.")
        time.sleep(0.1)
    raise Refused(f"No sign-in link within {READY_SECONDS} s.")


def go_round(visitor: Visitor, link: str) -> dict[str, object]:
    """One turn of the loop as an owner who also judges; returns what was counted on the way."""
    project = set_up(visitor, link)
    counts: dict[str, object] = {"prompts": import_prompts(visitor, project)}
    counts |= generate(visitor, project, "responses", "tasks")
    counts["judgements"] = judge_all(visitor, project)
    counts["reward_run"] = train(visitor, project, "reward_model")
    counts["dpo_run"] = train(visitor, project, "dpo")
    counts |= generate(visitor, project, "next_responses", "next_tasks", newest_policy=True)
    counts["next_by_new_policy"] = count_new_policy(visitor, project)
    counts |= export(visitor, project)
    return counts | turn_rounds(visitor, project)


def set_up(visitor: Visitor, link: str) -> str:
    """Become the first owner, make a project; returns its address."""
    visitor.open(link)
    password = "a plumb line hangs straight"
    names = {control.get("name") for control in visitor.form("email").select("[name]")}
    twice = {name: password for name in names if "password" in str(name)}
    visitor.send(visitor.form("email"), email="owner@example.org", name="Olga Owner", **twice)
    visitor.open("/projects/new/")
    visitor.send(visitor.form("name"), name="Smoke")
    number = re.search(r"/projects/(\d+)/", visitor.address)
    if number is None:
        raise Refused(f"After creating a project the page is {visitor.address}.\n{visitor.text()[:500]}")
    return f"/projects/{number[1]}/"


def import_prompts(visitor: Visitor, project: str) -> int:
    rows = [
        {"question_id": number, "category": "generic", "turns": [f"Tell me something useful about {topic} ({number})."]}
        for number, topic in zip(range(1, PROMPTS + 1), TOPICS * 2, strict=True)
    ]
    visitor.open(f"{project}imports/new/")
    text = "\n".join(json.dumps(row) for row in rows).encode()
    visitor.send(visitor.form("contents"), files={"file": ("prompts.jsonl", text)})
    page = visitor.address
    visitor.send(visitor.form("confirm"), confirm="1")
    visitor.wait_until(page, ".pill-success", JOB_SECONDS)
    return visitor.tile("Added")


def generate(
    visitor: Visitor, project: str, responses: str, tasks: str, *, newest_policy: bool = False, tokens: str = "24"
) -> dict[str, int]:
    visitor.open(f"{project}generations/new/")
    form = visitor.form("model", "responses_per_prompt")
    options = [str(option["value"]) for option in form.select("select[name=model] option")]
    policy = max(options, key=int) if newest_policy else None
    choice = "all" if newest_policy else None
    visitor.send(form, model=policy, choice=choice, max_tokens=tokens, seed="7")
    page = visitor.address
    visitor.wait_until(page, ".pill-success", JOB_SECONDS)
    text = visitor.text()
    written, queued = re.search(r"([\d,]+) of [\d,]+ responses", text), re.search(r"([\d,]+) comparisons? queued", text)
    return {responses: int(written[1]) if written else 0, tasks: int(queued[1]) if queued else 0}


def judge_all(visitor: Visitor, project: str) -> int:
    """Judge until nothing waits: the longer response wins, so that there is something to learn."""
    judged = 0
    visitor.open(f"{project}judge/")
    if guidelines := visitor.page.select_one("form#read-guidelines"):
        visitor.send(guidelines)
    while visitor.page.select_one("form#answer") is not None:
        left, right = (len(pane.get_text()) for pane in visitor.page.select(".pane-text"))
        visitor.send(visitor.page.select_one("form#answer"), choice="-3" if left >= right else "3")
        judged += 1
        if judged > 3 * PROMPTS:
            raise Refused("The queue never ends.")
    return judged


def train(visitor: Visitor, project: str, algorithm: str) -> str:
    visitor.open(f"{project}runs/new/?algorithm={algorithm}")
    fields = {"config-epochs": "2", "config-max_length": "256"}
    visitor.send(visitor.form("snapshot", "base_model"), **fields)
    page = visitor.address
    visitor.wait_until(page, ".pill-success, .pill-danger, .pill-warning", JOB_SECONDS)
    if visitor.page.select_one(".pill-success") is None:
        raise Refused(f"{algorithm} did not succeed: {visitor.text()[:3000]}")
    return "succeeded"


def count_new_policy(visitor: Visitor, project: str) -> int:
    """Judge what the new policy wrote."""
    return judge_all(visitor, project)


def export(visitor: Visitor, project: str) -> dict[str, int]:
    visitor.open(f"{project}snapshots/")
    first = min(
        (
            str(link["href"])
            for link in visitor.page.select("a[href*='/snapshots/']")
            if re.search(r"/\d+/$", link["href"])
        ),
        key=lambda address: int(address.rstrip("/").rsplit("/", 1)[1]),
    )
    visitor.open(first)
    rows = {form: len(visitor.download(f"{first}download/{form}/").splitlines()) for form in ("trl", "lossless")}
    return {"exported_rows": rows["trl"], "snapshot_rows": rows["lossless"]}


def turn_rounds(visitor: Visitor, project: str) -> dict[str, object]:
    """A recipe whose rounds begin by themselves: one for what is judged already, one for what it queues."""
    quick = {"prompts": "12", "tasks": "10", "evaluation_prompts": "4", "max_tokens": "12"}
    write_recipe(
        visitor,
        project,
        algorithm="dpo",
        policy={"max_steps": "3"},
        reward={"max_steps": "3"},
        trigger="judgements",
        enough_judgements="8",
        **quick,
    )
    found: dict[str, object] = {}
    for number in (1, 2):
        wait_for_round(visitor, project, number, ROUND_SECONDS)
        found[f"round_{number}"] = "succeeded"
        judge_all(visitor, project)
    return {**found, "round_cards": count_round_cards(visitor, project)}


def count_round_cards(visitor: Visitor, project: str) -> int:
    """Models whose card says which step of which round made them."""
    visitor.open(f"{project}models/")
    links = {str(link["href"]) for link in visitor.page.select("a[href*='/models/']")}
    cards = [visitor.download(f"{link}card/") for link in links if re.search(r"/models/\d+/$", link)]
    return sum("Round" in card and "its step" in card for card in cards)


if __name__ == "__main__":
    main()
