from datetime import date

from odoo import api, models
from odoo.exceptions import RedirectWarning, UserError
from odoo.tools.misc import format_date

# How many charges an error names.
MAX_TOLD = 20


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
        :raise RedirectWarning: the same, with the button that mends the first reason, if a dialog
            asks for it (``healthcare_offers_mending`` in the context)
        """
        plan = self.plan(charges, **options)
        if plan.blocked:
            raise self._blocked_error(plan)
        if not plan.invoices:
            raise UserError(self.env._("Nobody owes anything of this care: nothing to invoice."))
        run = self.execute(plan)
        failed = run.line_ids.filtered(lambda line: line.state != "created")
        if failed:
            raise UserError("\n".join(line.message or line.plan_key for line in failed))
        return run.move_ids

    @api.model
    def _license_day(self, invoice_date):
        """The day whose year decides which CPT license an invoice needs (R8).

        What is billed again needs the one that it needed when it was first billed: the provider
        who isn't renewed, or left, can be corrected all the same.
        """
        day = self.env.context.get("healthcare_license_day")
        return day if isinstance(day, date) else invoice_date  # a date: no client can send it

    @api.model
    def _blocked_error(self, plan):
        """What keeps charges from being billed, one line per charge, and what mends it.

        :param plan: :class:`BillingPlan`
        :return: exception to raise
        """
        reasons = {reason.code: reason for reason in self.env["healthcare.block.reason"].search([])}
        lines = [
            self._blocked_line(self.env["healthcare.charge"].browse(charge_id), codes, reasons)
            for charge_id, codes in list(plan.blocked.items())[:MAX_TOLD]
        ]
        charge_id, codes = next(iter(plan.blocked.items()))
        first = reasons.get(codes[0], self.env["healthcare.block.reason"])
        text = self.env._(
            "This care can't be billed now:\n%(care)s\n%(remedy)s\nMend that first. Nothing was "
            "changed.",
            care="\n".join(lines),
            remedy=first.remedy or "",
        )
        if not self.env.context.get("healthcare_offers_mending") or not first.has_mend_button:
            return UserError(text)
        day = self._license_day(plan.options["invoice_date"])
        charge = self.env["healthcare.charge"].browse(charge_id)
        action = charge.with_context(healthcare_invoice_date=day)._mend_action(first)
        return RedirectWarning(text, action, self.env._("Mend It"))

    @api.model
    def _blocked_line(self, charge, codes, reasons):
        names = [reasons[code].name if code in reasons else code for code in codes]
        # sudo: of the provider only the name gets out, which stands on the invoice, too
        told = [charge.service_date and format_date(self.env, charge.service_date)]
        told.append(charge.employee_id.sudo().name)
        return f"{charge.display_name} ({', '.join(filter(None, told))}): {', '.join(names)}"
