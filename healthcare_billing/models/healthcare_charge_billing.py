from odoo import api, models
from odoo.fields import Domain

# Documents that bill or credit care; payments, too, have items that name a charge.
CARE_DOCUMENTS = ("out_invoice", "out_refund")


class HealthcareCharge(models.Model):
    """What the ledger says of a charge: the lines that bill it, and the stage it is in."""

    _inherit = "healthcare.charge"

    @api.depends("invoice_line_ids.charge_live")
    def _compute_is_live(self):
        live = {
            charge.id
            for (charge,) in self.env["account.move.line"]._read_group(
                [("charge_id", "in", self.ids), ("charge_live", "=", True)], ["charge_id"]
            )
        }
        for charge in self:
            charge.is_live = charge._origin.id in live

    @api.depends(
        "invoice_line_ids.charge_live",
        "invoice_line_ids.parent_state",
        "invoice_line_ids.move_id.billing_cycle_id.state",
    )
    def _compute_is_held(self):
        held = {
            charge.id
            for (charge,) in self.env["account.move.line"]._read_group(
                Domain("charge_id", "in", self.ids)
                & Domain("charge_live", "=", True)
                & ~self.env["account.move"]._open_draft_domain("move_id."),
                ["charge_id"],
            )
        }
        for charge in self:
            charge.is_held = charge._origin.id in held

    @api.depends(
        "amount",
        "amount_client",
        "amount_payer",
        "amount_secondary",
        "appointment_id.state",
        "appointment_id.qa_state",
        "appointment_id.billable",
        "appointment_id.cancel_reason_id",
        "billing_account_id.billable",
        "invoice_line_ids.charge_live",
        "invoice_line_ids.parent_state",
        "invoice_line_ids.price_subtotal",
        "invoice_line_ids.move_id.payment_state",
    )
    def _compute_billing(self):
        """Stage and invoiced sum, from one read of the ledger for all charges."""
        ledger = self._ledger_summary()
        for charge in self:
            invoiced, parts, edited = ledger.get(charge._origin.id, (0.0, {}, False))
            charge.amount_invoiced = invoiced
            charge.invoiced_otherwise = edited
            charge.billing_stage = charge._stage(parts)

    def _ledger_summary(self):
        """What the ledger says of charges.

        :return: ``{charge id: (posted amount net of credits, {responsibility: stage}, edited)}``
            where stage is that of the live line (draft, awaiting_payment or finished), and edited
            says that a live line was changed by hand
        """
        summary = {}
        lines = self.env["account.move.line"].search_fetch(
            [("charge_id", "in", self.ids), ("move_type", "in", CARE_DOCUMENTS)],
            [
                "charge_id", "responsibility", "charge_live", "parent_state", "price_subtotal",
                "move_type", "move_id", "credit_of_line_id",
            ],
        )  # fmt: skip
        for line in lines:
            invoiced, parts, edited = summary.get(line.charge_id.id, (0.0, {}, False))
            if line.parent_state == "posted":
                refund = line.move_type == "out_refund"
                invoiced += -line.price_subtotal if refund else line.price_subtotal
            if line.charge_live:
                if line.parent_state == "draft":
                    stage = "draft"
                elif line.move_id.payment_state in ("paid", "in_payment", "reversed"):
                    stage = "finished"
                else:
                    stage = "awaiting_payment"
                parts[line.responsibility] = stage
                edited = edited or not line.charge_id._is_billed_as(line)
            summary[line.charge_id.id] = (invoiced, parts, edited)
        return summary

    def _stage(self, live_parts):
        """Where the charge is on the road.

        :param dict live_parts: stage per responsibility that an invoice holds
        """
        self.ensure_one()
        open_parts = set(self._parts()) - set(live_parts)
        if live_parts and not open_parts:
            order = ("draft", "awaiting_payment", "finished")
            return min(live_parts.values(), key=order.index)
        appointment = self.appointment_id
        if appointment and not appointment._is_billable():
            return "not_billable"
        if self.billing_account_id and not self.billing_account_id.billable:
            return "not_billable"
        if appointment.state == "scheduled":
            return "planned"
        if appointment.company_id.healthcare_qa_review and appointment.qa_state in (
            "review",
            "corrections",
        ):
            return "qa"
        return "billing_office"

    def _ledger_lines(self):
        """All invoice and credit lines of these charges.

        sudo: care staff may not read the ledger, yet must be told that it holds the charge.
        """
        return (
            self.env["account.move.line"]
            .sudo()
            .search([("charge_id", "in", self.ids), ("move_type", "in", CARE_DOCUMENTS)])
        )

    def _live_lines(self):
        """Lines that bill these charges now, on drafts or posted invoices (sudo: see above)."""
        return self._ledger_lines().filtered("charge_live")

    def _is_billed_as(self, line):
        """Whether an invoice line still says what the charge says: client, service and sum."""
        self.ensure_one()
        move = line.move_id
        same_client = not move.healthcare_client_id or move.healthcare_client_id == self.client_id
        part = self._parts().get(line.responsibility)
        sign = -1 if move.move_type == "out_refund" else 1
        return (
            same_client
            and line.product_id == self.product_id
            and part is not None
            and not line.currency_id.compare_amounts(line.price_subtotal, sign * part)
        )
