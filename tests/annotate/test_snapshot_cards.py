"""The data card: who, how far they agree, under which guidelines, and what it does not tell."""

from django.urls import reverse

from annotate.exports.pseudonyms import pseudonym
from annotate.services.snapshot_cards import write_card
from annotate.services.snapshots import create_snapshot
from tests.factories import make_judgement, make_prompt, make_task


def test_a_card_says_who_judged_what_and_how_far_they_agree(project, alice, bob, carol, django_assert_num_queries):
    guideline = project.guidelines.get()
    for preferences in ((-1, -2), (1, 2), (-1, 1)):
        task = make_task(project, prompt=make_prompt(project))
        for person, preference in zip((bob, carol), preferences, strict=True):
            make_judgement(task, person, preference, guideline=guideline)
    make_judgement(
        make_task(project), None, 0, points=None, first_on_left=None, external_annotator="a|b", external_guideline=7
    )
    snapshot = create_snapshot(project=project, user=alice, test_fraction=0.0, filters={"include_surplus": False})
    with django_assert_num_queries(7):
        card = write_card(snapshot)
    assert f"| {pseudonym(project.pk, carol.pk)} | 3 |" in card
    assert carol.name not in card
    assert carol.email not in card
    assert "3 people, under pseudonyms" in card
    assert "| a\\|b | 1 |" in card
    assert "3 comparisons were made by at least two people" in card
    assert "67% of the time; Krippendorff's alpha: 0.44." in card
    assert "| 1 | 6 |\n| 7 | 1 |" in card
    assert "| model one | 8 |" in card
    assert "| Taken | without surplus |" in card
    assert f"`{snapshot.content_hash}`" in card
    assert "- Judgements from files: 1." in card
    assert "- Only 3 people judged" in card
    assert "- Nothing is held out." in card


def test_one_persons_opinion_is_called_that(project, alice, carol):
    make_judgement(make_task(project), carol)
    card = write_card(create_snapshot(project=project, user=alice))
    assert "- One person judged all of it: it says what they prefer." in card
    assert "- Nothing was judged twice, so it cannot be told how reliable it is." in card
    assert "No comparison was made by two people" in card


def test_the_card_is_a_page_and_a_file(signed_in, project, alice, carol):
    make_judgement(make_task(project), carol)
    snapshot = create_snapshot(project=project, user=alice, name="<script>June")
    at = reverse("snapshot-card", args=[project.pk, snapshot.pk])
    page = signed_in(alice).get(at).content.decode()
    assert "<script>June" not in page
    assert "<td>Comparison</td>" in page
    file = signed_in(alice).get(at, {"raw": "1"})
    assert file.content.decode() == write_card(snapshot)
    assert file.headers["Content-Disposition"] == 'attachment; filename="kitchen-advice-scriptjune-card.md"'
