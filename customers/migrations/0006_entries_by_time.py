from django.db import migrations, models

from customers import triggers


def install(_apps, schema_editor):
    """Nothing is rebuilt for an index, but whoever touches the ledger puts its triggers back."""
    triggers.install(schema_editor.connection)


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0005_imported_wordings'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='consententry',
            index=models.Index(fields=['state', 'occurred_at'], name='consententry_when'),
        ),
        migrations.RunPython(install, migrations.RunPython.noop),
    ]
