from odoo import api, fields, models


class HealthcareBillingAccount(models.Model):
    """Expenses of a client: the markup that was agreed on, and what was recorded."""

    _inherit = "healthcare.billing.account"

    has_expense_markup = fields.Boolean(
        string="Own Markup on Expenses",
        tracking=True,
        help="Expenses cost this client the markup given here. Needed because 0 is a markup too: "
        "at cost.",
    )
    expense_markup = fields.Float(string="Markup on Expenses (%)", digits=(16, 2))
    # computed: an inverse with a domain would read each charge whose account is set by itself
    expense_ids = fields.Many2many("healthcare.charge", compute="_compute_expense_ids")

    _check_expense_markup = models.Constraint(
        "CHECK (expense_markup >= 0)", "The markup on expenses can't be negative."
    )

    def _compute_expense_ids(self):
        expenses = self.env["healthcare.charge"].search(
            [("billing_account_id", "in", self.ids), ("kind", "=", "expense")]
        )
        by_account = expenses.grouped("billing_account_id")
        for account in self:
            account.expense_ids = by_account.get(account._origin, expenses.browse())

    @api.onchange("expense_markup")
    def _onchange_expense_markup(self):
        if self.expense_markup:
            self.has_expense_markup = True

    @api.model
    def _mark_given_fee(self, vals):
        """A markup that is written is a given one, 0 included."""
        if "expense_markup" in vals:
            vals.setdefault("has_expense_markup", True)
        return super()._mark_given_fee(vals)

    def _expense_markup_percent(self):
        """What is added to the cost of expenses of this account.

        :return: percent, 10.0 is a tenth
        """
        self.ensure_one()
        if self.has_expense_markup:
            return self.expense_markup
        # sudo: who records expenses need not be allowed to read settings of the company
        return self.company_id.sudo().healthcare_expense_markup

    def action_new_expense(self):
        """Record an expense of this account."""
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(
                "healthcare_billing.healthcare_charge_action_new_expense"
            ),
            "context": {
                "default_kind": "expense",
                "default_billing_account_id": self.id,
                "default_client_id": self.client_id.id,
                "default_company_id": self.company_id.id,
            },
        }


class ResPartner(models.Model):
    _inherit = "res.partner"

    def action_new_expense(self):
        """Record an expense of this client."""
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(
                "healthcare_billing.healthcare_charge_action_new_expense"
            ),
            "context": {"default_kind": "expense", "default_client_id": self.id},
        }
