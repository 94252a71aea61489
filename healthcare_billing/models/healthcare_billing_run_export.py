from odoo import models
from odoo.tools import format_date, format_datetime


class HealthcareBillingRun(models.Model):
    """The run's list for the file: one row per invoice, and what was left out.

    Texts are written as texts: a client named ``=1+1`` is no formula. Accountants may read runs,
    so nothing here reads charges but through what runs say of them.
    """

    _name = "healthcare.billing.run"
    _inherit = ("healthcare.billing.run", "healthcare.xlsx.mixin")

    # -- what is told ----------------------------------------------------------------------------
    def _print_rows(self):
        """The run's rows, in few queries.

        :return: list of dicts: reference, partner, client, payer, items, amount, currency, company
            amount, state, message
        """
        self.ensure_one()
        lines = self.env["healthcare.billing.run.line"].search([("run_id", "=", self.id)])
        lines.move_id.fetch(["name", "billing_ref"])
        states = dict(lines._fields["state"]._description_selection(self.env))
        return [
            {
                "reference": line.move_id._care_reference()
                if line.move_id
                else line.billing_ref or "",
                "partner": line.partner_id.display_name,
                "client": line.client_id.display_name or "",
                "payer": line.payer_id.display_name or "",
                "items": line.charge_count,
                "amount": line.amount,
                "currency": line.currency_id,
                "amount_company": line.amount_company,
                "state": line.state,
                "state_name": self.env._("Not selected")
                if line.state == "planned" and not line.selected
                else states[line.state],
                "message": line.message or "",
            }
            for line in lines
        ]

    def _print_left_out(self):
        """What was left out, an item and reason each.

        :return: list of dicts: reason, client, date, appointment, amount, currency, remedy
        """
        self.ensure_one()
        exclusions = self.env["healthcare.billing.run.exclusion"].search([("run_id", "=", self.id)])
        # sudo: accountants may not read charges; runs tell them date, number and amount
        return [
            {
                "reason": exclusion.reason_id.name,
                "client": exclusion.client_id.display_name or "",
                "date": exclusion.service_date,
                "appointment": exclusion.sudo().appointment_id.name or "",
                "amount": exclusion.amount,
                "currency": exclusion.currency_id,
                "remedy": exclusion.remedy or "",
            }
            for exclusion in exclusions
        ]

    def _print_reasons(self):
        """What was left out, summed up by reason (and currency)."""
        self.ensure_one()
        return self.env["healthcare.billing.run.reason"].search([("run_id", "=", self.id)])

    def _print_totals(self, rows):
        """Number and amount of rows per state, in the run's currency.

        :param list rows: of ``_print_rows``
        :return: list of (state's name, rows, items, amount)
        """
        totals = {}
        for row in rows:
            count, items, amount = totals.get(row["state_name"], (0, 0, 0.0))
            totals[row["state_name"]] = (
                count + 1,
                items + row["items"],
                amount + row["amount_company"],
            )
        return [
            (name, count, items, self.currency_id.round(amount))
            for name, (count, items, amount) in totals.items()
        ]

    def _print_booked(self):
        """What the run's invoices say now, untaxed; None where it has none, or in several books.

        :return: amount in the run's currency
        """
        self.ensure_one()
        groups = self.env["account.move"]._read_group(
            [("billing_run_id", "=", self.id), ("state", "!=", "cancel")],
            ["company_id"],
            ["amount_untaxed_signed:sum"],
        )
        if len(groups) == 1 and groups[0][0].currency_id == self.currency_id:
            return groups[0][1]
        return None

    def _print_facts(self):
        """The run itself.

        :return: list of (label, text)
        """
        self.ensure_one()
        labels = self.fields_get(
            ["company_id", "invoice_date", "door", "user_id", "state", "executed_on"], ["string"]
        )
        doors = dict(self._fields["door"]._description_selection(self.env))
        states = dict(self._fields["state"]._description_selection(self.env))
        texts = {
            "company_id": self.company_id.display_name,
            "invoice_date": format_date(self.env, self.invoice_date),
            "door": doors[self.door],
            "user_id": self.user_id.display_name,
            "state": states[self.state],
            "executed_on": self.executed_on and format_datetime(self.env, self.executed_on),
        }
        return [(labels[name]["string"], text) for name, text in texts.items() if text]

    # -- spreadsheet -----------------------------------------------------------------------------
    def action_export_xlsx(self):
        """Download the run's rows, and what it left out, as a spreadsheet."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_url",
            "url": f"/healthcare_billing/run/{self.id}/xlsx",
            "target": "download",
        }

    def _xlsx_content(self):
        """The spreadsheet: invoices, what was left out, and the run itself.

        :return: bytes
        """
        self.ensure_one()
        rows = self._print_rows()
        return self._xlsx_workbook(
            (
                (self.env._("Invoices"), *self._xlsx_invoices(rows)),
                (self.env._("Left Out"), *self._xlsx_left_out()),
                (self.env._("Run"), *self._xlsx_run(rows)),
            )
        )

    def _xlsx_invoices(self, rows):
        columns = [
            (self.env._("Invoice"), 18),
            (self.env._("Invoiced to"), 28),
            (self.env._("Client"), 28),
            (self.env._("Payer"), 28),
            (self.env._("Items"), 8),
            (self.env._("Amount"), 12),
            (self.env._("Currency"), 9),
            (self.env._("Amount in %s", self.currency_id.name), 14),
            (self.env._("Status"), 13),
            (self.env._("Result"), 50),
        ]
        names = (
            "reference", "partner", "client", "payer", "items", "amount", "currency_name",
            "amount_company", "state_name", "message",
        )  # fmt: skip
        table = [
            tuple((row | {"currency_name": row["currency"].name})[name] for name in names)
            for row in rows
        ]
        return columns, table, (4, 7)

    def _xlsx_left_out(self):
        columns = [
            (self.env._("Reason"), 28),
            (self.env._("Client"), 28),
            (self.env._("Date of Service"), 15),
            (self.env._("Appointment"), 14),
            (self.env._("Amount"), 12),
            (self.env._("Currency"), 9),
            (self.env._("What to Do"), 60),
        ]
        names = (
            "reason", "client", "date", "appointment", "amount", "currency_name", "remedy",
        )  # fmt: skip
        table = [
            tuple((item | {"currency_name": item["currency"].name})[name] for name in names)
            for item in self._print_left_out()
        ]
        return columns, table, ()

    def _xlsx_run(self, rows):
        columns = [(self.env._("Billing Run"), 24), (self.name, 40)]
        table = self._print_facts() + [
            (self.env._("%s rows", name), amount)
            for name, _count, _items, amount in self._print_totals(rows)
        ]
        return columns, table, ()
