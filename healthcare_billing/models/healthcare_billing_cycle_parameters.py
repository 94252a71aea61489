from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_date

from .healthcare_billing_cycle import PARAMETER_FIELDS

# What the latest cycle of the same payers decides for one that was made from it (R11).
INHERITED_FIELDS = {"date_from", "company_id", "payer_ids", "include_self_pay"}


class HealthcareBillingCycle(models.Model):
    """Parameters of a cycle: when they may change, the next one, and which cycles overlap."""

    _inherit = "healthcare.billing.cycle"

    overlap_ids = fields.Many2many(
        "healthcare.billing.cycle",
        compute="_compute_overlap_ids",
        string="Overlapping Cycles",
        help="Cycles that may bill the same care, by days (back-billing included) and payers. What "
        "one has invoiced the others leave out.",
    )
    run_count = fields.Integer(compute="_compute_run_count")

    # -- computes --------------------------------------------------------------------------------
    @api.depends("name", "date_from", "date_to")
    def _compute_display_name(self):
        for cycle in self:
            if not cycle.date_from or not cycle.date_to:
                cycle.display_name = cycle.name
                continue
            cycle.display_name = self.env._(
                "%(name)s (%(first)s - %(last)s)",
                name=cycle.name,
                first=format_date(self.env, cycle.date_from),
                last=format_date(self.env, cycle.date_to - relativedelta(days=1)),
            )

    @api.depends(
        "company_id", "date_from", "date_to", "back_billing_date", "payer_ids", "include_self_pay"
    )
    def _compute_overlap_ids(self):
        """One search for all cycles: those whose days meet, then whose payers do."""
        dated = self.filtered(lambda cycle: cycle.date_from and cycle.date_to)
        self.overlap_ids = False
        if not dated:
            return
        others = self.search(
            Domain("company_id", "in", dated.company_id.ids)
            & Domain("date_to", ">", min(cycle._first_day() for cycle in dated))
            & (
                Domain("date_from", "<", max(cycle.date_to for cycle in dated))
                | Domain("back_billing_date", "<", max(cycle.date_to for cycle in dated))
            )
        )
        for cycle in dated:
            cycle.overlap_ids = others.filtered(
                lambda other, own=cycle: (
                    other != own._origin
                    and other.company_id == own.company_id
                    and other._first_day() < own.date_to
                    and own._first_day() < other.date_to
                    and own._has_payers_in_common(other)
                )
            )

    def _first_day(self):
        """First day of care that the cycle may bill."""
        self.ensure_one()
        return self.back_billing_date or self.date_from

    def _has_payers_in_common(self, other):
        """Whether two cycles may bill care of the same payer, or of nobody but the client."""
        self.ensure_one()
        if not self.payer_ids or not other.payer_ids:
            return True
        return bool(
            set(self.payer_ids.ids) & set(other.payer_ids.ids)
            or (self.include_self_pay and other.include_self_pay)
        )

    def _compute_run_count(self):
        counts = dict(
            self.env["healthcare.billing.run"]._read_group(
                [("billing_cycle_id", "in", self.ids), ("state", "!=", "canceled")],
                ["billing_cycle_id"],
                ["__count"],
            )
        )
        for cycle in self:
            cycle.run_count = counts.get(cycle._origin, 0)

    # -- write, delete ---------------------------------------------------------------------------
    def write(self, vals):
        """Parameters are those of an open cycle; a cycle made from another keeps its payers."""
        changed = self.filtered(lambda cycle: cycle._changed_parameters(vals))
        if changed:
            changed._check_open()
            inherited = changed.filtered(
                lambda cycle: cycle.origin_id and cycle._changed_parameters(vals) & INHERITED_FIELDS
            )
            if inherited:
                raise UserError(
                    self.env._(
                        "%s was made from another cycle: it begins where the latest one of these "
                        "payers ends. Make a new cycle for other payers or another first day.",
                        inherited[0].name,
                    )
                )
            if "company_id" in vals and changed.sudo().run_ids:  # sudo: of all companies
                raise UserError(self.env._("A cycle that has billing runs keeps its company."))
        return super().write(vals)

    def _changed_parameters(self, vals):
        """Names of the parameters that these values would change."""
        self.ensure_one()
        names = set()
        for name in (PARAMETER_FIELDS | {"last_day"}) & set(vals):
            field = self._fields[name]
            if field.type == "many2many":
                new = self.new({name: vals[name]}, origin=self)[name]
                if set(new._origin.ids) != set(self[name].ids):
                    names.add(name)
            elif field.convert_to_cache(vals[name], self) != field.convert_to_cache(
                self[name], self
            ):
                names.add(name)
        return names

    def _check_open(self):
        """Only an open cycle is generated, regenerated, or changed (R14).

        :raise UserError: one of these cycles is closing or closed
        """
        for cycle in self:
            if cycle.state == "closing":
                raise UserError(
                    self.env._(
                        "%s is being closed. Wait for the result, or open it again.", cycle.name
                    )
                )
            if cycle.state == "closed":
                raise UserError(
                    self.env._(
                        "%s is closed: a billing manager can open it again. What is billed later "
                        "goes on a later cycle, by its back-billing date.",
                        cycle.name,
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        self._check_open()
        # sudo: invoices that the user may not see count, too
        for cycle in self.sudo():
            if cycle.move_ids or cycle.run_ids.line_ids.filtered(
                lambda line: line.state != "planned"
            ):
                raise UserError(
                    self.env._(
                        "%s has made invoices, and is their record. It can't be deleted.",
                        cycle.name,
                    )
                )

    def unlink(self):
        """Previews go with their cycle."""
        self.check_access("unlink")
        self._unlink_except_used()
        self.sudo().run_ids.unlink()  # sudo: users may not delete what the engine made
        return super().unlink()

    # -- the next cycle --------------------------------------------------------------------------
    def action_create_next(self):
        """Make the cycle that follows the latest one of the same payers, and open it (R11).

        :return: window action on the new cycle
        """
        self.ensure_one()
        new = self.create(self._prepare_next())
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": new.id,
            "views": [(False, "form")],
        }

    def _prepare_next(self):
        """Values of the next cycle: same length, same distance of back-billing, same filters.

        A cycle of whole calendar months is followed by as many, whatever their length. Invoices
        are dated as far after the last day as before, and on no earlier one: care isn't invoiced
        before it was given.
        """
        self.ensure_one()
        first = max(self._cycles_of_same_payers().mapped("date_to"))
        months = self._calendar_months()
        if months and first.day == 1:
            end = first + relativedelta(months=months)
        else:
            end = first + (self.date_to - self.date_from)
        last = end - relativedelta(days=1)
        return {
            "origin_id": self.id,
            "company_id": self.company_id.id,
            "date_from": first,
            "date_to": end,
            "back_billing_date": self._next_back_billing(first),
            "invoice_date": max(last, last + (self.invoice_date - self.last_day)),
            "payer_ids": [fields.Command.set(self.payer_ids.ids)],
            "include_self_pay": self.include_self_pay,
            "department_ids": [fields.Command.set(self.department_ids.ids)],
            "client_group_ids": [fields.Command.set(self.client_group_ids.ids)],
            "bill_code_group_ids": [fields.Command.set(self.bill_code_group_ids.ids)],
        }

    def _next_back_billing(self, first):
        """Back-billing date of a cycle that begins on that day, at the same distance."""
        self.ensure_one()
        if not self.back_billing_date:
            return False
        before = relativedelta(self.date_from, self.back_billing_date)
        if not before.days and self.date_from.day == 1 and first.day == 1:
            return first - before
        return first - (self.date_from - self.back_billing_date)

    def _calendar_months(self):
        """Number of calendar months that the cycle is, 0 if it isn't whole ones."""
        self.ensure_one()
        length = relativedelta(self.date_to, self.date_from)
        if self.date_from.day != 1 or length.days:
            return 0
        return length.years * 12 + length.months

    def _cycles_of_same_payers(self):
        """Cycles of the company for the very same payers, this one included."""
        self.ensure_one()
        cycles = self.search(
            [
                ("company_id", "=", self.company_id.id),
                ("include_self_pay", "=", self.include_self_pay),
            ]
        )
        return cycles.filtered(lambda cycle: cycle.payer_ids == self.payer_ids) | self

    def action_view_runs(self):
        """Open the billing runs of the cycle."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_billing_run_action"
        )
        return {**action, "domain": [("billing_cycle_id", "=", self.id)]}

    # -- what the cycle may bill -----------------------------------------------------------------
    def _charge_domain(self):
        """Charges of the cycle: of its filters, on its own days or taken over (R11)."""
        self.ensure_one()
        return self._scope_domain() & (self._own_days_domain() | self._carry_over_domain())
