"""Counting jobs; the sweep of insights says when."""

from celery import shared_task

from feedback import tallies


@shared_task(name="fold")
def fold() -> None:
    """Move all waiting changes into the tallies."""
    tallies.follow_time_zone()
    tallies.fold_all()
