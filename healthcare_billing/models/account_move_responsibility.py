from odoo import api, fields, models


class AccountMove(models.Model):
    """One invoice per responsible party: the way from one party's invoice to the others'."""

    _inherit = "account.move"

    other_party_move_ids = fields.Many2many(
        "account.move",
        string="Invoices of Other Parties",
        compute="_compute_other_party_move_ids",
        compute_sudo=True,  # whoever keeps the books need not be allowed to read charges
        groups="base.group_user",
        help="They bill other parties for the same care.",
    )
    other_party_move_count = fields.Integer(
        compute="_compute_other_party_move_ids", compute_sudo=True, groups="base.group_user"
    )

    @api.depends("invoice_line_ids.charge_id", "invoice_line_ids.responsibility")
    def _compute_other_party_move_ids(self):
        for move in self:
            own = move.invoice_line_ids.filtered("charge_id")
            others = (
                own.charge_id._family()
                ._ledger_lines()
                .filtered(
                    lambda line, move=move: line.move_id != move and line.parent_state != "cancel"
                )
            )
            parties = {(line.charge_id._root(), line.responsibility) for line in own}
            others = others.filtered(
                lambda line, parties=parties: (
                    (line.charge_id._root(), line.responsibility) not in parties
                )
            )
            move.other_party_move_ids = others.move_id
            move.other_party_move_count = len(others.move_id)

    def action_view_other_party_moves(self):
        """Open the invoices by which other parties pay for the same care."""
        self.ensure_one()
        return {
            **self._care_invoices_action(self.other_party_move_ids),
            "name": self.env._("Other Parties"),
        }

    def action_transfer_responsibility(self):
        """Move what one party still owes of this invoice's care to another party.

        :return: window action on a new ``healthcare.responsibility.transfer``
        """
        self.ensure_one()
        lines = self.invoice_line_ids.filtered(lambda line: line.charge_id and line.charge_live)
        party = lines[:1].responsibility or "client"
        return self.env["healthcare.responsibility.transfer"]._open(lines.charge_id._roots(), party)


class AccountMoveLine(models.Model):
    """What each party owes of the charge that a line is about, whoever's invoice it is on."""

    _inherit = "account.move.line"

    charge_amount_payer = fields.Monetary(
        string="Insurance Amount Due",
        compute="_compute_charge_amounts",
        compute_sudo=True,
        groups="base.group_user",
        help="What the payers owe of this care, on whichever invoice.",
    )
    charge_amount_client = fields.Monetary(
        string="Client Amount Due",
        compute="_compute_charge_amounts",
        compute_sudo=True,
        groups="base.group_user",
        help="What the client owes of this care, on whichever invoice.",
    )

    @api.depends("charge_id.amount_client", "charge_id.amount_payer", "charge_id.amount_secondary")
    def _compute_charge_amounts(self):
        for line in self:
            charge = line.charge_id
            line.charge_amount_client = charge.amount_client
            line.charge_amount_payer = charge.amount_payer + charge.amount_secondary
