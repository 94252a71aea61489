from odoo import api, models
from odoo.tools import SQL

# Doors that take work as it was recorded: what is agreed otherwise isn't theirs.
RECORDED_DOORS = ("batch", "cycle", "adhoc")
# Doors that make a bill of before again, with what was made for it.
REPEATING_DOORS = ("rebill", "transfer")
# What only mass billing asks.
MASS_CODES = (
    "client_archived", "mass_excluded", "draft_bill", "no_instalment_due", "after_cut_off",
)  # fmt: skip


class HealthcareBillingEngine(models.AbstractModel):
    """What keeps work off the list of mass billing (R24), and agreed work off other doors."""

    _inherit = "healthcare.billing.engine"

    @api.model
    def _block_conditions(self, companies, invoice_date):
        conditions = super()._block_conditions(companies, invoice_date)
        door = self.env.context.get("healthcare_billing_door")
        run = self._mass_run()
        if door in REPEATING_DOORS:
            conditions["not_billable"] = SQL(
                "(%s AND NOT COALESCE(c.made_by_basis, FALSE))", conditions["not_billable"]
            )
        conditions["agreed_basis"] = SQL(
            "(%s AND COALESCE(b.billing_basis, 'wip') <> 'wip')", door in RECORDED_DOORS
        )
        if door != "mass":
            return {**conditions, **dict.fromkeys(MASS_CODES, SQL("FALSE"))}
        # what else may be billed of an account on hold is billed one by one
        conditions["account_on_hold"] = SQL("b.billing_status = 'on_hold'")
        conditions["wrong_door"] = SQL(
            "((c.amount_payer <> 0 OR c.amount_secondary <> 0)"
            " AND p.invoicing_model = 'payer_file')"
        )
        return {
            **conditions,
            "client_archived": SQL(
                "EXISTS (SELECT 1 FROM res_partner client WHERE client.id = c.client_id"
                " AND NOT client.active)"
            ),
            "mass_excluded": SQL("COALESCE(b.exclude_from_mass_billing, FALSE)"),
            "draft_bill": SQL("c.billing_account_id IN (%s)", self._accounts_with_draft_sql(run)),
            "no_instalment_due": self._no_instalment_sql(run) if run else SQL("FALSE"),
            "after_cut_off": SQL("c.service_date > %s", run.date_up_to) if run else SQL("FALSE"),
        }

    @api.model
    def _accounts_with_draft_sql(self, run):
        """SQL query of the ids of accounts that have a draft, of whatever door but this run.

        A run that makes two bills of an account, one to the payer and one to the client, isn't
        stopped by the first of them.
        """
        return SQL(
            "SELECT drafted.billing_account_id FROM account_move_line l"
            " JOIN account_move m ON m.id = l.move_id"
            " JOIN healthcare_charge drafted ON drafted.id = l.charge_id"
            " WHERE l.charge_live AND l.parent_state = 'draft'"
            " AND drafted.billing_account_id IS NOT NULL"
            " AND m.billing_run_id IS DISTINCT FROM %s",
            run.id or 0,
        )

    @api.model
    def _no_instalment_sql(self, run):
        """SQL condition: nobody owes of this work but who pays by instalments, and none is due.

        What others owe of it, such as a co-pay, is billed all the same.
        """
        return SQL(
            "(b.billing_basis = 'fixed' AND c.currency_id = co.currency_id"
            " AND c.payer_id IS NOT DISTINCT FROM b.payer_id"
            " AND NOT (c.kind = 'expense' AND COALESCE(b.expenses_on_top, FALSE))"
            " AND NOT (COALESCE(p.invoicing_model, 'client_individual') <> 'client_individual'"
            " AND c.amount_client <> 0 AND NOT COALESCE('client' = ANY(live.parts), FALSE))"
            " AND NOT (c.amount_secondary <> 0"
            " AND NOT COALESCE('secondary' = ANY(live.parts), FALSE))"
            " AND EXISTS (SELECT 1 FROM healthcare_billing_instalment i WHERE i.account_id = b.id)"
            " AND NOT EXISTS (SELECT 1 FROM healthcare_billing_instalment i"
            " WHERE i.account_id = b.id AND i.date <= %s AND NOT EXISTS ("
            "SELECT 1 FROM healthcare_charge fee JOIN account_move_line l"
            " ON l.charge_id = fee.id AND l.charge_live WHERE fee.instalment_id = i.id)))",
            run.date_up_to,
        )

    @api.model
    def _is_blocked_date(self, company, invoice_date):
        """Whether nothing at all can be billed on a date: it is to come, or the books are locked.

        The work says so itself; a fee that needs no work has nobody else to say it.
        """
        return invoice_date > company._care_today() or bool(
            self._locked_companies(company, invoice_date)
        )
