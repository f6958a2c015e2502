"""Measurements, each printed as a ratio of things measured side by side in one run.

Importing this package sets Django up with a var/ of its own, so that no measurement touches the
developer's; which database is measured is said in databases.py.
"""

import atexit
import logging
import os
import shutil
import signal
import sys
import tempfile

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "insights.settings"
os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="insights-bench-")
atexit.register(shutil.rmtree, os.environ["VAR_DIR"], ignore_errors=True)
django.setup()

# Leave by the way that stops servers and removes their data; 143 says "ended by SIGTERM".
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

# No broker runs here: a bell that nobody hears is no news.
logging.getLogger("customers.bell").setLevel(logging.ERROR)
