"""Import what a mail tool did with a send list from a CSV file."""

from customers.management.import_command import ImportCommand
from mailings.report_importer import ReportImporter


class Command(ImportCommand):
    help = "Import the report of a mail tool: which mails of a send list went, and which did not."
    importer = ReportImporter
