"""Import permissions from a CSV file."""

from customers.consent_importer import ConsentImporter
from customers.management.import_command import ImportCommand


class Command(ImportCommand):
    help = (
        "Import permissions from a CSV file. A no in the file always counts, a yes only with its "
        "date, method, source and exact text, and never against a no that stands."
    )
    importer = ConsentImporter
