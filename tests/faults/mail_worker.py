"""A worker for tests that kill it: sends what waits, over and over."""

import os
import sys
import time
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ["DJANGO_SETTINGS_MODULE"] = "insights.settings"
django.setup()

from django.utils import timezone  # noqa: E402  (after the settings)

from insights.organisation import mail_sender  # noqa: E402
from mailings.sending import send_due  # noqa: E402

if __name__ == "__main__":
    while True:
        send_due(mail_sender(), timezone.now(), timezone.now)
        time.sleep(0.1)
