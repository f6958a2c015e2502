#!/usr/bin/env python
"""Django's command line for this project."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "insights.settings")
    try:
        from django.core.management import execute_from_command_line  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        raise SystemExit(
            f"{missing.name} is not installed here. Run `python3 start.py setup` first, "
            "then use .venv/bin/python manage.py"
        ) from None
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
