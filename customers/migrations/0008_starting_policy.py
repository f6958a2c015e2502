from datetime import UTC, datetime

from django.db import migrations

from customers.dose_documents import digest_of, document_of
from customers.starting_policy import starting_policy

# Older than whatever is decided by it.
EVER = datetime(2026, 1, 1, tzinfo=UTC)


def publish(apps, schema_editor):
    """Give a new shop a policy to start with: without one nobody may be contacted."""
    policy = starting_policy(1)
    document = document_of(policy)
    cells, ceilings = document.pop("cells"), document.pop("ceilings")
    version = apps.get_model("customers", "DosePolicy").objects.create(
        version=1, published_at=EVER, settings=document, digest=digest_of(policy)
    )
    rule = apps.get_model("customers", "DoseRule")
    same = ("customer_type", "channel", "limits", "gap_hours")
    rule.objects.bulk_create(
        rule(
            policy=version,
            is_ceiling="kinds" in row,
            involvement=row.get("involvement", ""),
            kinds=",".join(row.get("kinds", [])) or row.get("kind", ""),
            per=row.get("per", ""),
            **{name: row[name] for name in same},
        )
        for row in [*cells, *ceilings]
    )


class Migration(migrations.Migration):

    dependencies = [
        ("customers", "0007_dosing"),
    ]

    operations = [
        migrations.RunPython(publish, migrations.RunPython.noop),
    ]
