from django.conf import settings
from django.db import migrations, models


def remember_time_zone(apps, schema_editor):
    """From the first answer on it is known in which time zone days are counted."""
    state = apps.get_model("feedback", "CountingState")
    state.objects.get_or_create(id=1, defaults={"time_zone": settings.TIME_ZONE})


class Migration(migrations.Migration):

    dependencies = [
        ('feedback', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='response',
            name='body_hash',
            field=models.CharField(blank=True, db_default='', editable=False, max_length=16),
        ),
        migrations.RunPython(remember_time_zone, migrations.RunPython.noop),
    ]
