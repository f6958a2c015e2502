"""Import contacts that other systems had with customers from a CSV file."""

from customers.contact_importer import ContactImporter
from customers.management.import_command import ImportCommand


class Command(ImportCommand):
    help = "Import what was sent to customers from a CSV file, so that the dose counts it too."
    importer = ContactImporter
