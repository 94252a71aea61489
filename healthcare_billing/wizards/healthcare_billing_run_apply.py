from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import is_html_empty


class HealthcareBillingRunApply(models.TransientModel):
    """Says something once that counts for all invoices of a preview."""

    _name = "healthcare.billing.run.apply"
    _description = "Apply to All Invoices of a Billing Run"

    run_id = fields.Many2one("healthcare.billing.run", required=True, ondelete="cascade")
    currency_id = fields.Many2one(related="run_id.currency_id")
    line_count = fields.Integer(related="run_id.line_count")
    selected_count = fields.Integer(related="run_id.selected_count")
    scope = fields.Selection(
        [("all", "All invoices"), ("selected", "Only selected ones")],
        string="Apply to",
        required=True,
        default="all",
    )
    narration = fields.Html(string="Text")
    narration_choice = fields.Selection(
        [
            ("keep", "Leave as it is on each invoice"),
            ("write", "This text on each, instead of its own"),
            ("clear", "None"),
        ],
        string="General Information",
        compute="_compute_narration_choice",
        store=True,
        precompute=True,
        readonly=False,
        required=True,
    )
    claim = fields.Selection(
        [
            ("keep", "Leave as it is on each invoice"),
            ("single", "Group all appointments into a single claim"),
            ("per_code", "One claim per code"),
        ],
        string="Claims",
        required=True,
        default="keep",
    )
    line_ids = fields.One2many("healthcare.billing.run.apply.line", "wizard_id", "Extra Lines")

    @api.model
    def default_get(self, fields):
        """Begin with what counts for all invoices already."""
        defaults = super().default_get(fields)
        run = self.env["healthcare.billing.run"].browse(defaults.get("run_id"))
        if "narration" in fields:
            defaults["narration"] = (run.options or {}).get("narration")
        if "line_ids" in fields:
            defaults["line_ids"] = [Command.create(line) for line in run._extra_lines()]
        return defaults

    @api.depends("narration")
    def _compute_narration_choice(self):
        """Typing a text means it; emptying what counted for all takes it back."""
        for wizard in self:
            if not is_html_empty(wizard.narration):
                wizard.narration_choice = "write"
            elif (wizard.run_id.options or {}).get("narration"):
                wizard.narration_choice = "clear"
            else:
                wizard.narration_choice = "keep"

    def action_apply(self):
        """Write what was said on the rows, keep it for later searches, and close."""
        self.ensure_one()
        run = self.run_id
        run._open_preview()
        if self.scope == "selected" and not run.selected_count:
            raise UserError(self.env._("No invoice is selected. Select some, or apply to all."))
        decided = self._decided()
        if decided:
            run._write_on_rows(
                decided, [("selected", "=", True)] if self.scope == "selected" else []
            )
            if self.scope == "all":
                run._set_options(**decided)
        extra_lines = [line._prepare_extra_line() for line in self.line_ids]
        if extra_lines != run._extra_lines():
            run._set_options(extra_lines=extra_lines)
            run._replan_all()
        return {"type": "ir.actions.act_window_close"}

    def _decided(self):
        """What is written on the rows.

        Rows may differ from what counts for all: what is decided is written on each of them.

        :return: values of run lines, only those that the user wants to change
        :raise UserError: a text is to be written, and there is none
        """
        decided = {}
        if self.narration_choice == "clear":
            decided["narration"] = False
        elif self.narration_choice == "write":
            if is_html_empty(self.narration):
                raise UserError(self.env._("Type the text, or choose to leave or remove it."))
            decided["narration"] = str(self.narration)
        if self.claim != "keep":
            decided["group_single_claim"] = self.claim == "single"
        return decided


class HealthcareBillingRunApplyLine(models.TransientModel):
    """A line that every invoice of the run gets besides its charges."""

    _name = "healthcare.billing.run.apply.line"
    _description = "Extra Line on All Invoices of a Billing Run"

    wizard_id = fields.Many2one("healthcare.billing.run.apply", required=True, ondelete="cascade")
    currency_id = fields.Many2one(related="wizard_id.currency_id")
    product_id = fields.Many2one(
        "product.product", string="Service", domain="[('sale_ok', '=', True)]"
    )
    name = fields.Char(string="Text")
    quantity = fields.Float(default=1.0, digits=(16, 2))
    price_unit = fields.Float(string="Price", digits=(16, 2))

    @api.onchange("product_id")
    def _onchange_product_id(self):
        if self.product_id:
            self.name = self.product_id.display_name
            self.price_unit = self.product_id.lst_price

    def _prepare_extra_line(self):
        """The line as ``plan`` wants it.

        :raise UserError: neither text nor service
        """
        self.ensure_one()
        name = (self.name or "").strip() or self.product_id.display_name
        if not name:
            raise UserError(self.env._("An extra line needs a text or a service."))
        return {
            "name": name,
            "product_id": self.product_id.id,
            "quantity": self.quantity,
            "price_unit": self.price_unit,
        }
