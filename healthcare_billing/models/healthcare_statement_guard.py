from odoo import api, models
from odoo.exceptions import AccessError, UserError

# What became of a statement: written by committing, closing and reopening it only.
RECORD_FIELDS = {
    "access_token", "agency_id", "closed_by_id", "closed_on", "committed_by_id", "committed_on",
    "name", "payment_ids", "proceeds_move_id", "run_id", "set_off_ids", "state", "write_off_ids",
}  # fmt: skip
# Whom it is for, and what it takes in, is decided before it is committed.
DRAFT_FIELDS = {
    "company_id", "currency_id", "date", "date_from", "date_to", "fee_schedule_id", "partner_id",
    "statement_type", "with_awaiting_payment", "with_billing_office", "with_drafts", "with_qa",
}  # fmt: skip
# What may be corrected as long as it is open.
OPEN_FIELDS = {"comment", "ledger_amount", "overrides_quotes", "settles_ledger"}
# What became of an item.
LINE_RECORD_FIELDS = {"amount_lost", "amount_paid", "outcome", "waits_for_qa"}


class HealthcareStatement(models.Model):
    """Who may write what, when: read-only fields are so in views only, and any client can send
    values."""

    _name = "healthcare.statement"
    _inherit = ("healthcare.statement", "healthcare.guarded.mixin")

    @api.model
    def _record_fields(self):
        """Fields that no user writes. Overriders add those of their own records.

        :rtype: set
        """
        return RECORD_FIELDS

    @api.model
    def _guarded_names(self):
        return super()._guarded_names() | self._record_fields()

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            for vals in vals_list:
                given = {name for name in self._record_fields() & set(vals) if vals[name]}
                if given - {"name", "state"} or vals.get("state", "draft") != "draft":
                    raise self._record_error()
        return super().create(vals_list)

    def write(self, vals):
        if not self.env.su:
            if self._record_fields() & set(vals):
                raise self._record_error()
            drafts = self.filtered(lambda statement: statement.state == "draft")
            told = (self - drafts)._changed(DRAFT_FIELDS & set(vals), vals)
            if told:
                raise UserError(
                    self.env._(
                        "%s was committed: whom it is for, and what it takes in, stays. Cancel it, "
                        "and make another one.",
                        told[0].name,
                    )
                )
            open_ones = self.filtered(lambda statement: statement.state in ("draft", "committed"))
            closed = (self - open_ones)._changed(OPEN_FIELDS & set(vals), vals)
            if closed:
                raise UserError(
                    self.env._("%s is closed: it stays as it was told.", closed[0].name)
                )
        return super().write(vals)

    def _changed(self, names, vals):
        """Those of these statements on which one of the fields would be another one."""
        return self.filtered(
            lambda statement: any(statement._differs(name, vals[name]) for name in names)
        )

    def _differs(self, name, value):
        self.ensure_one()
        field = self._fields[name]
        wanted = field.convert_to_cache(value, self, validate=False)
        return field.convert_to_cache(self[name], self) != wanted

    @api.model
    def _record_error(self):
        return AccessError(
            self.env._(
                "What became of a statement is recorded by committing, closing, reopening and "
                "e-mailing it, and can't be changed by hand."
            )
        )

    def _record(self, vals):
        """Keep what became of these statements.

        sudo: users don't write it by hand; who may do what leads here was asked before.
        """
        self.sudo().write(vals)


class HealthcareStatementLine(models.Model):
    """What became of an item isn't typed, either."""

    _name = "healthcare.statement.line"
    _inherit = ("healthcare.statement.line", "healthcare.guarded.mixin")

    @api.model
    def _guarded_names(self):
        return super()._guarded_names() | LINE_RECORD_FIELDS

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_not_recorded({name for name in LINE_RECORD_FIELDS if vals.get(name)})
        return super().create(vals_list)

    def write(self, vals):
        self._check_not_recorded(LINE_RECORD_FIELDS & set(vals))
        return super().write(vals)

    @api.model
    def _check_not_recorded(self, names):
        if names and not self.env.su and not self._is_listing():
            raise self.env["healthcare.statement"]._record_error()

    def _record(self, vals):
        """Keep what became of these items.

        sudo: as for statements.
        """
        self.sudo().write(vals)
