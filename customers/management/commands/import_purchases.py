"""Import purchases from a CSV file."""

from customers.importers import PurchaseImporter
from customers.management.import_command import ImportCommand


class Command(ImportCommand):
    help = "Import purchases from a CSV file."
    importer = PurchaseImporter
