from collections import defaultdict

from odoo import api, fields, models

from .healthcare_charge import PART_FIELDS
from .healthcare_charge_billing import CARE_DOCUMENTS

# responsibility -> suffix of the fields that tell what this party owes
PARTIES = {"client": "client", "primary": "payer", "secondary": "secondary"}
# Care in these stages has been given, and somebody owes it, invoiced or not.
OWED_STAGES = ("qa", "billing_office", "draft", "awaiting_payment", "finished")


class HealthcareCharge(models.Model):
    """What is still owed of a charge with all its corrections, and by whom (R4, R5).

    The part that is in the ledger is told by the ledger (``account.move._open_shares``), taxes
    included. What no posted invoice holds counts as it is quoted, untaxed. As whatever changes the
    balance is a child charge (service and finance charges, discounts, adjudication deltas), the
    sum over charge and children is the balance before as well as after adjudication.

    Told at the charge that is corrected; a correction itself has 0.00.
    """

    _inherit = "healthcare.charge"

    balance_client = fields.Monetary(
        string="Client's Balance", compute="_compute_balances", store=True
    )
    balance_payer = fields.Monetary(
        string="Payer's Balance", compute="_compute_balances", store=True
    )
    balance_secondary = fields.Monetary(
        string="Secondary Payer's Balance", compute="_compute_balances", store=True
    )
    amount_residual = fields.Monetary(
        string="Balance",
        compute="_compute_balances",
        store=True,
        help="What all parties owe, with corrections, less what was paid. Negative: a credit.",
    )
    ledger_client = fields.Monetary(
        compute="_compute_balances", store=True, help="The part of the balance that is posted."
    )
    ledger_payer = fields.Monetary(compute="_compute_balances", store=True)
    ledger_secondary = fields.Monetary(compute="_compute_balances", store=True)
    client_debtor_id = fields.Many2one(
        "res.partner",
        string="Client's Part Owed by",
        compute="_compute_balances",
        store=True,
        help="Addressee of the posted invoice, or else of the invoice to be.",
    )
    payer_debtor_id = fields.Many2one("res.partner", compute="_compute_balances", store=True)
    secondary_debtor_id = fields.Many2one("res.partner", compute="_compute_balances", store=True)
    amount_paid = fields.Monetary(
        string="Paid", compute="_compute_amount_paid", help="In money, by all parties."
    )

    _client_owes_idx = models.Index("(client_debtor_id) WHERE balance_client <> 0")
    _payer_owes_idx = models.Index("(payer_debtor_id) WHERE balance_payer <> 0")
    _secondary_owes_idx = models.Index("(secondary_debtor_id) WHERE balance_secondary <> 0")

    @api.depends(
        "parent_id",
        "currency_id",
        "billing_stage",
        "amount_client",
        "amount_payer",
        "amount_secondary",
        "payer_id",
        "billing_account_id.guarantor_id",
        "billing_account_id.coverage_ids",
        "invoice_line_ids.charge_live",
        "invoice_line_ids.price_total",
        "invoice_line_ids.move_id.amount_residual",
        "child_ids.billing_stage",
        "child_ids.amount_client",
        "child_ids.amount_payer",
        "child_ids.amount_secondary",
        "child_ids.invoice_line_ids.charge_live",
        "child_ids.invoice_line_ids.price_total",
        "child_ids.invoice_line_ids.move_id.amount_residual",
    )
    def _compute_balances(self):
        roots = self.filtered(lambda charge: not charge.parent_id)
        family = roots | roots.child_ids
        lines = family._posted_document_lines()
        ledger = roots._ledger_balances(lines)
        unbilled = family._unbilled_amounts(lines)
        debtors = roots._debtors(lines)
        for charge in self:
            known = charge.id in ledger
            total = 0.0
            for party, suffix in PARTIES.items():
                posted = ledger[charge.id][party] if known else 0.0
                balance = charge.currency_id.round(
                    posted + (unbilled[charge.id][party] if known else 0.0)
                )
                total += balance
                charge[f"ledger_{suffix}"] = posted
                charge[f"balance_{suffix}"] = balance
                charge[f"{suffix}_debtor_id"] = debtors.get((charge.id, party), False)
            charge.amount_residual = charge.currency_id.round(total)

    def _posted_document_lines(self):
        """Lines of posted invoices and credit notes that are about these charges.

        sudo: who may see a charge may know what is open on it, also without rights on the ledger.
        """
        return (
            self.env["account.move.line"]
            .sudo()
            .search_fetch(
                [
                    ("charge_id", "in", self.ids),
                    ("parent_state", "=", "posted"),
                    ("move_type", "in", CARE_DOCUMENTS),
                ],
                ["charge_id", "responsibility", "charge_live", "move_id", "credit_of_line_id"],
                order="id",
            )
        )

    def _ledger_balances(self, lines):
        """What is open in the ledger on these charges with their corrections.

        :param lines: of ``_posted_document_lines``, of the charges and their corrections
        :return: ``{charge id: {responsibility: amount}}``
        """
        balances = {charge.id: defaultdict(float) for charge in self}
        for shares in lines.move_id._open_shares().values():
            for (charge_id, party), amount in shares.items():
                if charge_id in balances:
                    balances[charge_id][party] += amount
        return {
            charge.id: defaultdict(
                float,
                {
                    party: charge.currency_id.round(amount)
                    for party, amount in balances[charge.id].items()
                },
            )
            for charge in self
        }

    def _unbilled_amounts(self, lines):
        """What no posted document holds of these charges, told at the charge that is corrected.

        :param lines: of ``_posted_document_lines``
        :return: ``{charge id: {responsibility: amount}}``
        """
        held = {(line.charge_id.id, line.responsibility) for line in lines if line.charge_live}
        amounts = defaultdict(lambda: defaultdict(float))
        for charge in self:
            if charge.billing_stage in OWED_STAGES:
                for party, name in PART_FIELDS.items():
                    if (charge.id, party) not in held:
                        amounts[charge._root().id][party] += charge[name]
        return amounts

    def _debtors(self, lines):
        """Who owes: the addressee of the posted document, or else of the invoice to be.

        A correction never says that somebody else owes the care: its charge's document does.

        :param lines: of ``_posted_document_lines``
        :return: ``{(charge id, responsibility): partner id}``
        """
        debtors = {}
        for charge in self:
            account = charge.billing_account_id
            debtors[charge.id, "client"] = (account.guarantor_id or charge.client_id).id
            if charge.amount_payer or charge._is_payer_responsible():
                debtors[charge.id, "primary"] = charge.payer_id.id
            if charge.amount_secondary:
                debtors[charge.id, "secondary"] = charge._secondary_coverage().payer_id.id
        known = set(self.ids)
        live = lines.filtered("charge_live")
        # the charge's own document comes last, so that it counts more than its corrections'
        for line in live.sorted(lambda line: not line.charge_id.parent_id):
            root = line.charge_id._root()
            if root.id in known:
                debtors[root.id, line.responsibility] = line.move_id.partner_id.id
        return debtors

    def _secondary_coverage(self):
        """The first other coverage of the billing account on the day of care.

        The engine asks the same of the database (``_secondary_payer_sql``).
        """
        self.ensure_one()
        return self.billing_account_id.coverage_ids.filtered(
            lambda coverage: (
                coverage.active
                and coverage.payer_id != self.payer_id
                and (not coverage.date_from or coverage.date_from <= self.service_date)
                and (not coverage.date_to or coverage.date_to >= self.service_date)
            )
        ).sorted(lambda coverage: (coverage.sequence, coverage.id))[:1]

    @api.depends("invoice_line_ids.move_id.amount_residual")
    def _compute_amount_paid(self):
        paid = self._paid_amounts()
        for charge in self:
            charge.amount_paid = paid[charge]
