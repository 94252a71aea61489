from odoo import api, fields, models
from odoo.exceptions import AccessError


class HealthcareBillingRunLine(models.Model):
    """One invoice of a run: planned, then its result."""

    _name = "healthcare.billing.run.line"
    _description = "Billing Run Line"
    _order = "run_id, sequence, id"
    _rec_name = "partner_id"

    run_id = fields.Many2one(
        "healthcare.billing.run", required=True, index=True, ondelete="cascade"
    )
    sequence = fields.Integer()
    company_id = fields.Many2one("res.company", required=True, index=True)
    currency_id = fields.Many2one("res.currency", required=True)
    company_currency_id = fields.Many2one(related="run_id.currency_id", string="Run's Currency")
    partner_id = fields.Many2one("res.partner", string="Invoiced to", required=True)
    client_id = fields.Many2one("res.partner", index="btree_not_null")
    payer_id = fields.Many2one("res.partner")
    state = fields.Selection(
        [
            ("planned", "Planned"),
            ("created", "Created"),
            ("skipped", "Skipped"),
            ("failed", "Failed"),
            ("undone", "Undone"),
            ("deleted", "Deleted"),
        ],
        default="planned",
        required=True,
        readonly=True,
        index=True,
    )
    selected = fields.Boolean(default=True)
    charge_ids = fields.Many2many(
        "healthcare.charge",
        "healthcare_run_line_charge_rel",
        "line_id",
        "charge_id",
        readonly=True,
        # accountants read runs, but no charges: without groups no run would open for them
        groups="healthcare_billing.group_care_staff",
    )
    charge_count = fields.Integer(string="Items", readonly=True)
    amount = fields.Monetary(readonly=True, help="Untaxed, in the invoice's currency.")
    amount_company = fields.Monetary(
        string="Amount in Run's Currency", currency_field="company_currency_id", readonly=True
    )
    plan_key = fields.Char(readonly=True)
    values = fields.Json(readonly=True, export_string_translation=False)
    message = fields.Char(string="Result", readonly=True)
    move_id = fields.Many2one(
        "account.move", string="Invoice", readonly=True, index="btree_not_null", ondelete="set null"
    )
    billing_ref = fields.Char(string="Billing Reference", readonly=True)

    def write(self, vals):
        """Only the selection is the user's; the rest is the record of what happened."""
        foreign = set(vals) - {"selected"}
        if not self.env.su and (foreign or any(line.run_id.state != "draft" for line in self)):
            raise AccessError(
                self.env._("Rows of a billing run can only be selected, and only in a preview.")
            )
        return super().write(vals)

    def _set_result(self, vals):
        """Record what the engine did. sudo: results are the engine's to write, see ``write``."""
        self.sudo().write(vals)

    def _change_since_preview(self, planned):
        """Why the row can't be booked as it was shown, or False.

        :param planned: :class:`PlannedInvoice` made now with the same key, or None
        """
        self.ensure_one()
        if planned is None:
            return self._nothing_left_message()
        if set(planned.charge_ids) != set(self.charge_ids.ids):
            missing = self.charge_ids - self.charge_ids.browse(planned.charge_ids)
            return self.env._(
                "Changed since preview: %s. Retry to bill what is left.",
                self._reasons_of(missing) or self.env._("other items than shown"),
            )
        if self.currency_id.compare_amounts(planned.amount, self.amount):
            return self.env._(
                "Changed since preview: %(now)s instead of %(before)s. Look at the items, then "
                "retry.",
                now=self.currency_id.format(planned.amount),
                before=self.currency_id.format(self.amount),
            )
        return False

    def _nothing_left_message(self):
        self.ensure_one()
        return self._reasons_of(self.charge_ids) or self.env._(
            "Changed since preview: addressee or terms are others now. Search again."
        )

    def _reasons_of(self, charges):
        """Why these charges can't be billed, in words; names the invoice that holds them."""
        live = charges._live_lines()
        if live:
            return self.env._(
                "Already invoiced on %s",
                ", ".join(sorted({move._care_reference() for move in live.move_id})),
            )
        reasons = self.run_id._engine()._block_reasons(charges, self.run_id.invoice_date)
        names = dict.fromkeys(reason.name for found in reasons.values() for reason in found)
        return ", ".join(names)

    def _billed_meanwhile_message(self):
        """Text for a row whose charges the guard refused: a rival was quicker."""
        self.ensure_one()
        moves = self.charge_ids._live_lines().move_id
        if moves:
            names = ", ".join(sorted({move._care_reference() for move in moves}))
            return self.env._("Billed meanwhile on %s", names)
        return self.env._("Billed meanwhile by another user")

    def _plan_again(self):
        """Bring failed and skipped rows up to date, so that executing them books what is shown.

        A row whose charges were all billed elsewhere keeps its message and isn't planned.
        """
        for run, lines in self.grouped("run_id").items():
            plan = run._engine().plan(lines.charge_ids, **run._plan_options())
            by_key = {invoice.key: invoice for invoice in plan.invoices}
            for line in lines:
                planned = by_key.get(line.plan_key)
                if planned is None:
                    line._set_result({"message": line._nothing_left_message()})
                    continue
                company_amount = line.currency_id._convert(
                    planned.amount, run.currency_id, line.company_id, run.invoice_date
                )
                line._set_result(
                    {
                        "state": "planned",
                        "message": False,
                        "charge_ids": [fields.Command.set(planned.charge_ids)],
                        "charge_count": len(planned.charge_ids),
                        "amount": planned.amount,
                        "amount_company": company_amount,
                    }
                )

    @api.depends("partner_id", "client_id")
    def _compute_display_name(self):
        for line in self:
            line.display_name = line.billing_ref or line.partner_id.display_name

    def action_view_move(self):
        """Open the row's invoice."""
        return self.env["account.move"]._care_invoices_action(self.move_id)

    def action_view_charges(self):
        """Open the row's appointments and charges."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_charge_action"
        )
        return {**action, "domain": [("id", "in", self.charge_ids.ids)], "context": {}}
