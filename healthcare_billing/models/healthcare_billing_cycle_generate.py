from odoo import models
from odoo.fields import Domain
from odoo.tools import clean_context


class HealthcareBillingCycle(models.Model):
    """Generating the invoices of a cycle (R13): every mode ends in a saved run, its preview."""

    _inherit = "healthcare.billing.cycle"

    def _plan_run(self, mode, clients=None, payers=None, *, overwrite=False):
        """Plan the invoices of the cycle, and save the plan.

        :param str mode: all, new or resubmission
        :param clients: ``res.partner`` recordset, empty: all
        :param payers: ``res.partner`` recordset, empty: all
        :param bool overwrite: drafts edited by hand are replaced, too
        :return: ``healthcare.billing.run`` record in state draft
        :raise UserError: the cycle is closing or closed
        """
        self.ensure_one()
        self._check_open()
        if mode in ("all", "new"):
            self._add_missing_charges()
        run = self._make_run(
            mode,
            cycle_scope={
                "clients": clients.ids if clients else [],
                "payers": payers.ids if payers else [],
            },
            overwrites_edited=overwrite,
        )
        run._search_cycle()
        return run

    def _add_missing_charges(self):
        """What the cycle charges by itself; addons may add theirs."""
        self._make_client_premiums()

    def _make_run(self, mode, **vals):
        """An empty run of this cycle.

        :param vals: further values of the run
        :return: ``healthcare.billing.run`` record
        """
        self.ensure_one()
        runs = self.env["healthcare.billing.run"].with_company(self.company_id)
        runs.check_access("create")
        # sudo: users make no runs by hand; defaults of the context must not count either
        make = runs.sudo().with_context(clean_context(self.env.context)).create
        run = make(
            {
                "user_id": self.env.uid,
                "company_id": self.company_id.id,
                "door": "cycle",
                "billing_cycle_id": self.id,
                "cycle_mode": mode,
                "invoice_date": self.invoice_date,
                **vals,
            }
        )
        return run.with_env(runs.env)

    def _drafts(self, chosen=Domain.TRUE):
        """Drafts of the cycle that bill care.

        :param Domain chosen: on charges; a draft with one of them counts
        :return: ``account.move`` recordset
        """
        self.ensure_one()
        lines = Domain("charge_live", "=", True)
        if not chosen.is_true():
            lines &= Domain("charge_id", "any", chosen)
        return self.env["account.move"].search(
            Domain("billing_cycle_id", "=", self.id)
            & Domain("state", "=", "draft")
            & Domain("invoice_line_ids", "any", lines)
        )

    def _replaced_care_domain(self, drafts):
        """Care of the cycle's scope on its own drafts, on those that were moved here as well.

        What was moved to days after the cycle belongs to a later one.

        :param drafts: ``account.move`` recordset
        """
        self.ensure_one()
        return (
            self._scope_domain()
            & Domain("service_date", "<", self.date_to)
            & Domain("invoice_line_ids.move_id", "in", drafts.ids)
        )

    def _lines_to_resubmit(self, chosen=Domain.TRUE):
        """Posted lines of visits that are marked for resubmission, of payers with file billing.

        :param Domain chosen: on charges
        :return: ``account.move.line`` recordset
        """
        self.ensure_one()
        marked = self._charge_domain() & chosen & Domain("appointment_id.to_resubmit", "=", True)
        return self.env["account.move.line"].search(
            Domain("charge_id", "any", marked)
            & Domain("charge_live", "=", True)
            & Domain("parent_state", "=", "posted")
            & Domain("move_id.move_type", "=", "out_invoice")
            & Domain("move_id.partner_id.invoicing_model", "=", "payer_file")
        )

    def action_generate(self):
        """Ask what to generate.

        :return: window action on a new ``healthcare.cycle.generate``
        """
        self.ensure_one()
        self._check_open()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_cycle_generate_action"
        )
        return {**action, "context": {"default_cycle_id": self.id}}
