"""Dutch numbers and dates of the product: 12.430, 63,2%, 22 november 2026, 24-hour times."""

DECIMAL_SEPARATOR = ","
THOUSAND_SEPARATOR = "."
NUMBER_GROUPING = 3
DATE_FORMAT = "j F Y"
SHORT_DATE_FORMAT = "j b Y"
MONTH_DAY_FORMAT = "j b"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j F Y H:i"
SHORT_DATETIME_FORMAT = "j b Y H:i"
FIRST_DAY_OF_WEEK = 1
