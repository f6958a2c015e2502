"""Import answers from a CSV file."""

from customers.management.import_command import ImportCommand
from feedback.importers import ResponseImporter


class Command(ImportCommand):
    help = "Import answers from a CSV file."
    importer = ResponseImporter
