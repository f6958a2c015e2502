import django.db.models.deletion
from django.db import migrations, models


def keys_say_scale(apps, schema_editor):
    """No widget has been placed yet, so no page knows the old keys."""
    for touchpoint in apps.get_model("feedback", "Touchpoint").objects.all():
        if not touchpoint.key.startswith(f"{touchpoint.scale}-"):
            touchpoint.key = f"{touchpoint.scale}-{touchpoint.key}"[:32]
            touchpoint.save(update_fields=["key"])


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0001_initial'),
        ('feedback', '0002_body_hash_and_counting_state'),
    ]

    operations = [
        migrations.CreateModel(
            name='Campaign',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=32, unique=True, verbose_name='key')),
                ('name', models.CharField(max_length=100, unique=True, verbose_name='name')),
                ('created_at', models.DateTimeField(verbose_name='created at')),
            ],
            options={
                'verbose_name': 'campaign',
                'verbose_name_plural': 'campaigns',
            },
        ),
        migrations.CreateModel(
            name='Exposure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('kind', models.CharField(choices=[('shown', 'Widget shown'), ('answered', 'Answered where showing is counted'), ('opened', 'Link in a mail opened'), ('confirmed', 'Answered after opening a link in a mail')], max_length=10)),
                ('campaign_id', models.BigIntegerField(default=0)),
                ('n', models.IntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='ResponseEdit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=64, verbose_name='key')),
                ('body_hash', models.CharField(editable=False, max_length=16)),
                ('edited_at', models.DateTimeField(verbose_name='edited at')),
                ('value_before', models.SmallIntegerField(verbose_name='value before')),
                ('reason_before', models.CharField(blank=True, max_length=20, verbose_name='reason before')),
            ],
            options={
                'verbose_name': 'change of an answer',
                'verbose_name_plural': 'changes of answers',
            },
        ),
        migrations.RemoveConstraint(
            model_name='touchpoint',
            name='touchpoint_scale_known',
        ),
        migrations.AddField(
            model_name='touchpoint',
            name='accent',
            field=models.CharField(blank=True, max_length=7, verbose_name='accent colour'),
        ),
        migrations.AddField(
            model_name='touchpoint',
            name='category',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='customers.category', verbose_name='category'),
        ),
        migrations.AddField(
            model_name='touchpoint',
            name='counts_exposures',
            field=models.BooleanField(default=False, verbose_name='count how often it is shown'),
        ),
        migrations.AddField(
            model_name='touchpoint',
            name='labels',
            field=models.CharField(blank=True, choices=[('', 'Yes / No'), ('good', 'Good / Not good'), ('agree', 'Agree / Disagree')], default='', max_length=10, verbose_name='words on the thumbs'),
        ),
        migrations.AddField(
            model_name='touchpoint',
            name='origins',
            field=models.JSONField(blank=True, default=list, verbose_name='allowed addresses'),
        ),
        migrations.AddField(
            model_name='touchpoint',
            name='product',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='customers.product', verbose_name='product'),
        ),
        migrations.AddField(
            model_name='touchpoint',
            name='question_en',
            field=models.CharField(blank=True, max_length=200, verbose_name='question in English'),
        ),
        migrations.AddField(
            model_name='touchpoint',
            name='question_nl',
            field=models.CharField(blank=True, max_length=200, verbose_name='question in Dutch'),
        ),
        migrations.AddField(
            model_name='touchpoint',
            name='thanks_en',
            field=models.CharField(blank=True, max_length=200, verbose_name='thanks in English'),
        ),
        migrations.AddField(
            model_name='touchpoint',
            name='thanks_nl',
            field=models.CharField(blank=True, max_length=200, verbose_name='thanks in Dutch'),
        ),
        migrations.AddField(
            model_name='touchpoint',
            name='theme',
            field=models.CharField(blank=True, choices=[('', 'Automatic'), ('light', 'Light'), ('dark', 'Dark')], default='', max_length=10, verbose_name='theme'),
        ),
        migrations.AlterField(
            model_name='touchpoint',
            name='key',
            field=models.CharField(max_length=32, unique=True, verbose_name='key'),
        ),
        migrations.RunPython(keys_say_scale, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name='touchpoint',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('key__startswith', 'thumb-'), ('scale', 'thumb')), models.Q(('key__startswith', 'nps-'), ('scale', 'nps')), models.Q(('key__startswith', 'csat-'), ('scale', 'csat')), models.Q(('key__startswith', 'ces-'), ('scale', 'ces')), _connector='OR'), name='touchpoint_key_says_scale'),
        ),
        migrations.AddConstraint(
            model_name='touchpoint',
            constraint=models.CheckConstraint(condition=models.Q(('labels__in', ['', 'good', 'agree'])), name='touchpoint_labels_known'),
        ),
        migrations.AddConstraint(
            model_name='touchpoint',
            constraint=models.CheckConstraint(condition=models.Q(('theme__in', ['', 'light', 'dark'])), name='touchpoint_theme_known'),
        ),
        migrations.AddConstraint(
            model_name='campaign',
            constraint=models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='campaign_name_not_empty'),
        ),
        migrations.AddConstraint(
            model_name='campaign',
            constraint=models.CheckConstraint(condition=models.Q(('key', ''), _negated=True), name='campaign_key_not_empty'),
        ),
        migrations.AddField(
            model_name='response',
            name='campaign',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='feedback.campaign', verbose_name='campaign'),
        ),
        migrations.AddIndex(
            model_name='response',
            index=models.Index(condition=models.Q(('comment', ''), _negated=True), fields=['scale', '-answered_at'], name='response_comments'),
        ),
        migrations.AddField(
            model_name='exposure',
            name='touchpoint',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='feedback.touchpoint'),
        ),
        migrations.AddField(
            model_name='responseedit',
            name='response',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='edits', to='feedback.response'),
        ),
        migrations.AddField(
            model_name='responseedit',
            name='touchpoint',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='feedback.touchpoint'),
        ),
        migrations.AddConstraint(
            model_name='exposure',
            constraint=models.UniqueConstraint(fields=('touchpoint', 'day', 'kind', 'campaign_id'), name='exposure_key_unique'),
        ),
        migrations.AddConstraint(
            model_name='exposure',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['shown', 'answered', 'opened', 'confirmed'])), name='exposure_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='responseedit',
            constraint=models.UniqueConstraint(fields=('touchpoint', 'key'), name='responseedit_key_unique'),
        ),
        migrations.AddConstraint(
            model_name='responseedit',
            constraint=models.CheckConstraint(condition=models.Q(('key', ''), _negated=True), name='responseedit_key_not_empty'),
        ),
    ]
