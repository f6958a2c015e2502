"""Measurements, each printed as a ratio of things measured side by side in one run.

Importing this package sets Django up with a var/ of its own, so that no measurement touches the
developer's; which database is measured is said in databases.py.
"""

import atexit
import logging
import os
import shutil
import tempfile

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "insights.settings"
os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="insights-bench-")
atexit.register(shutil.rmtree, os.environ["VAR_DIR"], ignore_errors=True)
django.setup()

# No broker runs here: a bell that nobody hears is no news.
logging.getLogger("customers.bell").setLevel(logging.ERROR)
