"""What the answers mean; also the project package: the top floor that knows all others."""

from insights.celery import app as celery_app

__all__ = ["celery_app"]
