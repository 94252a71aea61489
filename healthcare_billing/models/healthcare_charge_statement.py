from odoo import api, fields, models
from odoo.exceptions import UserError

from .healthcare_charge_balance import PARTIES

COUNT_FIELDS = {party: f"statement_count_{suffix}" for party, suffix in PARTIES.items()}
# Told by statements, payers' decisions and "Return to Billing Office" only.
RETURNED_FIELDS = {f"returned_{suffix}" for suffix in PARTIES.values()}


class HealthcareCharge(models.Model):
    """A charge on the way of statements: which ones hold it, and whether it came back.

    What a posted invoice asks of a party awaits payment. When a statement is closed without full
    payment, or a payer denied it, it comes back to the billing office for that party, though the
    ledger goes on holding it: the next differential statement takes it in. A statement that is
    committed takes it away again.
    """

    _inherit = "healthcare.charge"

    statement_line_ids = fields.One2many(
        "healthcare.statement.line",
        "charge_id",
        string="Statements",
        groups="healthcare_billing.group_billing_user,account.group_account_readonly",
    )
    statement_count = fields.Integer(
        string="Times Billed",
        compute="_compute_statement_count",
        store=True,
        help="How often it came back from statements that were closed as unpaid: of its parties, "
        "the one that was asked most often.",
    )
    statement_count_client = fields.Integer(compute="_compute_statement_count", store=True)
    statement_count_payer = fields.Integer(compute="_compute_statement_count", store=True)
    statement_count_secondary = fields.Integer(compute="_compute_statement_count", store=True)
    returned_client = fields.Boolean(
        readonly=True, copy=False, help="The client's part is back at the billing office."
    )
    returned_payer = fields.Boolean(readonly=True, copy=False)
    returned_secondary = fields.Boolean(readonly=True, copy=False)
    returned_to_billing = fields.Boolean(
        string="Back at the Billing Office",
        compute="_compute_returned_to_billing",
        store=True,
        help="Invoiced, not paid, and to be told on the next statement.",
    )

    @api.depends("statement_line_ids.statement_id.state", "statement_line_ids.outcome")
    def _compute_statement_count(self):
        """What came back, per party: an item that goes on being asked for elsewhere did not."""
        lines = self.env["healthcare.statement.line"].sudo()  # whoever sees a charge sees its count
        counts = {
            (charge.id, party): count
            for charge, party, count in lines._read_group(
                [
                    ("charge_id", "in", self.ids),
                    ("statement_id.state", "=", "unpaid"),
                    ("outcome", "=", "returned"),
                ],
                ["charge_id", "responsibility"],
                ["__count"],
            )
        }
        for charge in self:
            own = {name: counts.get((charge.id, party), 0) for party, name in COUNT_FIELDS.items()}
            for name, count in own.items():
                charge[name] = count
            charge.statement_count = max(own.values())

    @api.depends(
        *(f"{name}_{suffix}" for name in ("returned", "ledger") for suffix in PARTIES.values())
    )
    def _compute_returned_to_billing(self):
        for charge in self:
            charge.returned_to_billing = any(
                charge[f"returned_{suffix}"] and charge[f"ledger_{suffix}"]
                for suffix in PARTIES.values()
            )

    # -- nobody types it -------------------------------------------------------------------------
    @api.model
    def _guarded_names(self):
        return super()._guarded_names() | RETURNED_FIELDS

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_not_returned(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._check_not_returned(vals)
        return super().write(vals)

    @api.model
    def _check_not_returned(self, vals):
        if not self.env.su and any(
            any(charge[name] != bool(vals[name]) for charge in self) if self else vals[name]
            for name in RETURNED_FIELDS & set(vals)
        ):
            raise UserError(
                self.env._(
                    "What is back at the billing office is told by its statements: use “Return to "
                    "Billing Office” on the receivable."
                )
            )

    def _set_returned(self, party, returned=True):
        """Take a party's part of these charges back to the billing office, or away from it.

        What isn't invoiced can't come back: it is where its stage says.

        :param str party: responsibility
        """
        suffix = PARTIES[party]
        charges = self.sudo()  # system-only; who may close or commit a statement was asked before
        if returned:
            charges = charges.filtered(f"ledger_{suffix}")
        charges.filtered(lambda charge: charge[f"returned_{suffix}"] != returned).write(
            {f"returned_{suffix}": returned}
        )
