"""Import products from a CSV file."""

from customers.importers import ProductImporter
from customers.management.import_command import ImportCommand


class Command(ImportCommand):
    help = "Import products from a CSV file."
    importer = ProductImporter
