from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.mail import email_split_and_normalize

from .account_move_mass import BILL_TEMPLATES


class HealthcareBillingAccount(models.Model):
    """Billing options: what is agreed on, and how bills are delivered.

    Mass billing applies them without asking, and shows on each row what they make of it.
    """

    _inherit = "healthcare.billing.account"

    exclude_from_mass_billing = fields.Boolean(
        tracking=True, help="Billed one by one, never by mass billing."
    )
    billing_basis = fields.Selection(
        [("wip", "Work in Progress"), ("quote", "Quote"), ("fixed", "Fixed Fee")],
        default="wip",
        required=True,
        tracking=True,
        help="Work in progress: what was recorded. Quote: the quoted sum in total, whatever was "
        "recorded. Fixed fee: the fee of each month, or of each instalment that is due.",
    )
    quote_amount = fields.Monetary(
        string="Quote or Fee",
        tracking=True,
        help="Untaxed. A quote is for all work until it is raised; a fixed fee without instalments "
        "is for each month.",
    )
    expenses_on_top = fields.Boolean(
        string="Expenses on Top",
        help="The quote or fee covers the time only: expenses are billed besides.",
    )
    instalment_ids = fields.One2many(
        "healthcare.billing.instalment", "account_id", string="Instalments", copy=True
    )
    adjustment_product_id = fields.Many2one(
        "product.product",
        string="Difference Booked on",
        domain="[('is_healthcare_service', '=', True)]",
        check_company=True,
        ondelete="restrict",
        help="Service whose income account takes the difference between the recorded work and "
        "what is billed. Empty: the one in Settings.",
    )
    quote_billed = fields.Monetary(
        compute="_compute_quote_billed",
        string="Billed of the Quote",
        compute_sudo=True,
        help="On invoices and drafts, less credits.",
    )
    quote_left = fields.Monetary(compute="_compute_quote_billed", compute_sudo=True)

    # -- delivery --------------------------------------------------------------------------------
    delivery_email = fields.Char(
        string="Bills to E-mail",
        tracking=True,
        help="Addresses, separated by commas, that get the bills of whoever the account's work is "
        "billed to: the payer, where bills go to one, else the client. What others owe (a co-pay, "
        "a late cancellation, a second payer) is e-mailed to the address on their own contact. "
        "Empty: none is sent.",
    )
    print_copies = fields.Selection(
        [("0", "Do Not Print"), ("1", "1 Copy"), ("2", "2 Copies")],
        default="0",
        required=True,
        tracking=True,
    )
    delivery_template_id = fields.Many2one(
        "mail.template",
        string="E-mail Template",
        domain="[('model', '=', 'account.move')]",
        help="Empty: the e-mail for invoices of care.",
    )
    invoice_template_id = fields.Many2one(
        "ir.actions.report",
        string="Bill Template",
        domain=BILL_TEMPLATES,
        help="Empty: the invoice of care.",
    )

    _check_quote_amount = models.Constraint(
        "CHECK (quote_amount >= 0)", "A quote or fee can't be negative."
    )

    @api.depends("quote_amount")
    def _compute_quote_billed(self):
        """From the ledger, as it is when it is asked for: nothing announces that it changed."""
        billed = self._billed_of_quote()
        for account in self:
            account.quote_billed = billed.get(account._origin.id, 0.0)
            account.quote_left = max(account.quote_amount - account.quote_billed, 0.0)

    def _billed_of_quote(self):
        """What stands on invoices and drafts of what quotes of these accounts cover.

        :return: ``{account id: untaxed amount in company currency, less credits}``
        """
        self.env.flush_all()
        return dict(
            self.env.execute_query(
                SQL(
                    """SELECT c.billing_account_id,
                              SUM(-l.balance + SIGN(l.balance) * COALESCE(l.charge_credited, 0))
                         FROM healthcare_charge c
                         JOIN account_move_line l ON l.charge_id = c.id AND l.charge_live
                          AND l.responsibility = c.covered_party
                        WHERE c.billing_account_id = ANY(%s) AND c.covered_by = 'quote'
                     GROUP BY 1""",
                    self.ids,
                )
            )
        )

    @api.constrains("delivery_email")
    def _check_delivery_email(self):
        for account in self.filtered("delivery_email"):
            given = [part for part in account.delivery_email.split(",") if part.strip()]
            if len(email_split_and_normalize(account.delivery_email)) < len(given):
                raise ValidationError(
                    self.env._(
                        "“%s” isn't a list of e-mail addresses. Separate them by commas.",
                        account.delivery_email,
                    )
                )

    def _agreed_party(self):
        """Who agreed to a quote or fixed fee: the payer, else the client.

        :return: responsibility
        """
        self.ensure_one()
        model = self.payer_id.invoicing_model or "client_individual"
        return "client" if model == "client_individual" else "primary"

    def _agreed_addressee(self):
        """To whom the agreed party's work is billed: the account's addresses are for these bills.

        :return: ``res.partner`` record
        """
        self.ensure_one()
        engine = self.env["healthcare.billing.engine"]
        return self.env["res.partner"].browse(
            engine._addressee(engine._account_row(self), self._agreed_party(), {})[2]
        )

    # -- mass billing ----------------------------------------------------------------------------
    @api.model
    def _mass_eligible_domain(self, run):
        """Accounts that may have a row at all: what is to bill is another matter (R24)."""
        drafted = self.env["healthcare.billing.engine"]._accounts_with_draft_sql(run)
        self.env.flush_all()
        with_draft = [account_id for (account_id,) in self.env.execute_query(drafted)]
        return Domain.AND(
            [condition for condition, _text in self._mass_conditions()]
            + [Domain("id", "not in", with_draft)]
        )

    @api.model
    def _mass_conditions(self):
        """What must hold of an account that has a row, and what is said where it doesn't (R24).

        :return: list of ``(Domain, function of one account that tells why not)``, in the order in
            which a biller would look
        """
        return [
            (
                Domain("active", "=", True),
                lambda account: self.env._("The billing account is archived."),
            ),
            (
                Domain("client_id.active", "=", True),
                lambda account: self.env._("The client is archived."),
            ),
            (
                Domain("billable", "=", True),
                lambda account: self.env._("The billing account isn't billable."),
            ),
            (
                Domain("billing_status", "=", "active"),
                lambda account: self.env._(
                    "The billing account isn't active: %s.", account._told_status()
                ),
            ),
            (
                Domain("exclude_from_mass_billing", "=", False),
                lambda account: self.env._("It is excluded from mass billing."),
            ),
            (
                Domain("payer_id", "not any", [("invoicing_model", "=", "payer_file")]),
                lambda account: self.env._(
                    "%s is billed by billing cycles only.", account.payer_id.name
                ),
            ),
        ]

    def _told_status(self):
        statuses = self._fields["billing_status"]._description_selection(self.env)
        return dict(statuses)[self.billing_status]

    def _last_billed(self):
        """When these accounts were billed last.

        :return: ``{account id: date}``, only those that were
        """
        self.env.flush_all()
        return dict(
            self.env.execute_query(
                SQL(
                    """SELECT c.billing_account_id, MAX(m.invoice_date)
                         FROM healthcare_charge c
                         JOIN account_move_line l ON l.charge_id = c.id AND l.charge_live
                         JOIN account_move m ON m.id = l.move_id AND m.state = 'posted'
                        WHERE c.billing_account_id = ANY(%s)
                     GROUP BY 1""",
                    self.ids,
                )
            )
        )
