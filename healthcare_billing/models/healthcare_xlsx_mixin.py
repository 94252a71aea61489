from io import BytesIO

from odoo import models

# What a cell can hold.
XLSX_MAX_TEXT = 32767


class HealthcareXlsxMixin(models.AbstractModel):
    """Spreadsheets of tables, in which a text is always a text, whatever it begins with.

    Records need a ``currency_id``, by which totals are rounded.
    """

    _name = "healthcare.xlsx.mixin"
    _description = "Spreadsheets"

    def _xlsx_workbook(self, sheets):
        """A spreadsheet.

        :param sheets: iterable of (name, columns, rows, totals), see ``_write_sheet``
        :return: bytes
        """
        import xlsxwriter  # as core does: nothing needs it at start

        output = BytesIO()
        workbook = xlsxwriter.Workbook(
            output, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        )
        formats = {
            "title": workbook.add_format({"bold": True, "bottom": 1}),
            "money": workbook.add_format({"num_format": "#,##0.00"}),
            "date": workbook.add_format({"num_format": "yyyy-mm-dd"}),
            "total": workbook.add_format({"bold": True, "num_format": "#,##0.00", "top": 1}),
            "count": workbook.add_format({"bold": True, "top": 1}),
        }
        for name, columns, rows, totals in sheets:
            self._write_sheet(workbook.add_worksheet(name[:31]), formats, columns, rows, totals)
        workbook.close()
        return output.getvalue()

    def _write_sheet(self, sheet, formats, columns, rows, totals):
        """A table: titles, rows, and sums of some columns below.

        :param list columns: (title, width)
        :param list rows: tuples of texts, numbers and dates
        :param tuple totals: positions of the columns to add up
        """
        for place, (title, width) in enumerate(columns):
            sheet.set_column(place, place, width)
            sheet.write_string(0, place, title, formats["title"])
        for number, row in enumerate(rows, start=1):
            for place, value in enumerate(row):
                self._write_cell(sheet, number, place, value, formats)
        for place in totals if rows else ():
            total = sum(row[place] for row in rows)
            if isinstance(total, float):
                total = self.currency_id.round(total)
                sheet.write_number(len(rows) + 1, place, total, formats["total"])
            else:
                sheet.write_number(len(rows) + 1, place, total, formats["count"])
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(len(rows), 1), len(columns) - 1)

    def _write_cell(self, sheet, row, place, value, formats):
        """A text is always a text, whatever it begins with."""
        if not value and not isinstance(value, (int, float)) or value is False:
            return
        if isinstance(value, str):
            sheet.write_string(row, place, value[:XLSX_MAX_TEXT])
        elif isinstance(value, float):
            sheet.write_number(row, place, value, formats["money"])
        elif isinstance(value, int):
            sheet.write_number(row, place, value)
        else:
            sheet.write_datetime(row, place, value, formats["date"])
