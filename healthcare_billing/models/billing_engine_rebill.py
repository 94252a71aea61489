from odoo import api, models
from odoo.exceptions import UserError


class HealthcareBillingEngine(models.AbstractModel):
    """Billing that belongs to a correction: all of it, or an error and nothing."""

    _inherit = "healthcare.billing.engine"

    @api.model
    def _open_parts(self, row):
        """What was left out of the invoices that a correction replaces is still left out."""
        parts = super()._open_parts(row)
        only = self.env.context.get("healthcare_only_parts")
        if only is None:
            return parts
        return [part for part in parts if (row["id"], part[0]) in only]

    @api.model
    def _bill_or_raise(self, charges, **options):
        """Draft invoices of all these charges.

        :param options: of ``plan``
        :return: ``account.move`` recordset
        :raise UserError: a charge that can't be billed, with every reason
        """
        plan = self.plan(charges, **options)
        if plan.blocked:
            raise UserError(self._blocked_text(plan.blocked))
        if not plan.invoices:
            raise UserError(self.env._("Nobody owes anything of this care: nothing to invoice."))
        run = self.execute(plan)
        failed = run.line_ids.filtered(lambda line: line.state != "created")
        if failed:
            raise UserError("\n".join(line.message or line.plan_key for line in failed))
        return run.move_ids

    @api.model
    def _blocked_text(self, blocked):
        """What keeps charges from being billed, one line per charge.

        :param blocked: ``{charge id: codes}``
        """
        names = {
            reason.code: reason.name for reason in self.env["healthcare.block.reason"].search([])
        }
        lines = [
            f"{self.env['healthcare.charge'].browse(charge_id).display_name}: "
            + ", ".join(names.get(code, code) for code in codes)
            for charge_id, codes in blocked.items()
        ]
        return self.env._(
            "This care can't be billed now:\n%s\nMend that first. Nothing was changed.",
            "\n".join(lines[:20]),
        )
