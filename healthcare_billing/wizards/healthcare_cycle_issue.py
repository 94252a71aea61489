from odoo import api, fields, models

from ..models.healthcare_billing_run_reason import TARGET_FIELDS
from ..models.healthcare_block_reason import MEND_STEPS


class HealthcareCycleIssue(models.TransientModel):
    """Something that a billing cycle can't bill yet, and why. Made by SQL, see the check.

    What a visit lacks is filled in right in the list: the fields of the visit are written with
    the user's own rights, and the reasons of all its items are found anew.
    """

    _name = "healthcare.cycle.issue"
    _description = "Issue of a Billing Cycle"
    _order = "service_date, id"
    _rec_name = "client_id"

    check_id = fields.Many2one(
        "healthcare.cycle.check", required=True, index=True, ondelete="cascade", readonly=True
    )
    charge_id = fields.Many2one(
        "healthcare.charge", index="btree_not_null", ondelete="cascade", readonly=True
    )
    appointment_id = fields.Many2one(
        "healthcare.appointment", string="Visit", index=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    service_date = fields.Date(readonly=True)
    client_id = fields.Many2one("res.partner", readonly=True)
    visit_state = fields.Selection(
        lambda self: self._selection_of("state"), string="State", readonly=True
    )
    approval_state = fields.Selection(
        lambda self: self._selection_of("approval_state"), string="Approval", readonly=True
    )
    item_id = fields.Many2one(
        related="charge_id.product_id", string="Item", help="The visit's service, or a premium."
    )
    amount = fields.Monetary(readonly=True)
    reason_id = fields.Many2one(
        "healthcare.block.reason",
        string="First Reason",
        ondelete="cascade",
        readonly=True,
        help="What to mend first.",
    )
    reason_ids = fields.Many2many(
        "healthcare.block.reason",
        "healthcare_cycle_issue_reason_rel",
        "issue_id",
        "reason_id",
        string="Reasons",
        readonly=True,
    )
    remedy = fields.Text(related="reason_id.remedy", string="What to Do")
    has_mend_button = fields.Boolean(related="reason_id.has_mend_button")
    is_mended = fields.Boolean(readonly=True, help="Nothing keeps it back any more.")

    is_touched = fields.Boolean(readonly=True, help="Somebody went to mend it.")

    # -- what can be mended in the list ----------------------------------------------------------
    billing_account_id = fields.Many2one(
        related="appointment_id.billing_account_id",
        readonly=False,
        domain="[('client_id', '=', client_id), ('company_id', '=', company_id)]",
    )
    payer_id = fields.Many2one(
        related="appointment_id.payer_id", readonly=False, domain="[('is_payer', '=', True)]"
    )
    product_id = fields.Many2one(
        related="appointment_id.product_id",
        readonly=False,
        domain="[('is_healthcare_service', '=', True)]",
    )
    diagnosis_ids = fields.Many2many(related="appointment_id.diagnosis_ids", readonly=False)
    authorization_id = fields.Many2one(
        related="appointment_id.authorization_id",
        readonly=False,
        domain="[('client_id', '=', client_id)]",
    )

    @api.model
    def _selection_of(self, name):
        return self.env["healthcare.appointment"]._fields[name]._description_selection(self.env)

    def write(self, vals):
        """What was filled in may have mended it, and what else the visit is charged for."""
        result = super().write(vals)
        if self._visit_fields() & set(vals):
            self._look_again()
        return result

    @api.model
    def _visit_fields(self):
        """Names of the fields that are the visit's."""
        return {
            name
            for name, field in self._fields.items()
            if field.related and field.related.startswith("appointment_id.")
        }

    # -- mending ---------------------------------------------------------------------------------
    def action_mend(self):
        """Do the step that mends the first reason, or open the record on which it is mended."""
        self.ensure_one()
        return self._mend_action(self.reason_id)

    def action_open(self):
        """The visit, else the charge."""
        self.ensure_one()
        self.is_touched = True
        record = self.appointment_id or self.charge_id
        return {
            "type": "ir.actions.act_window",
            "res_model": record._name,
            "res_id": record.id,
            "views": [(False, "form")],
        }

    def action_look_again(self):
        """Whether these are mended meanwhile.

        :return: True
        """
        self._look_again()
        return True

    def _mend_action(self, reason):
        """:param reason: ``healthcare.block.reason`` record, one of the item's"""
        self.ensure_one()
        self.is_touched = True
        if self.appointment_id and reason.code in MEND_STEPS:
            result = getattr(self.appointment_id, MEND_STEPS[reason.code])()
            self._look_again()
            return result
        if not self.charge_id:
            return {**self.action_open(), "target": "new"}
        charge = self.charge_id.with_context(healthcare_invoice_date=self.check_id.invoice_date)
        return charge._mend_action(reason)

    def _count_targets(self, reason):
        """On how many records a reason of these is mended.

        Items that lack the record are mended one by one.
        """
        target = TARGET_FIELDS.get(reason.mend_target)
        if not target or not all(self.mapped("charge_id.id")):
            return len(self)
        groups = self.env["healthcare.charge"]._read_group(
            [("id", "in", self.charge_id.ids)], [target], ["__count"], limit=2
        )
        return len(groups) if groups[0][0] else len(self)

    # -- looking again ---------------------------------------------------------------------------
    def _look_again(self):
        """Find the reasons of these anew, and of whatever else their visits are charged for."""
        for check in self.check_id:
            issues = self.filtered(lambda issue, check=check: issue.check_id == check)
            siblings = self.search(
                [
                    ("check_id", "=", check.id),
                    ("appointment_id", "in", issues.appointment_id.ids),
                ]
            )
            (issues | siblings)._take_reasons(check)

    def _take_reasons(self, check):
        # a planned visit that got its service is charged from then on
        for issue in self.filtered(lambda issue: not issue.charge_id):
            issue.charge_id = issue.appointment_id._service_charges()[:1]
        self.env["healthcare.billing.engine"]._flush_billing()
        codes = {
            charge_id: found
            for charge_id, _visit, _approval, found in self.env.execute_query(
                check._found_sql(self.charge_id.ids)
            )
        }
        by_code = {reason.code: reason for reason in self.env["healthcare.block.reason"].search([])}
        none = self.env["healthcare.block.reason"]
        for issue in self.filtered("charge_id"):
            found = [by_code[code] for code in codes.get(issue.charge_id.id, ()) if code in by_code]
            reasons = none.union(*found)
            issue.write(
                {
                    "reason_ids": [fields.Command.set(reasons.ids)],
                    "reason_id": reasons[:1].id,
                    "is_mended": not reasons,
                    "is_touched": False,
                    "amount": issue.charge_id.amount,
                }
            )
