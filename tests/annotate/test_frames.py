"""A task drawn from a frame is, byte for byte, what its templates write."""

import re
from datetime import UTC, datetime

import pytest
from django.test import RequestFactory

from annotate.models import Kind, Lease, Membership, Project, Response, Task, TaskResponse, User
from annotate.standing import Stage, Standing
from annotate.views import frames
from annotate.views.task_page import render_ahead
from tests.factories import add_member, make_prompt, make_response, make_user
from tests.numbering import NUMBERS

RESPONSES = {
    Kind.COMPARISON: 2,
    Kind.RANKING: 4,
    Kind.RATING: 2,
    Kind.DEMONSTRATION: 2,
    Kind.EDIT: 1,
    Kind.SPANS: 1,
}
OPTIONS = {
    "ranking": {"allow_ties": False},
    "rating": {"questions": [{"key": "q", "label": "<b>Good</b>?", "points": 3, "names": ["&", "'", '"']}]},
    "demonstration": {"show_suggestions": False, "least_words": 30},
    "edit": {"ask_reason": "required"},
    "spans": {"categories": ["<wrong>", "right"], "severities": [], "ask_critique": "off"},
}
SETTINGS = [
    {},
    {"flag_options": [], "rationale": "off", "allow_skip": False},
    {"scale_points": 7, "allow_tie": False, "allow_both_bad": False, "dimensions": ["kind", "<i>true</i>"]},
    {"scale_points": 8, "allow_tie": False, "rationale": "required", "flag_options": ["<i>&'\"", "{{ lease.pk }}"]},
    {"reading_warning": False, "allow_both_bad": False, "name": "<script>alert(1)</script>"},
    {"kind_options": OPTIONS},
    {"kind_options": {"edit": {"ask_reason": "off"}, "spans": {"ask_critique": "required"}}, "dimensions": ["<"]},
]
TEXTS = [
    "<script>alert(1)</script></script></textarea>",
    "{{ project.name }} {% csrf_token %} {# no #}",
    f"{frames._mark('text1')} {frames._mark('lease')} {frames.MARK}",
    r"\1 \g<0> %s %(lease)s {0} \u0000",
    "␀ \ufffe \u2028 \x0b \x1f \xa0 &amp; &lt;",
    "",
    "\r\n one\r\n\r\n    code\rtwo\n",
    "```py\nprint('x')\n```\n| a |\n|---|\n| $b$ |",
    "Words after words. " * 400,
    "x" * 100_001,
]
ONE_OWN = re.compile(r'(name="(?:submission_id|csrfmiddlewaretoken)" value=)"([\w-]+)"')


def make_lease(project: Project, user: User, kind: str) -> Lease:
    prompt = make_prompt(project)
    task = Task.objects.create(
        project=project, kind=kind, prompt=prompt, key=f"t{next(NUMBERS)}", required_judgements=1, remaining=0
    )
    for position in range(RESPONSES[kind]):
        TaskResponse.objects.create(task=task, response=make_response(prompt, f"Boil {position}."), position=position)
    order = list(reversed(range(RESPONSES[kind])))
    until = datetime(2026, 5, 17, 12, 0, tzinfo=UTC)
    return Lease.objects.create(task=task, annotator=user, order=order, expires_at=until)


def draw(user: User, lease: Lease, *, is_framed: bool, standing: Standing | None = None) -> str:
    request = RequestFactory().get("/")
    request.user, lease.is_fresh = user, is_framed
    membership = Membership.objects.select_related("project").get(user=user, project=lease.task.project_id)
    return render_ahead(request, membership, lease, standing=standing)


def assert_equal(user: User, lease: Lease, standing: Standing | None = None) -> None:
    framed, plain = (draw(user, lease, is_framed=is_framed, standing=standing) for is_framed in (True, False))
    assert ONE_OWN.sub(r"\1", framed) == ONE_OWN.sub(r"\1", plain)


@pytest.fixture
def dave(project: Project) -> User:
    """Another annotator, with keys of his own."""
    dave = make_user("Dave")
    dave.preferences = {"keys": {"skip": "<", "undo": "&", "why": "'"}}
    dave.save()
    add_member(project, dave, "annotator")
    return dave


@pytest.mark.parametrize("kind", RESPONSES)
def test_whatever_the_project_asks_for(kind, project, carol, dave):
    leases = {user: make_lease(project, user, kind) for user in (carol, dave)}
    for settings in SETTINGS:
        Project.objects.filter(pk=project.pk).update(**settings)
        for user, lease in leases.items():
            assert_equal(user, lease)


@pytest.mark.parametrize("kind", RESPONSES)
def test_whatever_is_written(kind, project, carol):
    lease = make_lease(project, carol, kind)
    for turns, text in enumerate(TEXTS):
        Response.objects.update(text=text)
        prompt = lease.task.prompt
        prompt.system = text if turns % 3 else ""
        prompt.messages = [{"role": ("user", "assistant", "<i>")[n % 3], "content": text} for n in range(turns % 4 + 1)]
        assert_equal(carol, lease)


def test_however_the_person_stands(project, carol):
    lease = make_lease(project, carol, Kind.COMPARISON)
    for stage in Stage:
        for warns in (True, False):
            assert_equal(carol, lease, Standing(stage, 6, 20, 5, warns=warns))


def test_one_frame_serves_all_who_would_be_shown_the_same(project, carol, dave, alice):
    frames.make_frame.cache_clear()
    for user in (carol, alice, carol):
        for right in (7, 8):
            standing = Standing(Stage.WORK, 8, 8, right)
            draw(user, make_lease(project, user, Kind.COMPARISON), is_framed=True, standing=standing)
    assert frames.make_frame.cache_info().misses == 1
    draw(dave, make_lease(project, dave, Kind.COMPARISON), is_framed=True)
    assert frames.make_frame.cache_info().misses == 2


def test_a_token_and_a_submission_are_never_shared(project, carol):
    lease = make_lease(project, carol, Kind.COMPARISON)
    first, second = ({own for _, own in ONE_OWN.findall(draw(carol, lease, is_framed=True))} for _ in range(2))
    assert (len(first), len(second), first & second) == (2, 2, set())


def test_a_template_that_changes_a_leaf_otherwise_is_refused():
    with pytest.raises(ValueError, match="in a way that no frame knows"):
        frames._cut(f"<p>{frames._mark('text0').lower()}</p>", ["text0"])
