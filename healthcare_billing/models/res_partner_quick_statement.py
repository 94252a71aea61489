from odoo import api, fields, models
from odoo.tools import format_date

from .healthcare_statement_print import PrintedItem, PrintedStatement


class ResPartner(models.Model):
    """What a party owes today, on paper, without any workflow: nothing is kept or moved."""

    _inherit = "res.partner"

    def _quick_statement_name(self):
        """File name: the day, and no name of anybody."""
        day = fields.Date.to_string(fields.Date.context_today(self))
        return self.env._("Open items %s", day)

    def _printed_receivables(self):
        """All that these parties owe, or have as a credit, in the companies that are ticked.

        Parked care too: it is owed. A company and a currency are a document of their own; a party
        that owes nothing gets one that says so.

        :return: list of ``PrintedStatement``
        :raise AccessError: for whoever may not read receivables
        """
        receivables = self.env["healthcare.receivable"]
        receivables.check_access("read")
        rows = receivables.search([("partner_id", "in", self.ids)])
        # sudo: see healthcare.statement._printed
        found = rows.sudo().grouped(lambda row: (row.partner_id, row.company_id, row.currency_id))
        ledgers = self._open_ledgers()
        home = (self.env.company, self.env.company.currency_id)
        documents = []
        for partner in self:
            lang = partner.lang or self.env.lang
            places = [key[1:] for key in found if key[0] == partner]
            besides = [place for place in ledgers[partner] if place not in places]
            own = [
                found.get((partner, *place), rows.browse())
                .sudo()
                .with_context(lang=lang)
                ._printed_for(partner.sudo(), *place)
                for place in (*places, *besides) or (home,)
            ]
            # what is open besides may cancel itself out: then there is nothing to tell
            told = [document for document in own if document.groups or document.ledger]
            documents += told or own[:1]
        return documents

    def _open_ledgers(self):
        """Where these parties have open receivables, about care or not.

        :return: ``{partner: [(company, currency), …]}``, of the companies that are ticked
        """
        # sudo: see healthcare.statement._printed
        groups = (
            self.env["account.move.line"]
            .sudo()
            ._read_group(
                [
                    ("partner_id", "in", self.commercial_partner_id.ids),
                    ("company_id", "in", self.env.companies.ids),
                    ("parent_state", "=", "posted"),
                    ("account_type", "=", "asset_receivable"),
                    ("reconciled", "=", False),
                ],
                ["partner_id", "company_id", "currency_id"],
            )
        )
        places = {}
        for partner, company, currency in groups:
            places.setdefault(partner, []).append((company, currency))
        return {partner: places.get(partner.commercial_partner_id, []) for partner in self}


class HealthcareReceivable(models.Model):
    _inherit = "healthcare.receivable"

    def _printed_for(self, partner, company, currency):
        """One party's receivables as a document.

        :return: ``PrintedStatement``
        """
        statements = self.env["healthcare.statement"]
        today = fields.Date.context_today(self)
        charges = self.charge_id
        amounts = charges._item_amounts()
        invoices = charges._invoices_of_parties()
        items = [
            PrintedItem(
                row.charge_id,
                row.responsibility,
                *amounts[row.charge_id.id, row.responsibility],
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
        draft = statements.new(
            {"partner_id": partner.id, "company_id": company.id, "currency_id": currency.id}
        )
        ledger = draft._ledger_balance()
        total = currency.round(sum(item.due for item in items) + ledger)
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

    def _invoices_of_parties(self):
        """On which documents these charges and their corrections are asked for.

        :return: ``{(charge id, responsibility): [number, …]}``
        """
        numbers = {}
        for line in self._family()._posted_document_lines():
            if not line.charge_live:
                continue
            key = (line.charge_id._root().id, line.responsibility)
            if line.move_id.name not in (own := numbers.setdefault(key, [])):
                own.append(line.move_id.name)
        return numbers


class ReportQuickStatement(models.AbstractModel):
    _name = "report.healthcare_billing.report_quick_statement"
    _description = "Quick Statement"

    @api.model
    def _get_report_values(self, docids, data=None):
        partners = self.env["res.partner"].browse(docids)
        return {"docs": partners, "documents": partners._printed_receivables()}
