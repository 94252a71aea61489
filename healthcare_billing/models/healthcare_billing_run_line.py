from collections import defaultdict
from dataclasses import replace
from types import MappingProxyType

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Command

# What a user decides on a row of a preview; the rest is the engine's record.
USER_FIELDS = {"selected", "narration", "group_single_claim"}
# What a user corrects on a row's charges. Whose care it was, and when, is the appointment's.
CHARGE_FIELDS = {
    "modifier_ids", "diagnosis_ids", "quantity", "price_unit", "amount_client", "amount_payer",
    "amount_secondary", "product_id",
}  # fmt: skip
# Values that a form sends along, and nobody types.
UNTYPED_FIELDS = {"parts_typed", "is_priced"}


class HealthcareBillingRunLine(models.Model):
    """One invoice of a run: planned, then its result."""

    _name = "healthcare.billing.run.line"
    _description = "Billing Run Line"
    _order = "run_id, sequence, id"
    _rec_name = "partner_id"

    run_id = fields.Many2one(
        "healthcare.billing.run", required=True, index=True, ondelete="cascade"
    )
    sequence = fields.Integer()
    company_id = fields.Many2one("res.company", required=True, index=True)
    currency_id = fields.Many2one("res.currency", required=True)
    company_currency_id = fields.Many2one(related="run_id.currency_id", string="Run's Currency")
    partner_id = fields.Many2one("res.partner", string="Invoiced to", required=True)
    client_id = fields.Many2one("res.partner", index="btree_not_null")
    payer_id = fields.Many2one("res.partner")
    state = fields.Selection(
        [
            ("planned", "Planned"),
            ("created", "Created"),
            ("skipped", "Skipped"),
            ("failed", "Failed"),
            ("undone", "Undone"),
            ("deleted", "Deleted"),
        ],
        default="planned",
        required=True,
        readonly=True,
        index=True,
    )
    selected = fields.Boolean(default=True)
    charge_ids = fields.Many2many(
        "healthcare.charge",
        "healthcare_run_line_charge_rel",
        "line_id",
        "charge_id",
        readonly=True,
        # accountants read runs, but no charges: without groups no run would open for them
        groups="healthcare_billing.group_care_staff",
    )
    charge_count = fields.Integer(string="Items", readonly=True)
    amount = fields.Monetary(readonly=True, help="Untaxed, in the invoice's currency.")
    amount_company = fields.Monetary(
        string="Amount in Run's Currency", currency_field="company_currency_id", readonly=True
    )
    plan_key = fields.Char(readonly=True)
    values = fields.Json(readonly=True, export_string_translation=False)
    message = fields.Char(string="Result", readonly=True)
    move_id = fields.Many2one(
        "account.move", string="Invoice", readonly=True, index="btree_not_null", ondelete="set null"
    )
    billing_ref = fields.Char(string="Billing Reference", readonly=True)

    narration = fields.Html(
        string="General Information", help="Printed at the foot of this invoice."
    )
    group_single_claim = fields.Boolean(
        string="Group All Appointments into a Single Claim",
        help="Otherwise each code of the invoice gets a claim of its own.",
    )
    run_state = fields.Selection(related="run_id.state", string="State of the Run")
    extra_line_names = fields.Char(related="run_id.extra_line_names")

    # -- sums of what the form shows, saved or not -----------------------------------------------
    amount_now = fields.Monetary(
        compute="_compute_amounts_now",
        string="This Invoice",
        groups="healthcare_billing.group_care_staff",
        help="What this addressee owes of the items, with extra lines.",
    )
    items_amount = fields.Monetary(
        compute="_compute_amounts_now",
        string="All Items",
        groups="healthcare_billing.group_care_staff",
    )
    items_amount_client = fields.Monetary(
        compute="_compute_amounts_now",
        string="Client's Part",
        groups="healthcare_billing.group_care_staff",
    )
    items_amount_payer = fields.Monetary(
        compute="_compute_amounts_now",
        string="Payers' Part",
        groups="healthcare_billing.group_care_staff",
    )

    @api.depends(
        "amount",
        "charge_ids.amount",
        "charge_ids.amount_client",
        "charge_ids.amount_payer",
        "charge_ids.amount_secondary",
    )
    def _compute_amounts_now(self):
        for line in self:
            charges = line.charge_ids
            line.items_amount = sum(charges.mapped("amount"))
            line.items_amount_client = sum(charges.mapped("amount_client"))
            line.items_amount_payer = sum(
                charge.amount_payer + charge.amount_secondary for charge in charges
            )
            change = sum(
                line._own_part(charge) - line._own_part(charge._origin) for charge in charges
            )
            line.amount_now = line._origin.amount + change

    def _own_part(self, charge):
        """What this row's addressee owes of a charge."""
        self.ensure_one()
        by_client = charge.payer_id.invoicing_model == "client_individual"
        if self.payer_id:
            return charge.amount_payer if charge.payer_id == self.payer_id else 0.0
        return charge.amount_client + (charge.amount_payer if by_client else 0.0)

    # -- what users may write --------------------------------------------------------------------
    def write(self, vals):
        """Users choose, add a note and correct charges, in a preview; the rest is the record.

        Corrected charges are written with the user's own rights on charges. Then every row that
        is touched is planned again, so that rows and totals are true.
        """
        if self.env.su:
            return super().write(vals)
        vals = dict(vals)
        corrections = self._check_corrections(vals.pop("charge_ids", ()))
        if set(vals) - self._user_fields():
            raise AccessError(
                self.env._("Rows of a billing run are the engine's record: correct their items.")
            )
        if any(line.run_id.state != "draft" for line in self):
            raise AccessError(self.env._("Rows can only be changed in a preview."))
        self.check_access("write")
        self.run_id._touch()
        result = super().write(vals) if vals else True
        if corrections:
            self._correct_charges(corrections)
        return result

    @api.model
    def _user_fields(self):
        """Names of the fields that users may write in a preview."""
        return USER_FIELDS

    def web_save(self, vals, specification, next_id=None):
        """A correction may have moved all items of a row elsewhere: then there is none to read."""
        rows = self.browse(row["id"] for row in super().web_save(vals, {}, next_id=next_id))
        return rows.exists().with_context(bin_size=True).web_read(specification)

    def _check_corrections(self, commands):
        """Let only corrections of this row's own charges through.

        :param commands: x2many commands as a form sends them
        :return: ``{charge id: values}``
        :raise AccessError: the commands link, remove or make charges, or write what isn't theirs
        """
        corrections = {}
        for command in commands or ():
            operation, charge_id, *rest = command
            if operation == Command.LINK and charge_id in self.charge_ids.ids:
                continue  # forms name what they show
            values = dict(rest[0]) if operation == Command.UPDATE else None
            if values is None or len(self) != 1 or charge_id not in self.charge_ids.ids:
                raise AccessError(self.env._("A row's items are those that were planned."))
            for name in UNTYPED_FIELDS:
                values.pop(name, None)
            if set(values) - CHARGE_FIELDS:
                raise AccessError(
                    self.env._(
                        "Only codes, units, fees and parts are corrected here: %s isn't.",
                        ", ".join(sorted(set(values) - CHARGE_FIELDS)),
                    )
                )
            if values:
                corrections[charge_id] = values
        return corrections

    def _correct_charges(self, corrections):
        """Write corrected charges, and plan again what they touch.

        :param dict corrections: ``{charge id: values}``
        """
        self.ensure_one()
        run = self.run_id
        run._open_preview()
        charges = self.charge_ids.browse(corrections)
        for charge in charges:
            charge._correct(corrections[charge.id])
        run._replan(charges)

    def action_select(self):
        """Tick these rows."""
        self._select(True)

    def action_deselect(self):
        """Untick these rows."""
        self._select(False)

    def _select(self, selected):
        for run, lines in self.grouped("run_id").items():
            run._write_on_rows({"selected": selected}, [("id", "in", lines.ids)])

    # -- results ---------------------------------------------------------------------------------
    def _apply_to(self, planned):
        """What was decided on this row, for its invoice: the note and the single claim.

        :param planned: :class:`PlannedInvoice`
        :return: :class:`PlannedInvoice`
        """
        self.ensure_one()
        decided = {
            "narration": self.narration or False,
            "group_single_claim": self.group_single_claim,
        }
        return replace(planned, values=MappingProxyType({**planned.values, **decided}))

    def _set_result(self, vals):
        """Record what the engine did. sudo: results are the engine's to write, see ``write``."""
        self.sudo().write(vals)

    def _changes_since_preview(self, planned):
        """Why rows of one run can't be booked as they were shown.

        :param dict planned: ``{plan key: PlannedInvoice}``, planned now
        :return: ``{row: text}``, without the rows that are as they were shown
        """
        missing, changes = {}, {}
        for line in self:
            invoice = planned.get(line.plan_key)
            billed = line.charge_ids.browse(invoice.charge_ids if invoice else ())
            if not invoice or set(billed.ids) != set(line.charge_ids.ids):
                missing[line] = line.charge_ids - billed
            elif line.currency_id.compare_amounts(invoice.amount, line.amount):
                changes[line] = self.env._(
                    "Changed since preview: %(now)s instead of %(before)s. Look at the items, "
                    "then retry.",
                    now=line.currency_id.format(invoice.amount),
                    before=line.currency_id.format(line.amount),
                )
        for line, reasons in self._reasons_of(missing).items():
            if line.plan_key in planned:
                changes[line] = self.env._(
                    "Changed since preview: %s. Retry to bill what is left.",
                    reasons or self.env._("other items than shown"),
                )
            else:
                changes[line] = reasons or self.env._(
                    "Changed since preview: addressee or terms are others now. Search again."
                )
        return changes

    def _reasons_of(self, charges_by_line):
        """Why charges of rows of one run can't be billed, in words; names who holds them.

        :param dict charges_by_line: ``{row: charges}``
        :return: ``{row: text}``, empty where nothing is known
        """
        charges = self.env["healthcare.charge"].union(*charges_by_line.values())
        if not charges:
            return dict.fromkeys(charges_by_line, "")
        holders = defaultdict(set)
        for held in charges._live_lines():
            holders[held.charge_id.id].add(held.move_id._care_reference())
        run = self.run_id
        blocked = run._engine()._block_reasons(charges, run.invoice_date)
        texts = {}
        for line, own in charges_by_line.items():
            references = set().union(*(holders[charge_id] for charge_id in own.ids))
            if references:
                texts[line] = self.env._("Already invoiced on %s", ", ".join(sorted(references)))
            else:
                names = (r.name for charge_id in own.ids for r in blocked.get(charge_id, ()))
                texts[line] = ", ".join(dict.fromkeys(names))
        return texts

    def _billed_meanwhile_message(self):
        """Text for a row whose charges the guard refused: a rival was quicker."""
        self.ensure_one()
        moves = self.charge_ids._live_lines().move_id
        if moves:
            names = ", ".join(sorted({move._care_reference() for move in moves}))
            return self.env._("Billed meanwhile on %s", names)
        return self.env._("Billed meanwhile by another user")

    def _plan_again(self):
        """Bring failed and skipped rows up to date, so that executing them books what is shown.

        A row whose charges were all billed elsewhere keeps its message and isn't planned.
        """
        for run, lines in self.grouped("run_id").items():
            plan = run._engine().plan(lines.charge_ids, **run._plan_options())
            by_key = {invoice.key: invoice for invoice in plan.invoices}
            gone = lines.filtered(lambda line, keys=by_key: line.plan_key not in keys)
            for line, text in gone._changes_since_preview(by_key).items():
                line._set_result({"message": text})
            for line in lines - gone:
                planned = by_key[line.plan_key]
                company_amount = line.currency_id._convert(
                    planned.amount, run.currency_id, line.company_id, run.invoice_date
                )
                line._set_result(
                    {
                        "state": "planned",
                        "message": False,
                        "charge_ids": [fields.Command.set(planned.charge_ids)],
                        "charge_count": len(planned.charge_ids),
                        "amount": planned.amount,
                        "amount_company": company_amount,
                    }
                )

    @api.depends("partner_id", "client_id")
    def _compute_display_name(self):
        for line in self:
            line.display_name = line.billing_ref or line.partner_id.display_name

    def action_view_move(self):
        """Open the row's invoice."""
        return self.env["account.move"]._care_invoices_action(self.move_id)

    def action_view_charges(self):
        """Open the row's appointments and charges."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_charge_action"
        )
        return {**action, "domain": [("id", "in", self.charge_ids.ids)], "context": {}}
