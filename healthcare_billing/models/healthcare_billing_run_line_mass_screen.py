from odoo import api, fields, models
from odoo.exceptions import UserError

EXPENSE_FORM = "healthcare_billing.healthcare_charge_view_form_expense"


class HealthcareBillingRunLine(models.Model):
    """A row of mass billing on the screen: delivery, and the way to what can be mended."""

    _inherit = "healthcare.billing.run.line"

    door = fields.Selection(related="run_id.door")
    department_id = fields.Many2one(related="billing_account_id.department_id")
    delivery = fields.Char(
        compute="_compute_delivery",
        compute_sudo=True,
        help="Of the billing account: how its bills are sent once they are approved.",
    )

    @api.depends(
        "account_count",
        "partner_id.email",
        "billing_account_id.delivery_email",
        "billing_account_id.print_copies",
    )
    def _compute_delivery(self):
        copies = dict(
            self.env["healthcare.billing.account"]
            ._fields["print_copies"]
            ._description_selection(self.env)
        )
        for line in self:
            accounts = line.billing_account_id
            if line.account_count > 1:  # as its bill: to the payer, with the most copies
                accounts = line._mass_accounts()
            ways = accounts[:1].mapped("delivery_email") if len(accounts) == 1 else []
            wanted = any(accounts.mapped("delivery_email"))
            if wanted and (len(accounts) > 1 or accounts._agreed_addressee() != line.partner_id):
                ways = [line.partner_id.email or self.env._("No Address")]
            ways = [way for way in ways if way]
            most = max(accounts.mapped("print_copies"), default="0")
            if most != "0":
                ways.append(copies[most])
            line.delivery = " · ".join(ways) or self.env._("None")

    def _compute_amounts_now(self):
        result = super()._compute_amounts_now()
        for line in self:
            # what was agreed is billed, whatever the items come to
            if line.door == "mass" and line.basis != "wip":
                line.amount_now = line._origin.amount
        return result

    def action_view_account(self):
        """Open the billing account, to change what was agreed or how bills are sent."""
        self.ensure_one()
        if not self.billing_account_id:
            raise UserError(
                self.env._(
                    "This bill is for %s billing accounts: open them from its items.",
                    self.account_count,
                )
            )
        return self.billing_account_id.get_formview_action()

    def new_charge_defaults(self, kind):
        """Context for the form of a charge that goes on this row's bill.

        :param str kind: ``service`` or ``expense``
        :return: dict: the defaults, and the form for expenses
        """
        self.ensure_one()
        account = self.billing_account_id
        form = {"form_view_ref": EXPENSE_FORM} if kind == "expense" else {}
        return {
            **form,
            "default_kind": kind,
            "default_company_id": self.company_id.id,
            "default_client_id": account.client_id.id,
            "default_billing_account_id": account.id,
            "default_payer_id": account.payer_id.id,
            "default_department_id": account.department_id.id,
            "default_service_date": fields.Date.to_string(self.run_id.date_up_to),
        }

    def plan_new_charge(self, charge_id):
        """Put a charge that was added from this row on its bill, or where it belongs.

        :return: whether this row is still there
        """
        self.ensure_one()
        charge = self.env["healthcare.charge"].browse(charge_id)
        charge.check_access("read")
        self.run_id._replan(charge)
        return bool(self.exists())
