"""CSV files that open in spreadsheets, in which nothing that somebody typed becomes a formula."""

import csv  # pylint: disable=deprecated-module  # Odoo 19's own csv_writer names it instead
from io import StringIO

# A spreadsheet takes a text that begins so for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_file(titles, rows, encoding="utf-8-sig"):
    """A CSV file.

    :param titles: texts of the first row
    :param rows: iterable of rows: texts are made safe, numbers written as they are (floats as
        money, with two decimals), dates in ISO format, what is False or None is left empty
    :param str encoding: UTF-8 with the mark by which spreadsheets know it; ``utf-8`` for programs,
        which may take the mark for a part of the first title
    :return: bytes
    """
    output = StringIO()
    writer = csv.writer(output, lineterminator="\r\n")
    writer.writerow(titles)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return output.getvalue().encode(encoding)


def _cell(value):
    if value is None or value is False:
        return ""
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return str(value)
