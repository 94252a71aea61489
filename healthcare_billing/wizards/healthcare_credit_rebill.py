from odoo import api, fields, models
from odoo.fields import Command

from ..models.healthcare_charge import PART_FIELDS, SIGNED_KINDS


class HealthcareCreditRebill(models.TransientModel):
    """What of a posted invoice's care is to be corrected; the work is the invoice's own method."""

    _name = "healthcare.credit.rebill"
    _description = "Credit & Rebill"
    _check_company_auto = True

    move_id = fields.Many2one("account.move", string="Invoice", required=True, ondelete="cascade")
    company_id = fields.Many2one(related="move_id.company_id")
    currency_id = fields.Many2one(related="move_id.currency_id")
    partner_id = fields.Many2one(related="move_id.partner_id")
    is_sent = fields.Boolean(related="move_id.is_move_sent")
    amount_paid = fields.Monetary(compute="_compute_amount_paid")
    amount_credited = fields.Monetary(
        compute="_compute_amount_credited", help="By credit notes over a part of a charge."
    )
    other_move_ids = fields.Many2many(
        "account.move",
        compute="_compute_other_move_ids",
        string="Other Parties' Invoices",
        help="They bill the same care to other parties.",
    )
    other_move_names = fields.Char(compute="_compute_other_move_ids")
    # required on the form: the dialog opens without one
    reason = fields.Char(help="Told on the credit note and on both invoices.")
    invoice_date = fields.Date(
        required=True, default=fields.Date.context_today, help="Of the new invoice."
    )
    keep_draft = fields.Boolean(
        string="Leave the New Invoice as a Draft",
        help="The credit note is posted all the same. Payments wait as open credit until then.",
    )
    line_ids = fields.One2many("healthcare.credit.rebill.line", "wizard_id")
    amount_before = fields.Monetary(compute="_compute_amounts")
    amount_after = fields.Monetary(compute="_compute_amounts")

    @api.depends("move_id")
    def _compute_amount_paid(self):
        for wizard in self:
            move = wizard.move_id
            wizard.amount_paid = move.amount_total - move.amount_residual

    @api.depends("move_id")
    def _compute_amount_credited(self):
        for wizard in self:
            lines = wizard.move_id._part_credited_lines()
            wizard.amount_credited = sum(lines.mapped("charge_credited"))

    @api.depends("move_id")
    def _compute_other_move_ids(self):
        for wizard in self:
            lines = wizard.move_id._live_charge_lines().charge_id._live_lines()
            others = lines.with_env(self.env).move_id - wizard.move_id
            wizard.other_move_ids = others
            wizard.other_move_names = ", ".join(move._care_reference() for move in others)

    @api.depends(
        "line_ids.amount",
        "line_ids.amount_before",
        *(f"line_ids.{name}" for name in PART_FIELDS.values()),
    )
    def _compute_amounts(self):
        """The difference to a quote or fee takes what changes of the work that it covers."""
        for wizard in self:
            agreed = self.env["healthcare.charge"].union(*wizard.move_id._agreed_charges().values())
            taken = sum(
                line[PART_FIELDS[charge.covered_party]] - charge[PART_FIELDS[charge.covered_party]]
                for line in wizard.line_ids
                if (charge := line.charge_id) in agreed and not charge.made_by_basis
            )
            wizard.amount_before = sum(wizard.line_ids.mapped("amount_before"))
            wizard.amount_after = sum(wizard.line_ids.mapped("amount")) - taken

    @api.model
    def _open(self, move, corrections):
        """Dialog for an invoice.

        :param dict corrections: ``{charge: values}`` that are filled in
        :return: window action
        """
        wizard = self.create(
            {
                "move_id": move.id,
                "line_ids": [
                    Command.create({"charge_id": charge.id, **charge._rebill_values()})
                    for charge in move._live_charge_lines().charge_id
                ],
            }
        )
        for line in wizard.line_ids:
            vals = corrections.get(line.charge_id)
            if vals:
                line.write(vals)
                line._take_default_parts()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Credit & Rebill %s", move._care_reference()),
            "res_model": self._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
            "context": {"dialog_size": "extra-large"},
        }

    def action_confirm(self):
        """Credit, correct and bill again, all or nothing; then open the new invoices.

        :return: window action
        """
        self.ensure_one()
        new = self.move_id.with_context(healthcare_offers_mending=True)._credit_and_rebill(
            {line.charge_id: line._corrections() for line in self.line_ids},
            reason=self.reason,
            invoice_date=self.invoice_date,
            post=not self.keep_draft,
        )
        return self.move_id._care_invoices_action(new)


class HealthcareCreditRebillLine(models.TransientModel):
    """A charge of the invoice, as it should be."""

    _name = "healthcare.credit.rebill.line"
    _description = "Credit & Rebill: Charge"

    wizard_id = fields.Many2one(
        "healthcare.credit.rebill", required=True, ondelete="cascade", index=True
    )
    charge_id = fields.Many2one("healthcare.charge", required=True, ondelete="cascade")
    service_date = fields.Date(related="charge_id.service_date", string="Date")
    client_id = fields.Many2one(related="charge_id.client_id")
    company_id = fields.Many2one(related="charge_id.company_id")
    currency_id = fields.Many2one(related="charge_id.currency_id")
    payer_id = fields.Many2one(related="charge_id.payer_id")
    known_diagnosis_ids = fields.Many2many(
        "healthcare.diagnosis", compute="_compute_known_diagnosis_ids"
    )
    is_fixed = fields.Boolean(
        compute="_compute_is_fixed", help="A correction itself: billed again as it is."
    )
    has_payer = fields.Boolean(compute="_compute_is_fixed")
    product_id = fields.Many2one("product.product", string="Service")
    quantity = fields.Float(string="Units", digits=(16, 2))
    price_unit = fields.Float(string="Fee", digits=(16, 4), min_display_digits=2)
    amount = fields.Monetary(compute="_compute_amount")
    amount_before = fields.Monetary(related="charge_id.amount", string="Amount Now")
    parts_typed = fields.Boolean()
    # the party that owes what the typed parts leave
    rest_part = fields.Char(default="amount_payer")
    amount_client = fields.Monetary(string="Client Owes")
    amount_payer = fields.Monetary(string="Payer Owes")
    amount_secondary = fields.Monetary(string="Secondary Owes")
    modifier_ids = fields.Many2many(
        "healthcare.modifier", "healthcare_credit_rebill_modifier_rel", string="Modifiers"
    )
    diagnosis_ids = fields.Many2many(
        "healthcare.diagnosis", "healthcare_credit_rebill_diagnosis_rel", string="Diagnoses"
    )

    @api.depends("charge_id")
    def _compute_known_diagnosis_ids(self):
        for line in self:
            line.known_diagnosis_ids = line.charge_id.appointment_id.diagnosis_ids

    @api.depends("charge_id")
    def _compute_is_fixed(self):
        for line in self:
            line.is_fixed = line.charge_id.kind in SIGNED_KINDS
            line.has_payer = bool(line.charge_id) and line.charge_id._is_payer_responsible()

    @api.depends("quantity", "price_unit", "currency_id")
    def _compute_amount(self):
        for line in self:
            amount = line.quantity * line.price_unit
            line.amount = line.currency_id.round(amount) if line.currency_id else amount

    @api.onchange("product_id")
    def _onchange_product_id(self):
        """Another service brings its own units, modifiers and fee."""
        charge = self.charge_id
        if self.product_id == charge.product_id:
            self.update(charge._rebill_values())
            return
        if not self.product_id:
            return
        self.price_unit = charge._find_prices({charge: self.product_id})[charge]["price_unit"]
        self.modifier_ids = self.product_id.modifier_ids[:4]
        if charge._is_own_service():
            self.quantity = charge.appointment_id._billable_units(self.product_id)
        self._take_default_parts()

    @api.onchange("quantity", "price_unit")
    def _onchange_amount(self):
        self._take_default_parts()

    def _take_default_parts(self):
        """Who owes the new amount: what was typed here stays as far as it goes."""
        for line in self:
            charge = line.charge_id
            if line.is_fixed:
                continue
            if line.parts_typed and line.has_payer:
                parts = line._parts_around_typed()
            elif not charge.currency_id.compare_amounts(line.amount, charge.amount):
                parts = {name: charge[name] for name in PART_FIELDS.values()}
            else:
                parts = charge._parts_of_amount(line.amount)
            line.update(parts)

    def _parts_around_typed(self):
        """The typed parts, none more than the amount leaves, and the rest on the other party."""
        self.ensure_one()
        left, parts = self.amount, {}
        for name in PART_FIELDS.values():
            if name != self.rest_part:
                parts[name] = min(self[name], left)
                left = self.currency_id.round(left - parts[name])
        return {**parts, self.rest_part: left}

    @api.onchange("amount_client", "amount_secondary")
    def _onchange_amount_client(self):
        self._rest_to("amount_payer")

    @api.onchange("amount_payer")
    def _onchange_amount_payer(self):
        self._rest_to("amount_client")

    def _rest_to(self, name):
        """What one party doesn't owe, the other does: the sum never changes."""
        if not self.currency_id or not self.has_payer:
            return
        parts = {part: self[part] for part in PART_FIELDS.values()}
        if self.currency_id.compare_amounts(sum(parts.values()), self.amount):
            others = sum(value for part, value in parts.items() if part != name)
            self[name] = self.currency_id.round(self.amount - others)
            self.update({"parts_typed": True, "rest_part": name})

    def _corrections(self):
        """What was changed.

        :return: values for ``account.move._credit_and_rebill``
        """
        self.ensure_one()
        if self.is_fixed:
            return {}
        vals = {
            "product_id": self.product_id.id,
            "quantity": self.quantity,
            "price_unit": self.price_unit,
            "modifier_ids": self.modifier_ids.ids,
            "diagnosis_ids": self.diagnosis_ids.ids,
        }
        if self.parts_typed:
            vals.update({name: self[name] for name in PART_FIELDS.values()})
        return vals
