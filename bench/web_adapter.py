"""Plumbline for the driver that also drives the peers: an adapter that uses the judging page as a browser does.

A session cookie and a CSRF token, the form's own fields, and the answer sent with the number of the task held ready:
the reply brings the one after it. Each person signs in once, before anything is timed. The driver's base class and its
exception are handed in, because the driver is no part of this repository.
"""

import json
import os
import re
import subprocess
from dataclasses import dataclass
from html import unescape
from itertools import islice
from operator import itemgetter
from pathlib import Path
from types import ModuleType
from typing import Any

PEOPLE = 40
PASSWORD = "correct horse battery staple"
TOKEN = re.compile(r"X-CSRFToken\": \"(\w+)")
CSRF_FIELD = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')
LEASE = re.compile(r'data-lease="(\d+)"')
SUBMISSION = re.compile(r'name="submission_id" value="([0-9a-f-]{36})"')
PROSE = re.compile(r"<p>([a-z ]+)</p>")  # the driver's texts are words alone: prompt, response A, response B
HX = {"HX-Request": "true"}


@dataclass
class Shown:
    """A task as the page has it; `left` is the text of the response on the left."""

    lease: str
    submission: str
    task: dict[str, str]
    left: str


def make_adapters(driver: ModuleType, root: Path) -> dict[str, type]:
    """{name: adapter} for the driver's table. `root` is a checkout of Plumbline with its `.venv`."""

    class Plumbline(driver.Adapter):
        name = "plumbline"

        async def setup(self, tasks: list[dict[str, str]], done: int) -> None:
            if done:
                raise ValueError("This adapter begins with nothing judged.")
            self.by_prompt = {task["prompt"]: task for task in tasks}
            self.cookies: dict[str, Any] = {}
            self.start_site(tasks)
            for number in range(PEOPLE):
                await self.sign_in(f"ann{number:02d}")

        def start_site(self, tasks: list[dict[str, str]]) -> None:
            path = Path(os.environ["PEERS"]) / "plumbline-tasks.jsonl"
            with path.open("w") as file:
                for task in tasks:
                    row = {"id": task["uid"], "prompt": task["prompt"], "response": task["a"], "completion": task["b"]}
                    file.write(json.dumps(row) + "\n")
            port = self.base.rpartition(":")[2]
            command = [str(root / ".venv/bin/python"), "-m", "bench.site", "--port", port, "--tasks", str(path)]
            environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
            self.site = subprocess.Popen(
                command, cwd=root, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            facts = json.loads(self.site.stdout.readline())
            self.t_import, self.project = facts["import_seconds"], facts["project"]
            self.pids = [facts["web"], facts["postgres"]]
            self.judge = f"/projects/{self.project}/judge/"

        async def sign_in(self, name: str) -> None:
            session = self.session(name)
            page = (await self.call(session, "GET", "/sign-in/"))[1].decode()
            form = {"username": f"{name}@example.org", "password": PASSWORD}
            form["csrfmiddlewaretoken"] = find(CSRF_FIELD, page, driver)
            await self.call(session, "POST", "/sign-in/", data=form)
            self.cookies[name] = {cookie.key: cookie.value for cookie in session.http.cookie_jar}
            await session.http.close()

        async def login(self, i: int) -> Any:
            """The person's browser again, still signed in."""
            session = self.session(f"ann{i:02d}")
            session.http.cookie_jar.update_cookies(self.cookies[session.name])
            return session

        async def next_task(self, s: Any) -> str | None:
            if not s.x.get("shown"):
                page = (await self.call(s, "GET", self.judge))[1].decode()
                s.x["token"] = find(TOKEN, page, driver)
                s.x["shown"] = self.read(page)
                if not s.x["shown"]:
                    return None
                await self.fetch_ahead(s)
            return str(s.x["shown"].task["uid"])

        async def fetch_ahead(self, s: Any) -> None:
            path = f"{self.judge}ahead/?lease={s.x['shown'].lease}"
            s.x["ready"] = self.read(json.loads((await self.call(s, "GET", path))[1])["ahead"])

        async def submit(self, s: Any, task: str, choice: str) -> None:
            shown, ready = s.x.pop("shown"), s.x.pop("ready")
            fields = {"lease": shown.lease, "submission_id": shown.submission}
            fields |= {"active_seconds": "20.0", "rationale": ""}
            fields["choice"] = "-4" if shown.left == shown.task[choice] else "4"
            if ready:
                fields["next"] = ready.lease
            headers = {**HX, "X-CSRFToken": s.x["token"], "Origin": self.base}
            body = (await self.call(s, "POST", self.judge, data=fields, headers=headers))[1]
            if body.startswith(b"{"):
                s.x["shown"], s.x["ready"] = ready, self.read(json.loads(body)["ahead"])
                if not ready:
                    raise driver.Fail("the reply names a task that was not on the page")
            elif shown := self.read(body.decode()):
                s.x["shown"] = shown
                await self.fetch_ahead(s)

        def read(self, area: str | None) -> Shown | None:
            """What a page has to judge: a task whose three texts are all there."""
            if not area or not LEASE.search(area):
                return None
            prompt, left, right = (unescape(text) for text in islice(map(itemgetter(1), PROSE.finditer(area)), 3))
            task: dict[str, str] = self.by_prompt[prompt]
            if {left, right} != {task["a"], task["b"]}:
                raise driver.Fail(f"{task['uid']} is shown with other responses than its own")
            return Shown(find(LEASE, area, driver), find(SUBMISSION, area, driver), task, left)

        async def export(self) -> list[tuple[str, None, str]]:
            self.site.stdin.write("export\n")
            self.site.stdin.flush()
            path = Path(json.loads(self.site.stdout.readline())["path"])
            self.export_bytes, rows = path.stat().st_size, []
            for line in path.read_text().splitlines():
                row = json.loads(line)
                task = self.by_prompt[row["prompt"][-1]["content"]]
                rows.append((task["uid"], None, "a" if row["chosen"][0]["content"] == task["a"] else "b"))
            return rows

        def close(self) -> None:
            self.site.stdin.close()
            self.site.wait(60)

    return {Plumbline.name: Plumbline}


def find(pattern: re.Pattern[str], page: str, driver: ModuleType) -> str:
    found = pattern.search(page)
    if found is None:
        raise driver.Fail(f"the page has no {pattern.pattern}")
    return found[1]
