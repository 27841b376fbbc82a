from django.conf import settings
from django.db import connection

from config.celery import app


def test_tests_run_on_a_real_postgres_18(db):
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        assert cursor.fetchone()[0].startswith("18")
        cursor.execute("SHOW server_encoding")
        assert cursor.fetchone()[0] == "UTF8"


def test_a_worker_started_with_the_command_of_production_answers(celery_worker):
    with celery_worker("default"):
        names = [name for reply in app.control.ping(timeout=60, limit=1) for name in reply]
        assert [name.split("@")[0] for name in names] == ["default"]


def test_the_cast_has_its_roles(project, alice, bob, carol, mallory, stranger):
    roles = dict(project.memberships.values_list("user__name", "role"))
    assert roles == {"Alice": "owner", "Bob": "reviewer", "Carol": "annotator"}
    assert stranger.memberships.count() == 0
    assert settings.DEBUG is False
