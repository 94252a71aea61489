from json import dumps

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

# Codes after which nothing of a visit is left to be mended: it is billed, never will be, or
# somebody decided so.
DECIDED_CODES = ("already_invoiced", "not_billable", "rejected")
# What the other steps of a cycle are for: approval, and the day on which it is invoiced.
OTHER_STEPS = ("not_approved", "future_invoice_date")
# The visit's own: told of its service, and not once more of each of its premiums.
VISIT_CODES = (
    "planned", "in_qa", "parked", "archived", "vacant", "unscheduled", "unsigned_note",
    "missing_account", "account_on_hold", "account_closed",
)  # fmt: skip


class HealthcareCycleCheck(models.TransientModel):
    """Everything that would keep care of a billing cycle off its invoices, before it is approved.

    The reasons are the engine's, at the cycle's door and on its invoice date; which of them are
    told is ``_told_sql``. A canceled visit that nobody is charged for has no issues, and neither
    has one that was rejected or billed. Planned visits are looked through as well: that one is
    still to come is no issue, that it has no code is.

    Who may: coordinators and billing users, their own checks.
    """

    _name = "healthcare.cycle.check"
    _description = "Issues of a Billing Cycle"

    cycle_id = fields.Many2one(
        "healthcare.billing.cycle", required=True, index=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(related="cycle_id.company_id", store=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    invoice_date = fields.Date(related="cycle_id.invoice_date")
    visits = fields.Selection(
        [("all", "All Visits"), ("scheduled", "Scheduled Visits")],
        required=True,
        default="all",
        help="Scheduled visits are those that took place, or are to. All visits has canceled ones "
        "and no-shows as well, if they are charged.",
    )
    checked_on = fields.Datetime(readonly=True)
    item_count = fields.Integer(
        string="Items Looked Through", readonly=True, help="Not invoiced, and to be billed."
    )
    issue_count = fields.Integer(string="Items with Issues", readonly=True)
    unapproved_count = fields.Integer(string="Waiting for Approval", readonly=True)
    is_dated_ahead = fields.Boolean(
        compute="_compute_is_dated_ahead", help="The cycle's invoice date is still to come."
    )
    reason_ids = fields.One2many("healthcare.cycle.check.reason", "check_id", readonly=True)
    issue_ids = fields.One2many("healthcare.cycle.issue", "check_id", readonly=True)

    @api.depends("invoice_date")
    def _compute_is_dated_ahead(self):
        today = fields.Date.context_today(self)
        for check in self:
            check.is_dated_ahead = bool(check.invoice_date and check.invoice_date > today)

    @api.depends("cycle_id")
    def _compute_display_name(self):
        for check in self:
            check.display_name = self.env._("Issues of %s", check.cycle_id.display_name)

    @api.onchange("visits")
    def _onchange_visits(self):
        """Counts of other visits aren't shown."""
        self.checked_on = False

    # -- actions ---------------------------------------------------------------------------------
    def action_check(self):
        """Look through the cycle's care anew.

        :return: True, so that the form shows what was found
        """
        for check in self:
            check._find_issues()
        return True

    def action_look_at_touched(self):
        """Look again at items that somebody went to mend; lists ask for it before they read.

        :return: True
        """
        touched = Domain("check_id", "in", self.ids) & Domain("is_touched", "=", True)
        self.env["healthcare.cycle.issue"].search(touched)._look_again()
        return True

    def action_view_all(self):
        """All items with issues."""
        return self._issues_action(self.env._("Issues"), Domain.TRUE)

    def action_view_unapproved(self):
        """The cycle's visits, to approve them."""
        return self.cycle_id.action_view_visits()

    def _open(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Issue Resolution"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
        }

    def _issues_action(self, name, domain):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_cycle_issue_action"
        )
        open_ones = Domain("check_id", "=", self.id) & Domain("is_mended", "=", False)
        return {
            **action,
            "name": name,
            "domain": list(open_ones & domain),
            "context": {"healthcare_cycle_check_id": self.id},
        }

    # -- what is looked through ------------------------------------------------------------------
    def _scope_domain(self):
        """The cycle's care, on charges and appointments alike.

        Carry-overs that another cycle billed need no exception: what is invoiced has no issues.
        """
        self.ensure_one()
        return self.cycle_id._scope_domain() & self.cycle_id._days_domain()

    def _charge_domain(self):
        domain = self._scope_domain()
        if self.visits == "scheduled":
            scheduled = Domain("appointment_id.state", "in", ("scheduled", "completed"))
            domain &= scheduled | Domain("appointment_id", "=", False)
        return domain

    def _uncharged_domain(self):
        """Planned visits without a service: nothing is charged for them yet."""
        return (
            self._scope_domain()
            & Domain("product_id", "=", False)
            & Domain("state", "=", "scheduled")
            & Domain("billable", "=", True)
            & Domain("approval_state", "!=", "rejected")
            & Domain("charge_ids", "not any", [("kind", "=", "service"), ("parent_id", "=", False)])
        )

    # -- looking ---------------------------------------------------------------------------------
    def _find_issues(self):
        """Fill rows, counts per reason and figures, by a fixed number of queries."""
        self.ensure_one()
        self.env["healthcare.billing.engine"]._flush_billing()
        for model in ("healthcare.cycle.issue", "healthcare.cycle.check.reason"):
            self.env.cr.execute(
                SQL(
                    "DELETE FROM %s WHERE check_id = %s",
                    SQL.identifier(self.env[model]._table),
                    self.id,
                )
            )
        charges = self.env["healthcare.charge"].search(self._charge_domain(), order="id")
        uncharged = self.env["healthcare.appointment"].search(self._uncharged_domain(), order="id")
        self._make_found(charges.ids, uncharged.ids)
        self.env.cr.execute(self._insert_issues_sql())
        self.env.cr.execute(self._insert_rel_sql())
        self.env.cr.execute(self._insert_reasons_sql())
        self.env.invalidate_all(flush=False)
        self.write(self._figures())

    def _make_found(self, charge_ids, appointment_ids):
        """A temporary table: a row per item that is neither billed nor decided, with its codes.

        Joins by hash or merge, as in the completeness report: the engine's source joins sums of
        authorizations and journal items, which a loop would make again for each charge.
        """
        execute = self.env.cr.execute
        [(before,)] = self.env.execute_query(SQL("SELECT current_setting('enable_nestloop')"))
        set_loops = "SELECT set_config('enable_nestloop', %s, TRUE)"  # for this transaction
        execute(SQL(set_loops, "off"))
        execute(SQL("DROP TABLE IF EXISTS pg_temp.cycle_check_found"))
        execute(
            SQL(
                """CREATE TEMPORARY TABLE cycle_check_found ON COMMIT DROP AS
                   %(charges)s
                   UNION ALL
                   SELECT NULL::int, a.id, a.approval_state, %(codes)s
                     FROM healthcare_appointment a
                    WHERE a.id = ANY(%(appointments)s)""",
                charges=self._found_sql(charge_ids),
                codes=self._uncharged_codes_sql(),
                appointments=appointment_ids,
            )
        )
        execute(SQL(set_loops, before))
        execute(SQL("ANALYZE cycle_check_found"))

    def _found_sql(self, charge_ids):
        """SELECT of charges that are neither billed nor decided, and the codes told of each.

        :return: SQL with the columns charge_id, appointment_id, approval_state, codes
        """
        engine = self.env["healthcare.billing.engine"].with_context(healthcare_billing_door="cycle")
        return SQL(
            """SELECT c.id AS charge_id, c.appointment_id, a.approval_state, %(told)s AS codes
                 FROM %(source)s
           CROSS JOIN LATERAL (SELECT %(codes)s) AS codes(found)
                WHERE c.id = ANY(%(ids)s) AND NOT (codes.found && %(decided)s)""",
            told=self._told_sql(),
            source=engine._charge_source(SQL("c0.id = ANY(%s)", charge_ids)),
            codes=engine._block_codes_sql(self.company_id, self.invoice_date),
            ids=charge_ids,
            decided=list(DECIDED_CODES),
        )

    @api.model
    def _told_sql(self):
        """SQL expression: those of the codes in ``codes.found`` that somebody has to mend.

        A planned visit is approved once it took place. One that is approved and planned is stuck.
        """
        return SQL(
            """ARRAY(SELECT code FROM unnest(codes.found) WITH ORDINALITY AS each(code, place)
                      WHERE code <> ALL(%s)
                        AND (code <> 'planned' OR a.approval_state = 'approved')
                        AND (c.kind <> 'premium' OR a.id IS NULL OR code <> ALL(%s))
                   ORDER BY place)""",
            list(OTHER_STEPS),
            list(VISIT_CODES),
        )

    @api.model
    def _uncharged_codes_sql(self):
        """Codes of a visit (``a``) without a service; the rest is found once it has one."""
        return SQL(
            """array_remove(ARRAY[
                CASE WHEN a.is_vacant THEN 'vacant' END,
                CASE WHEN a.is_unscheduled THEN 'unscheduled' END,
                CASE WHEN a.billing_account_id IS NULL THEN 'missing_account' END,
                'missing_service'], NULL)"""
        )

    def _reason_ids(self):
        """``{code: id}`` of all reasons, as JSON for SQL."""
        reasons = self.env["healthcare.block.reason"].search_fetch([], ["code"])
        return dumps({reason.code: reason.id for reason in reasons})

    def _insert_issues_sql(self):
        return SQL(
            """INSERT INTO healthcare_cycle_issue (
                   check_id, create_uid, write_uid, create_date, write_date, charge_id,
                   appointment_id, company_id, currency_id, service_date, client_id, visit_state,
                   approval_state, amount, reason_id, is_mended, is_touched
               )
               SELECT %(check)s, %(uid)s, %(uid)s, %(now)s, %(now)s, found.charge_id,
                      found.appointment_id, COALESCE(c.company_id, a.company_id),
                      COALESCE(c.currency_id, %(currency)s),
                      COALESCE(c.service_date, a.service_date),
                      COALESCE(c.client_id, a.client_id), a.state, found.approval_state, c.amount,
                      (%(reasons)s::jsonb ->> found.codes[1])::int, FALSE, FALSE
                 FROM cycle_check_found found
            LEFT JOIN healthcare_charge c ON c.id = found.charge_id
            LEFT JOIN healthcare_appointment a ON a.id = found.appointment_id
                WHERE found.codes <> '{}'""",
            check=self.id,
            uid=self.env.uid,
            now=fields.Datetime.now(),
            currency=self.currency_id.id,
            reasons=self._reason_ids(),
        )

    def _insert_rel_sql(self):
        return SQL(
            """INSERT INTO healthcare_cycle_issue_reason_rel (issue_id, reason_id)
               SELECT issue.id, (%(reasons)s::jsonb ->> code)::int
                 FROM healthcare_cycle_issue issue
                 JOIN cycle_check_found found
                   ON (found.charge_id = issue.charge_id
                       OR (found.charge_id IS NULL AND issue.charge_id IS NULL
                           AND found.appointment_id = issue.appointment_id))
           CROSS JOIN LATERAL unnest(found.codes) AS code
                WHERE issue.check_id = %(check)s AND %(reasons)s::jsonb ? code""",
            reasons=self._reason_ids(),
            check=self.id,
        )

    def _insert_reasons_sql(self):
        """Counts per reason; an item with two reasons counts under both."""
        return SQL(
            """INSERT INTO healthcare_cycle_check_reason (
                   check_id, create_uid, write_uid, create_date, write_date, company_id,
                   currency_id, sequence, reason_id, item_count, amount
               )
               SELECT %(check)s, %(uid)s, %(uid)s, %(now)s, %(now)s, issue.company_id,
                      issue.currency_id, reason.sequence, reason.id, COUNT(*), SUM(issue.amount)
                 FROM healthcare_cycle_issue issue
                 JOIN healthcare_cycle_issue_reason_rel rel ON rel.issue_id = issue.id
                 JOIN healthcare_block_reason reason ON reason.id = rel.reason_id
                WHERE issue.check_id = %(check)s
             GROUP BY issue.company_id, issue.currency_id, reason.sequence, reason.id""",
            check=self.id,
            uid=self.env.uid,
            now=fields.Datetime.now(),
        )

    def _figures(self):
        """Values of the check's own fields."""
        [(items, issues, unapproved)] = self.env.execute_query(
            SQL(
                """SELECT COUNT(*), COUNT(*) FILTER (WHERE codes <> '{}'),
                          COUNT(DISTINCT appointment_id)
                              FILTER (WHERE approval_state = 'not_approved')
                     FROM cycle_check_found"""
            )
        )
        return {
            "checked_on": fields.Datetime.now(),
            "item_count": items,
            "issue_count": issues,
            "unapproved_count": unapproved,
        }


class HealthcareCycleCheckReason(models.TransientModel):
    """How many items of a cycle one reason keeps back."""

    _name = "healthcare.cycle.check.reason"
    _description = "Issues of a Billing Cycle: Reason"
    _order = "sequence, id"
    _rec_name = "reason_id"

    check_id = fields.Many2one(
        "healthcare.cycle.check", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company")
    currency_id = fields.Many2one("res.currency")
    sequence = fields.Integer()
    reason_id = fields.Many2one("healthcare.block.reason", ondelete="cascade")
    item_count = fields.Integer(string="Items")
    amount = fields.Monetary(help="Untaxed; what has no price yet isn't in it.")
    remedy = fields.Text(related="reason_id.remedy", string="What to Do")
    has_mend_button = fields.Boolean(related="reason_id.has_mend_button")

    def action_view_items(self):
        """The items behind the count."""
        self.ensure_one()
        return self.check_id._issues_action(self.reason_id.name, self._issue_domain())

    def action_mend(self):
        """Open the record that mends all items, or else the items, each with its own button."""
        self.ensure_one()
        issues = self.env["healthcare.cycle.issue"].search(
            Domain("check_id", "=", self.check_id.id)
            & Domain("is_mended", "=", False)
            & self._issue_domain()
        )
        if issues and self.has_mend_button and issues._count_targets(self.reason_id) == 1:
            return issues[0]._mend_action(self.reason_id)
        return self.action_view_items()

    def _issue_domain(self):
        return Domain("reason_ids", "in", self.reason_id.ids) & Domain(
            "currency_id", "=", self.currency_id.id
        )
