from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class HealthcareStatementAdd(models.TransientModel):
    """Put receivables on a statement by hand: parked ones, too, and after it was committed.

    Opened on a statement, or on receivables for which a statement is then chosen.
    """

    _name = "healthcare.statement.add"
    _description = "Add Items to a Statement"

    partner_id = fields.Many2one("res.partner", string="Addressee", required=True, readonly=True)
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    statement_id = fields.Many2one(
        "healthcare.statement",
        domain="[('partner_id', '=', partner_id), ('company_id', '=', company_id),"
        " ('state', 'in', ('draft', 'committed'))]",
        help="Empty: a new one.",
    )
    is_committed = fields.Boolean(compute="_compute_is_committed")
    receivable_ids = fields.Many2many(
        "healthcare.receivable",
        "healthcare_statement_add_receivable_rel",
        string="Items",
        domain="[('partner_id', '=', partner_id), ('company_id', '=', company_id),"
        " ('id', 'not in', known_ids)]",
    )
    known_ids = fields.Many2many(
        "healthcare.receivable",
        "healthcare_statement_add_known_rel",
        compute="_compute_known_ids",
        string="On It Already",
    )
    amount = fields.Monetary(compute="_compute_amount", string="Added")

    @api.depends("statement_id.state")
    def _compute_is_committed(self):
        for wizard in self:
            wizard.is_committed = wizard.statement_id.state == "committed"

    @api.depends("statement_id")
    def _compute_known_ids(self):
        for wizard in self:
            items = {(line.charge_id, line.responsibility) for line in wizard.statement_id.line_ids}
            rows = wizard.receivable_ids.search(
                Domain("charge_id", "in", wizard.statement_id.line_ids.charge_id.ids)
                & Domain("partner_id", "=", wizard.partner_id.id)
            )
            wizard.known_ids = rows.filtered(
                lambda row, items=items: (row.charge_id, row.responsibility) in items
            )

    @api.depends("receivable_ids")
    def _compute_amount(self):
        for wizard in self:
            wizard.amount = sum(wizard.receivable_ids.mapped("balance"))

    @api.model
    def _open(self, partner, company, statement=None, receivables=None):
        """The dialog.

        :param partner: addressee
        :param statement: that the items are added to; default: to be chosen
        :param receivables: that are added; default: to be chosen
        :return: window action
        """
        wizard = self.create(
            {
                "partner_id": partner.id,
                "company_id": company.id,
                "statement_id": statement.id if statement else False,
                "receivable_ids": [fields.Command.set(receivables.ids if receivables else [])],
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Add Items"),
            "res_model": self._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
        }

    def action_add(self):
        """Add the items, and show the statement."""
        self.ensure_one()
        if not self.receivable_ids:
            raise UserError(self.env._("Choose at least one item to add."))
        statement = self.statement_id or self.env["healthcare.statement"].create(
            {"partner_id": self.partner_id.id, "company_id": self.company_id.id}
        )
        statement._add_items(self.receivable_ids)
        return statement._form_action()


class HealthcareReceivable(models.Model):
    _inherit = "healthcare.receivable"

    def action_add_to_statement(self):
        """Choose a statement for these receivables of one party.

        :raise UserError: they are owed by several
        """
        if len(self.partner_id) != 1 or len(self.company_id) != 1:
            raise UserError(
                self.env._(
                    "A statement has one addressee: choose receivables of one party, not of %s.",
                    ", ".join(self.partner_id[:5].mapped("display_name")) or self.env._("nobody"),
                )
            )
        return self.env["healthcare.statement.add"]._open(
            self.partner_id, self.company_id, receivables=self
        )


class HealthcareStatement(models.Model):
    _inherit = "healthcare.statement"

    def action_add_items(self):
        """Choose receivables of the addressee to add.

        :return: window action on a new ``healthcare.statement.add``
        """
        self.ensure_one()
        return self.env["healthcare.statement.add"]._open(
            self.partner_id, self.company_id, statement=self
        )

    def _form_action(self):
        """Open this statement."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
        }
