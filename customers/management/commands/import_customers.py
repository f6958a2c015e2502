"""Import customers from a CSV file."""

from customers.importers import CustomerImporter
from customers.management.import_command import ImportCommand


class Command(ImportCommand):
    help = "Import customers from a CSV file."
    importer = CustomerImporter
