from odoo import api, fields, models
from odoo.tools import format_date

from .healthcare_charge import PART_FIELDS
from .healthcare_statement_print import PrintedItem, PrintedStatement

QUICK_REPORT = "healthcare_billing.healthcare_quick_statement_report"


class ResPartner(models.Model):
    """What a party owes today, on paper, without any workflow: nothing is kept or moved."""

    _inherit = "res.partner"

    def action_quick_statement(self):
        """Download what these parties owe today, one document each."""
        return self.env.ref(QUICK_REPORT).report_action(self)

    def _quick_statement_name(self):
        """File name: the day, and no name of anybody."""
        day = fields.Date.to_string(fields.Date.context_today(self))
        return self.env._("Open items %s", day)

    def _printed_receivables(self):
        """All that these parties owe, or have as a credit, in the companies that are ticked.

        Parked care too: it is owed. A party that owes nothing gets a document that says so.

        :return: list of ``PrintedStatement``
        :raise AccessError: for whoever may not read receivables
        """
        receivables = self.env["healthcare.receivable"]
        receivables.check_access("read")
        rows = receivables.search([("partner_id", "in", self.ids)])
        # sudo: see healthcare.statement._printed
        found = rows.sudo().grouped(lambda row: (row.partner_id, row.company_id, row.currency_id))
        documents = []
        for partner in self:
            own = [(key, rows) for key, rows in found.items() if key[0] == partner]
            none = [((partner, self.env.company, self.env.company.currency_id), rows.browse())]
            for (_partner, company, currency), part in own or none:
                documents.append(
                    part.sudo()
                    .with_context(lang=partner.lang or self.env.lang)
                    ._printed_for(partner.sudo(), company, currency)
                )
        return documents


class HealthcareReceivable(models.Model):
    _inherit = "healthcare.receivable"

    def _printed_for(self, partner, company, currency):
        """One party's receivables as a document.

        :return: ``PrintedStatement``
        """
        statements = self.env["healthcare.statement"]
        today = fields.Date.context_today(self)
        charges = self.charge_id
        prices, invoices = charges._asked_of_parties()
        prepaid = charges._prepaid_amounts()
        due = {
            row: currency.round(
                row.balance - prepaid.get((row.charge_id.id, row.responsibility), 0.0)
            )
            for row in self
        }
        items = [
            PrintedItem(
                row.charge_id,
                row.responsibility,
                prices[row.charge_id.id, row.responsibility],
                due[row],
                due[row],
                row.appointment_id.distance,
                row.appointment_id.waiting_minutes,
                ", ".join(invoices.get((row.charge_id.id, row.responsibility), ())),
            )
            for row in self
        ]
        told = {
            charge_id: [
                activity
                for activity in activities
                if not activity.statement or activity.statement.partner_id == partner
            ]
            for charge_id, activities in charges._activities().items()
        }
        groups = statements._group_items(items, told)
        draft = statements.new({"partner_id": partner.id, "company_id": company.id})
        ledger = draft._ledger_balance()
        total = currency.round(sum(due.values()) + ledger)
        return PrintedStatement(
            title=self.env._("Open items"),
            number="",
            company=company,
            partner=partner,
            currency=currency,
            facts=[(self.env._("Date"), format_date(self.env, today))],
            comment="",
            groups=groups,
            ledger=None if currency.is_zero(ledger) else ledger,
            due=total,
            now=max(total, 0.0),
            ages=statements._ages(groups, today),
            pay_url="",
            pay_qr="",
            draft=False,
            others=any(charge.client_id != partner for charge in charges),
        )


class HealthcareCharge(models.Model):
    _inherit = "healthcare.charge"

    def _asked_of_parties(self):
        """What was asked for these charges without their corrections, and on which invoices.

        :return: ``({key: price}, {key: [number]})`` with keys (charge id, responsibility); prices
            with taxes where they are invoiced, as quoted where not
        """
        prices = {
            (charge.id, party): charge[name]
            for charge in self
            for party, name in PART_FIELDS.items()
        }
        numbers = {}
        for line in self._family()._posted_document_lines():
            if not line.charge_live:
                continue
            key = (line.charge_id._root().id, line.responsibility)
            if not line.charge_id.parent_id:
                prices[key] = line.price_total
            if line.move_id.name not in (own := numbers.setdefault(key, [])):
                own.append(line.move_id.name)
        return prices, numbers


class ReportQuickStatement(models.AbstractModel):
    _name = "report.healthcare_billing.report_quick_statement"
    _description = "Quick Statement"

    @api.model
    def _get_report_values(self, docids, data=None):
        partners = self.env["res.partner"].browse(docids)
        return {"docs": partners, "documents": partners._printed_receivables()}
