from odoo import models

from ..tools.csv_file import csv_file


class HealthcareStatement(models.Model):
    """Statements as tables: a row per item."""

    _name = "healthcare.statement"
    _inherit = ("healthcare.statement", "healthcare.xlsx.mixin")

    def _export_columns(self):
        """Titles and widths of the columns, in their order.

        :return: list of (title, width)
        """
        return [
            (self.env._("Statement"), 14),
            (self.env._("Your Number"), 14),
            (self.env._("Date"), 12),
            (self.env._("Addressee"), 28),
            (self.env._("State"), 14),
            (self.env._("Appointment"), 14),
            (self.env._("Date of Service"), 12),
            (self.env._("Client"), 28),
            (self.env._("Code"), 10),
            (self.env._("Service"), 28),
            (self.env._("Owed by"), 16),
            (self.env._("Invoice"), 20),
            (self.env._("Distance (miles)"), 10),
            (self.env._("Waiting (minutes)"), 10),
            (self.env._("Price"), 12),
            (self.env._("Amount Due"), 12),
            (self.env._("Balance Today"), 12),
            (self.env._("Currency"), 9),
        ]

    def _told_rows(self):
        """What the statements tell, an item a row; a ledger balance is a row of its own.

        :return: list of tuples, as ``_export_columns``: texts, dates and numbers
        :raise AccessError: the user may not read one of the statements
        """
        self.check_access("read")
        statements = self.sudo()  # sudo: see _printed
        states = dict(self._fields["state"]._description_selection(self.env))
        parties = statements.line_ids.charge_id._party_labels()
        invoices = statements.line_ids.charge_id._invoices_of_parties()
        rows = []
        for statement in statements:
            head = (
                statement.name,
                statement.custom_ref or "",
                statement.date,
                statement.partner_id.name or "",
                states[statement.state],
            )
            currency = statement.currency_id.name
            for line in statement.line_ids:
                charge = line.charge_id
                numbers = invoices.get((charge.id, line.responsibility), ())
                rows.append(
                    (
                        *head,
                        line.appointment_id.name or "",
                        line.service_date,
                        charge.client_id.name or "",
                        charge.product_id.default_code or "",
                        charge.product_id.name or charge.description or "",
                        parties[line.responsibility],
                        ", ".join(numbers),
                        line.distance,
                        line.waiting_minutes,
                        line.price,
                        line.amount_due,
                        line.balance,
                        currency,
                    )
                )
            if statement.settles_ledger:
                text = self.env._("Ledger balance")
                ledger = statement.ledger_amount
                rows.append(
                    (*head, "", None, "", "", text, "", "", 0.0, 0, ledger, ledger, None, currency)
                )
        return rows

    def _export_csv(self):
        """The statements as a CSV file that no spreadsheet takes for formulas: bytes."""
        return csv_file([title for title, _width in self._export_columns()], self._told_rows())

    def _export_xlsx(self):
        """The statements as a spreadsheet, with sums where there is one currency: bytes."""
        columns = self._export_columns()
        place = len(columns)
        totals = (place - 3,) if len(self.currency_id) == 1 else ()  # Amount Due
        name = self.env._("Statements")
        return self[:1]._xlsx_workbook([(name, columns, self._told_rows(), totals)])

    def action_export(self):
        """Ask for the kind of file, and download it."""
        return self.env["healthcare.statement.export"]._open(self)
