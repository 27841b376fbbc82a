"""Mark the models that only a file named before files marked them: nothing else makes one without a model version."""

from django.db import migrations


def mark_authors_of_files(apps, schema_editor):
    authors = apps.get_model("annotate", "Author").objects
    authors.filter(kind="model", is_imported=False, model_version=None).update(is_imported=True)


class Migration(migrations.Migration):
    dependencies = [
        ("annotate", "0018_statistics_of_young_tables"),
        ("training", "0010_endpoints"),
    ]

    operations = [migrations.RunPython(mark_authors_of_files, migrations.RunPython.noop)]
