from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("annotate", "0005_chat_queue")]

    operations = [
        migrations.AddField(
            model_name="snapshot",
            name="line_counts",
            field=models.JSONField(blank=True, default=dict, editable=False),
        ),
    ]
