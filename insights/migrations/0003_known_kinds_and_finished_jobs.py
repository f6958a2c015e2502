from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("insights", "0002_roles_and_cache")]

    operations = [
        migrations.AddConstraint(
            model_name="importjob",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["customers", "products", "purchases", "responses"])),
                name="importjob_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="importjob",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["draft", "queued", "running", "done", "stopped"])
                ),
                name="importjob_status_known",
            ),
        ),
        migrations.AlterField(
            model_name="jobrun",
            name="finished_at",
            field=models.DateTimeField(verbose_name="finished at"),
        ),
        migrations.AlterField(
            model_name="jobrun",
            name="milliseconds",
            field=models.PositiveIntegerField(verbose_name="took (ms)"),
        ),
        migrations.AlterField(
            model_name="jobrun",
            name="succeeded",
            field=models.BooleanField(verbose_name="succeeded"),
        ),
    ]
