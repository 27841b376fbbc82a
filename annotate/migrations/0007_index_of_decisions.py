from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("annotate", "0006_snapshot_line_counts")]

    operations = [
        migrations.AddIndex(
            model_name="judgement",
            index=models.Index(
                fields=["task"], condition=Q(is_adjudication=True, is_current=True), name="judgement_decision"
            ),
        ),
    ]
