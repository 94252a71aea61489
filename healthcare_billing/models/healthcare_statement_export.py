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
        _ = self.env._
        return [
            (_("Statement"), 14), (_("Your Number"), 14), (_("Date"), 12), (_("Addressee"), 28),
            (_("State"), 14), (_("Appointment"), 14), (_("Date of Service"), 12), (_("Client"), 28),
            (_("Code"), 10), (_("Service"), 28), (_("Owed by"), 16), (_("Invoice"), 20),
            (_("Distance (miles)"), 10), (_("Waiting (minutes)"), 10), (_("Price"), 12),
            (_("Amount Due"), 12), (_("Balance Today"), 12), (_("Currency"), 9),
        ]  # fmt: skip

    def _export_rows(self):
        """What the statements tell, an item a row; a ledger balance is a row of its own.

        :return: list of tuples, as ``_export_columns``: texts, dates and numbers
        :raise AccessError: the user may not read one of the statements
        """
        self.check_access("read")
        statements = self.sudo()  # sudo: see _printed
        states = dict(self._fields["state"]._description_selection(self.env))
        parties = statements.line_ids.charge_id._party_labels()
        _prices, invoices = statements.line_ids.charge_id._asked_of_parties()
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
                due = statement._ledger_due_now() if statement.state == "committed" else 0.0
                rows.append(
                    (*head, "", None, "", "", text, "", "", 0.0, 0, ledger, ledger, due, currency)
                )
        return rows

    def _export_csv(self):
        """The statements as a CSV file that no spreadsheet takes for formulas: bytes."""
        return csv_file([title for title, _width in self._export_columns()], self._export_rows())

    def _export_xlsx(self):
        """The statements as a spreadsheet, with sums where there is one currency: bytes."""
        columns = self._export_columns()
        place = len(columns)
        totals = (place - 3, place - 2) if len(self.currency_id) == 1 else ()
        name = self.env._("Statements")
        return self[:1]._xlsx_workbook([(name, columns, self._export_rows(), totals)])

    def action_export(self):
        """Ask for the kind of file, and download it."""
        return self.env["healthcare.statement.export"]._open(self)
