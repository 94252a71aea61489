from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from .healthcare_charge import RESPONSIBILITIES

# In the context of lines that are given complete; an object, because no client can send it.
COMPLETE = object()
# Stored fields of a complete line that nothing has to compute; their inverses have nothing to do.
COMPLETE_FIELDS = (
    "account_id", "amount_currency", "amount_residual", "amount_residual_currency",
    "analytic_distribution", "balance", "charge_credited", "charge_live", "company_currency_id",
    "company_id", "credit", "currency_id", "date", "debit", "display_type", "invoice_date",
    "is_storno", "journal_id", "move_name", "name", "no_followup", "parent_state", "partner_id",
    "price_subtotal", "price_total", "price_unit", "product_id", "product_uom_id", "quantity",
    "reconciled", "ref", "sequence", "tax_group_id", "tax_ids", "tax_line_id",
)  # fmt: skip


class AccountMoveLine(models.Model):
    """The link between a charge and the ledger, and the guard that keeps it single.

    ``charge_live`` marks the line that bills a charge now. The exclusion constraint lets at most
    one such line exist per charge and responsibility, whatever code path, user or race makes it.
    It is deferrable, because a plain unique index is checked row by row and would refuse legal
    swaps within one flush.
    """

    _inherit = "account.move.line"

    charge_id = fields.Many2one(
        "healthcare.charge",
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        groups="base.group_user",
    )
    responsibility = fields.Selection(RESPONSIBILITIES, copy=False, groups="base.group_user")
    charge_units = fields.Float(
        digits=(16, 2),
        copy=False,
        groups="base.group_user",
        help="Units of the charge. A line that bills a part of it has quantity 1 and the part as "
        "its price.",
    )
    charge_planned = fields.Monetary(
        string="Planned Amount",
        copy=False,
        groups="base.group_user",
        help="What the part of the charge was when the line was made, whatever was typed since.",
    )
    credit_of_line_id = fields.Many2one(
        "account.move.line",
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        groups="base.group_user",
        help="The line that this one reverses.",
    )
    credited_by_line_ids = fields.One2many(
        "account.move.line", "credit_of_line_id", groups="base.group_user"
    )
    charge_credited = fields.Monetary(
        compute="_compute_charge_credited",
        store=True,
        recursive=True,
        copy=False,
        groups="base.group_user",
        help="How much of this line posted counter-lines take back, less what was taken back of "
        "them in turn.",
    )
    charge_live = fields.Boolean(
        compute="_compute_charge_live",
        store=True,
        copy=False,
        groups="base.group_user",
        help="This line bills its charge now: not canceled, not credited in full.",
    )

    _charge_live_once = models.Constraint(
        "EXCLUDE (charge_id WITH =, responsibility WITH =) WHERE (charge_live)"
        " DEFERRABLE INITIALLY IMMEDIATE",
        "This care is already on another invoice. Refresh the page, and search again.",
    )
    _charge_responsibility = models.Constraint(
        "CHECK (charge_id IS NULL OR responsibility IS NOT NULL)",
        "An invoice line of a charge must say who is responsible for it.",
    )

    @api.depends(
        "charge_id",
        "move_id.move_type",
        "credited_by_line_ids.parent_state",
        "credited_by_line_ids.price_subtotal",
        "credited_by_line_ids.charge_credited",
        "credited_by_line_ids.move_id.move_type",
    )
    def _compute_charge_credited(self):
        for line in self:
            counters = line.charge_id and line.credited_by_line_ids
            line.charge_credited = sum(
                abs(counter.price_subtotal) - counter.charge_credited
                for counter in counters or ()
                if counter.parent_state == "posted" and counter._is_counter_line()
            )

    @api.depends(
        "charge_id",
        "credit_of_line_id.move_id.move_type",
        "parent_state",
        "move_id.move_type",
        "price_subtotal",
        "charge_credited",
        "credited_by_line_ids.parent_state",
    )
    def _compute_charge_live(self):
        """A charge's line is live until canceled, or until posted counter-lines cover it.

        Lines of a credit note that the engine made for negative charges bill these charges and are
        live too; counter-lines (reversals) never are: what they take back, and give back when they
        are reversed in turn, is told by ``charge_credited`` of the line that bills.
        """
        for line in self:
            line.charge_live = bool(
                line.charge_id
                and not line._is_counter_line()
                and line.parent_state != "cancel"
                and line.move_id.move_type in ("out_invoice", "out_refund")
                and not line._is_credited_in_full()
            )

    def _is_counter_line(self):
        """Whether this line takes back another one. A copy that only says so doesn't."""
        self.ensure_one()
        origin = self.credit_of_line_id
        return bool(origin and origin.move_id.move_type != self.move_id.move_type)

    def _billing_line(self):
        """The line that bills the charge which this one, counter-line or not, is about."""
        self.ensure_one()
        line = self
        while line._is_counter_line():
            line = line.credit_of_line_id
        return line

    def _frees(self):
        """Whether this line, while posted, takes back what its billing line bills."""
        self.ensure_one()
        return self.move_id.move_type != self._billing_line().move_id.move_type

    def _check_charges_still_free(self):
        """Refuse to bill care again that was billed elsewhere, or changed, meanwhile.

        sudo in all callers: whoever keeps the books need not be allowed to read charges.
        """
        billing = self.browse({line._billing_line().id for line in self}).filtered(
            lambda line: not line.charge_live
        )
        rivals = self.search(
            [
                ("charge_id", "in", billing.charge_id.ids),
                ("charge_live", "=", True),
                ("id", "not in", billing.ids),
            ]
        )
        taken = {(line.charge_id, line.responsibility): line.move_id for line in rivals}
        conflicts = []
        for line in billing:
            rival = taken.get((line.charge_id, line.responsibility))
            if rival:
                conflicts.append(
                    self.env._(
                        "%(charge)s is on %(invoice)s",
                        charge=line.charge_id.display_name,
                        invoice=rival._care_reference(),
                    )
                )
            elif not line.charge_id._is_billed_as(line):
                conflicts.append(self.env._("%s was changed since", line.charge_id.display_name))
        if conflicts:
            raise UserError(
                self.env._(
                    "This would bill care that is billed elsewhere, or isn't the same any more:"
                    "\n%s\nBill it anew instead.",
                    "\n".join(conflicts[:20]),
                )
            )

    def _is_credited_in_full(self):
        self.ensure_one()
        posted = self.credited_by_line_ids.filtered(lambda line: line.parent_state == "posted")
        if not posted:
            return False
        currency = self.currency_id or self.company_id.currency_id
        if currency.is_zero(self.price_subtotal):  # nothing to cover: the latest word counts
            return any(not line.credited_by_line_ids for line in posted)
        return currency.compare_amounts(self.charge_credited, abs(self.price_subtotal)) >= 0

    @api.constrains("charge_id", "responsibility")
    def _check_responsibility(self):
        """Nobody is billed for a charge who doesn't owe a part of it."""
        names = dict(self.env["healthcare.charge"]._party_names())
        # sudo: whoever keeps the books need not be allowed to read charges
        for line in self.sudo().filtered(lambda line: line.charge_id and line.responsibility):
            if not line.move_id.is_sale_document():  # a payment names the charge that it is for
                continue
            if not line._is_counter_line() and line.responsibility not in line.charge_id._parts():
                raise ValidationError(
                    self.env._(
                        "%(charge)s has no part of this party: %(party)s.",
                        charge=line.charge_id.display_name,
                        party=names[line.responsibility],
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        if not self._is_complete():
            for vals in vals_list:
                self._check_charge_link(vals)
        # What was freed in this transaction must be free in the database before it is taken again.
        if any(vals.get("charge_id") for vals in vals_list):
            self.flush_model(["charge_live"])
        return super().create(vals_list)

    # -- complete lines --------------------------------------------------------------------------
    # The engine's fast path gives all values that core would compute one line at a time. The ORM
    # drops what is given for read-only fields, and computes again whatever isn't protected.
    @api.model
    def _is_complete(self):
        return self.env.context.get("healthcare_complete_lines") is COMPLETE

    @api.model
    def _add_precomputed_values(self, vals_list):
        """Complete lines follow from their move and balance; no virtual record is needed."""
        if not self._is_complete():
            return super()._add_precomputed_values(vals_list)
        known = {self._fields[name] for name in COMPLETE_FIELDS}
        by_move = {}
        for vals in vals_list:
            move_id = vals["move_id"]
            if move_id not in by_move:
                by_move[move_id] = self._values_of_move(self.env["account.move"].browse(move_id))
            balance = vals["balance"] or 0.0
            vals.update(by_move[move_id])
            vals.update(
                debit=max(balance, 0.0),
                credit=max(-balance, 0.0),
                charge_live=bool(vals.get("charge_id")),
                __precomputed__=known,
            )
        return super()._add_precomputed_values(vals_list)

    @api.model
    def _values_of_move(self, move):
        """What a draft's lines repeat of it."""
        return {
            "company_id": move.company_id.id,
            "company_currency_id": move.company_id.currency_id.id,
            "currency_id": move.currency_id.id,
            "date": move.date,
            "invoice_date": move.invoice_date,
            "is_storno": False,
            "journal_id": move.journal_id.id,
            "move_name": move.name,
            "no_followup": False,
            "parent_state": move.state,
            "partner_id": move.commercial_partner_id.id,
            "ref": move.ref,
            "tax_group_id": False,
            "tax_line_id": False,
        }

    @api.model
    def _create(self, data_list):
        if self._is_complete():
            fields_ = {name: self._fields[name] for name in COMPLETE_FIELDS}
            for data in data_list:
                data["protected"].update(
                    field for name, field in fields_.items() if name in data["stored"]
                )
        return super()._create(data_list)

    def _check_company(self, fnames=None):
        """Of complete lines, one is checked for all that point to the same records."""
        lines = self
        if fnames is None and self._is_complete():
            names = [
                name
                for name, field in self._fields.items()
                if field.relational and field.check_company and name != "move_id"
            ]
            different = {tuple(line[name]._ids for name in names): line.id for line in self}
            lines = self.browse(different.values())
        return super(AccountMoveLine, lines)._check_company(fnames)

    def write(self, vals):
        self._check_charge_link(vals)
        return super().write(vals)

    @api.model
    def _check_charge_link(self, vals):
        """What bills a charge is computed, and a line keeps the charge that it bills.

        An invoice of care whose line let go of its charge would be posted, and the care billed
        again: charges are freed by deleting, canceling and crediting only.
        """
        if {"charge_live", "charge_credited"} & set(vals):
            raise UserError(
                self.env._("Whether a line bills its charge is computed, and can't be written.")
            )
        changed = {"charge_id", "responsibility", "credit_of_line_id"} & set(vals)
        for line in self if changed and not self._may_relink(changed) else ():
            if any(
                (line[name] if name == "responsibility" else line[name].id) != vals[name]
                for name in changed
            ):
                raise UserError(
                    self.env._(
                        "%s: which care an invoice line bills can't be changed. Delete the line of "
                        "a draft, or credit the invoice, and bill the care again.",
                        line.move_id._care_reference(),
                    )
                )

    def _may_relink(self, names):
        drafts = set(self.mapped("parent_state")) <= {"draft"}
        return self.env.su and drafts and "credit_of_line_id" not in names

    @api.ondelete(at_uninstall=False)
    def _unlink_except_credited(self):
        """A credit note without the invoice that it credits would be money out of nowhere."""
        counter = self.credited_by_line_ids - self
        if counter:
            raise UserError(
                self.env._(
                    "%(invoice)s was credited by %(credit)s, and can't be deleted. Delete the "
                    "credit note first, if it is a draft.",
                    invoice=counter[0].credit_of_line_id.move_id._care_reference(),
                    credit=counter[0].move_id._care_reference(),
                )
            )

    def _copy_data_extend_business_fields(self, values):
        """Core calls this for reversals and for the new invoice of "Reverse and Create"."""
        res = super()._copy_data_extend_business_fields(values)
        if self.charge_id:
            values["charge_id"] = self.charge_id.id
            values["responsibility"] = self.responsibility
            values["charge_units"] = self.charge_units
            values["charge_planned"] = self.charge_planned
            if "move_reverse_cancel" in self.env.context:  # only set while reversing
                values["credit_of_line_id"] = self.id
        return res

    def _get_computed_taxes(self):
        """Care has the taxes of its service only; core falls back to those of the account."""
        if self.charge_id and not self.product_id.taxes_id:
            return self.env["account.tax"]
        return super()._get_computed_taxes()
