from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("annotate", "0004_standing_and_quick_answers")]

    operations = [
        migrations.AddIndex(
            model_name="chatoption",
            index=models.Index(condition=models.Q(("status", "queued")), fields=["queued_at"], name="chatoption_queue"),
        ),
    ]
