from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .healthcare_charge import PRICING


class HealthcareCharge(models.Model):
    """Charges of premiums: on a visit (``premium_id``), or of a client and period
    (``client_premium_id``)."""

    _inherit = "healthcare.charge"

    premium_id = fields.Many2one(
        "healthcare.premium",
        index="btree_not_null",
        ondelete="restrict",
        copy=False,
        check_company=True,
    )
    premium_by_hand = fields.Boolean(
        string="Premium Added by Hand",
        readonly=True,
        copy=False,
        help="It stays whatever the premium's rule says.",
    )

    appointment_approval_state = fields.Selection(
        related="appointment_id.approval_state", string="Approval"
    )
    premium_lapsed = fields.Boolean(
        string="Premium Doesn't Apply",
        readonly=True,
        copy=False,
        help="An invoice held it, so it stays; but the visit doesn't get it any more, and it isn't "
        "billed again.",
    )

    _premium_uniq = models.UniqueIndex(
        "(appointment_id, premium_id) WHERE premium_id IS NOT NULL",
        "A visit has each premium once. Change the units of the one that it has.",
    )

    @api.constrains("premium_id", "appointment_id", "kind")
    def _check_premium(self):
        for charge in self:
            if charge.premium_id and (not charge.appointment_id or charge.kind != "premium"):
                raise ValidationError(
                    self.env._(
                        "%s: a premium of visits is a charge of kind Premium on an appointment.",
                        charge.display_name,
                    )
                )

    @api.onchange("premium_id")
    def _onchange_premium_id(self):
        if self.premium_id:
            self.kind = "premium"
            self.product_id = self.premium_id.product_id

    @api.model_create_multi
    def create(self, vals_list):
        """A premium brings its service along; one that somebody adds stays, whatever its rule."""
        by_hand = self.env.context.get("healthcare_pricing") is not PRICING
        for vals in vals_list:
            vals.pop("premium_by_hand", None)
            vals.pop("premium_lapsed", None)
            if vals.get("premium_id"):
                premium = self.env["healthcare.premium"].browse(vals["premium_id"])
                vals["kind"] = "premium"
                vals["product_id"] = premium.product_id.id
                vals["premium_by_hand"] = by_hand
        charges = super().create(vals_list)
        for charge in charges.filtered("premium_by_hand"):
            visit = charge.sudo().appointment_id  # sudo: follows from the charge's own rights
            if charge.premium_id in visit.removed_premium_ids:
                visit.removed_premium_ids -= charge.premium_id
        return charges

    def unlink(self):
        """What somebody takes off a visit doesn't come back by itself."""
        removed = {}
        if self.env.context.get("healthcare_pricing") is not PRICING:
            for charge in self.filtered(lambda c: c.premium_id and c.premium_id.rule != "manual"):
                # sudo: follows from the right to delete the charge
                visit = charge.sudo().appointment_id
                removed[charge.premium_id] = removed.get(charge.premium_id, visit) | visit
        result = super().unlink()
        for premium, visits in removed.items():
            visits.removed_premium_ids |= premium
        return result

    def _lapse_premiums(self):
        """Take premiums off whose rule doesn't hold, and say so of those that somebody chose.

        What an invoice held before is history, and stays: it is only never billed again.
        """
        history = self._ledger_lines().charge_id | self.child_ids.parent_id
        kept = self.filtered(lambda c: c in history and not c.premium_lapsed)
        removed = self - self.browse(history.ids)
        chosen = (kept | removed).filtered(lambda c: c.premium_by_hand or c.quantity_typed)
        chosen.appointment_id._message_log_batch(
            bodies={
                visit.id: self.env._(
                    "Premiums removed, because they don't apply any more: %s",
                    ", ".join(
                        f"{charge.premium_id.name} × {charge.quantity:g}" for charge in charges
                    ),
                )
                for visit, charges in chosen.grouped("appointment_id").items()
            }
        )
        if kept:
            kept.write({"premium_lapsed": True})
        removed.unlink()

    @api.depends("premium_lapsed")
    def _compute_billing(self):
        return super()._compute_billing()

    def _stage(self, live_parts):
        if self.premium_lapsed and not live_parts:
            return "not_billable"
        return super()._stage(live_parts)
