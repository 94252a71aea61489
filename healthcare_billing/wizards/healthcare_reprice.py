from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.healthcare_billing_account_reprice import INVOICED_STAGES, UNBILLED_STAGES

INVOICED_MONTHS = 3
MAX_INVOICED = 500


class HealthcareReprice(models.TransientModel):
    """Which charges a changed default service or fee affects, and applying it to some (R2)."""

    _name = "healthcare.reprice"
    _description = "Reprice"

    account_ids = fields.Many2many("healthcare.billing.account", string="Billing Accounts")
    client_names = fields.Char(compute="_compute_client_names", string="Client")
    company_id = fields.Many2one("res.company", required=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    line_ids = fields.One2many("healthcare.reprice.line", "wizard_id")
    past_line_ids = fields.One2many(
        "healthcare.reprice.line",
        "wizard_id",
        domain=[("is_invoiced", "=", False), ("is_future", "=", False)],
    )
    future_line_ids = fields.One2many(
        "healthcare.reprice.line",
        "wizard_id",
        domain=[("is_invoiced", "=", False), ("is_future", "=", True)],
    )
    invoiced_line_ids = fields.One2many(
        "healthcare.reprice.line", "wizard_id", domain=[("is_invoiced", "=", True)]
    )
    past_count = fields.Integer(compute="_compute_counts")
    future_count = fields.Integer(compute="_compute_counts")
    invoiced_count = fields.Integer(compute="_compute_counts")
    date_from = fields.Date(string="Care from")
    date_to = fields.Date(string="to")
    invoiced_from = fields.Date(
        string="Invoiced Care from", help="Invoiced care before this day isn't listed."
    )
    unlisted_count = fields.Integer(
        readonly=True, help="Older invoiced charges that are affected too, beyond what is listed."
    )
    # Totals over all lines, whatever page is shown (R30).
    line_count = fields.Integer(compute="_compute_totals")
    selected_count = fields.Integer(compute="_compute_totals")
    amount_before = fields.Monetary(compute="_compute_totals")
    amount_after = fields.Monetary(compute="_compute_totals")
    selected_before = fields.Monetary(compute="_compute_totals")
    selected_after = fields.Monetary(compute="_compute_totals")
    selected_difference = fields.Monetary(compute="_compute_totals")
    typed_count = fields.Integer(compute="_compute_counts")
    no_default_count = fields.Integer(compute="_compute_counts")
    result = fields.Text(readonly=True)

    @api.depends("account_ids")
    def _compute_client_names(self):
        for wizard in self:
            wizard.client_names = ", ".join(wizard.account_ids.client_id.mapped("display_name"))

    @api.depends("line_ids")
    def _compute_counts(self):
        for wizard in self:
            lines = wizard.line_ids
            open_lines = lines.filtered(lambda line: not line.is_invoiced)
            wizard.past_count = len(open_lines.filtered(lambda line: not line.is_future))
            wizard.future_count = len(open_lines.filtered("is_future"))
            wizard.invoiced_count = len(lines - open_lines)
            wizard.typed_count = len(open_lines.filtered(lambda line: line.origin == "typed"))
            wizard.no_default_count = len(
                open_lines.filtered(lambda line: line.origin == "no_default")
            )

    @api.depends("past_line_ids.selected", "future_line_ids.selected")
    def _compute_totals(self):
        for wizard in self:
            lines = wizard.past_line_ids | wizard.future_line_ids
            ticked = lines.filtered("selected")
            wizard.line_count = len(lines)
            wizard.selected_count = len(ticked)
            wizard.amount_before = sum(lines.mapped("company_before"))
            wizard.amount_after = sum(lines.mapped("company_after"))
            wizard.selected_before = sum(ticked.mapped("company_before"))
            wizard.selected_after = sum(ticked.mapped("company_after"))
            wizard.selected_difference = wizard.selected_after - wizard.selected_before

    # -- opening ---------------------------------------------------------------------------------
    @api.model
    def _open(self, accounts):
        """Preview for these accounts.

        :return: window action
        :raise UserError: no account, or accounts of several companies
        """
        company = accounts.company_id
        if not company:
            raise UserError(
                self.env._("This client has no billing account in %s.", self.env.company.name)
            )
        if len(company) > 1:
            raise UserError(
                self.env._("Reprice one company at a time: choose it in the company menu.")
            )
        wizard = self.with_company(company).create(
            {
                "account_ids": [fields.Command.set(accounts.ids)],
                "company_id": company.id,
                "invoiced_from": company._care_today() - relativedelta(months=INVOICED_MONTHS),
            }
        )
        wizard._load()
        return wizard._show()

    def _show(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Reprice"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
            "context": {"dialog_size": "extra-large"},
        }

    def _load(self):
        """Look again which charges are affected; ticks of before are kept, results too."""
        self.ensure_one()
        ticks = {line.charge_id.id: line.selected for line in self.line_ids}
        self.line_ids.unlink()
        unbilled = self.account_ids._repriceable_charges(UNBILLED_STAGES)
        invoiced = self.account_ids._repriceable_charges(INVOICED_STAGES, self.invoiced_from)
        held = unbilled.filtered("is_live")  # one party's part is invoiced, another's is not
        proposals = (unbilled | invoiced)._reprice_proposals()
        invoiced = (
            (invoiced | held)
            .filtered(proposals.get)
            .sorted(lambda charge: (charge.service_date, charge.id))
        )
        self.unlisted_count = max(len(invoiced) - MAX_INVOICED, 0)
        for charge in invoiced[: self.unlisted_count]:
            del proposals[charge]
        invoiced = invoiced[self.unlisted_count :]
        live = self._moves_that_hold(invoiced)
        self.env["healthcare.reprice.line"].create(
            [
                {
                    **self._prepare_line(proposal, live.get(charge)),
                    **({"selected": ticks[charge.id]} if charge.id in ticks else {}),
                }
                for charge, proposal in proposals.items()
            ]
        )

    @api.model
    def _moves_that_hold(self, charges):
        """:return: ``{charge: account.move}`` the first invoice that bills each charge now"""
        held = {}
        for line in charges._live_lines().sorted(lambda line: (line.charge_id.id, line.id)):
            held.setdefault(line.charge_id, line.move_id)
        return held

    def _prepare_line(self, proposal, move):
        charge = proposal.charge
        currency = self.env["res.currency"].browse(proposal.price["currency_id"])
        return {
            "wizard_id": self.id,
            "charge_id": charge.id,
            "service_date": charge.service_date,
            "is_future": charge.service_date > charge.company_id._care_today(),
            "move_id": move.id if move else False,
            "is_invoiced": bool(move),
            "origin": proposal.origin,
            "selected": not move and proposal.origin == "default",
            "product_before_id": charge.product_id.id,
            "product_after_id": proposal.service.id,
            "quantity_before": charge.quantity,
            "quantity_after": proposal.quantity,
            "fee_before": charge.price_unit,
            "fee_after": proposal.price["price_unit"],
            "source_before": charge.price_reason,
            "source_after": proposal.price["price_reason"],
            "currency_id": charge.currency_id.id,
            "currency_after_id": currency.id,
            "amount_before": charge.amount,
            "amount_after": proposal.amount,
            "company_before": charge._in_company_currency(charge.amount),
            "company_after": currency._convert(
                proposal.amount, self.company_id.currency_id, self.company_id, charge.service_date
            ),
            "mark": proposal.mark,
        }

    # -- ticking ---------------------------------------------------------------------------------
    def _open_lines(self):
        return self.past_line_ids | self.future_line_ids

    def action_tick(self):
        """Tick lines; which, the context says: all, none, past, future or dates.

        What somebody decided for one charge (its fee, or its service before there was a default)
        is ticked by its own box only, and keeps its tick here; *none* clears everything.
        """
        self.ensure_one()
        what = self.env.context.get("healthcare_tick")
        if what == "none":
            self._open_lines().selected = False
            return self._show()
        lines = self._open_lines().filtered(lambda line: line.origin == "default")
        chosen = {
            "all": lines,
            "past": lines & self.past_line_ids,
            "future": lines & self.future_line_ids,
            "dates": self._lines_between_dates(lines) if what == "dates" else lines,
        }.get(what, lines.browse())
        chosen.selected = True
        (lines - chosen).selected = False
        return self._show()

    def _lines_between_dates(self, lines):
        if not self.date_from and not self.date_to:
            raise UserError(self.env._("Type the first or the last day of care first."))
        if self.date_from and self.date_to and self.date_from > self.date_to:
            raise UserError(self.env._("The first day of care is after the last one."))
        return lines.filtered(
            lambda line: (
                (not self.date_from or line.service_date >= self.date_from)
                and (not self.date_to or line.service_date <= self.date_to)
            )
        )

    def action_refresh(self):
        """Look again which charges are affected."""
        self._load()
        return self._show()

    # -- applying --------------------------------------------------------------------------------
    def action_apply(self):
        """Reprice what is ticked, and nothing else; then show what is left, and what became of it.

        :raise UserError: nothing is ticked
        """
        self.ensure_one()
        lines = self._open_lines().filtered("selected")
        if not lines:
            raise UserError(self.env._("Nothing is ticked. Tick at least one charge."))
        marks = {line.charge_id: line.mark for line in lines}
        skipped = lines.charge_id._reprice(marks)
        done = lines.filtered(lambda line: line.charge_id not in skipped)
        self._log_on_accounts(done)
        self.result = self._result_text(done, skipped)
        self._load()
        self._tell(skipped)
        return self._show()

    def action_credit_and_rebill_ticked(self):
        """Credit the posted invoices of the ticked charges, and bill them again as shown.

        One that can't be corrected stops no other: its lines say why.

        :raise UserError: nothing posted is ticked
        """
        self.ensure_one()
        lines = self.invoiced_line_ids.filtered(
            lambda line: line.selected and line.move_state == "posted"
        )
        if not lines:
            raise UserError(self.env._("Tick at least one charge of a posted invoice."))
        names = {move: move._care_reference() for move in lines.move_id}
        results = lines.move_id._credit_and_rebill_each(
            lines._corrections(), reason=self.env._("Repriced")
        )
        texts = {
            move: outcome
            if isinstance(outcome, str)
            else ", ".join(new._care_reference() for new in outcome)
            for move, outcome in results.items()
        }
        self.result = "\n".join(f"{names[move]} → {text}" for move, text in texts.items())
        failed = {
            line.charge_id: texts[line.move_id]
            for line in lines
            if isinstance(results[line.move_id], str)
        }
        self._load()
        self._tell(failed)
        return self._show()

    def _tell(self, messages):
        """:param dict messages: ``{charge: text}``"""
        for line in self.line_ids:
            if line.charge_id in messages:
                line.message = messages[line.charge_id]

    def _log_on_accounts(self, lines):
        for account, own in lines.grouped(lambda line: line.charge_id.billing_account_id).items():
            before, after = (sum(own.mapped(n)) for n in ("company_before", "company_after"))
            currency = account.currency_id
            account._message_log(
                body=self.env._(
                    "Repriced %(count)s charges: %(before)s → %(after)s",
                    count=len(own),
                    before=currency.format(before),
                    after=currency.format(after),
                )
            )

    def _result_text(self, done, skipped):
        before, after = (sum(done.mapped(n)) for n in ("company_before", "company_after"))
        parts = [
            self.env._(
                "Repriced: %(count)s, %(before)s → %(after)s.",
                count=len(done),
                before=self.currency_id.format(before),
                after=self.currency_id.format(after),
            )
        ]
        if skipped:
            parts.append(
                self.env._(
                    "Skipped: %s.",
                    ", ".join(f"{charge.display_name} ({why})" for charge, why in skipped.items()),
                )
            )
        return " ".join(parts)


class HealthcareRepriceLine(models.TransientModel):
    """One affected charge: before, after, and how to correct it if it is invoiced."""

    _name = "healthcare.reprice.line"
    _description = "Reprice: Charge"
    _order = "service_date, id"

    wizard_id = fields.Many2one("healthcare.reprice", required=True, ondelete="cascade", index=True)
    charge_id = fields.Many2one("healthcare.charge", required=True, ondelete="cascade")
    appointment_id = fields.Many2one(related="charge_id.appointment_id")
    appointment_state = fields.Selection(related="appointment_id.state", string="Status")
    billing_account_id = fields.Many2one(related="charge_id.billing_account_id")
    service_date = fields.Date(string="Date")
    is_future = fields.Boolean()
    is_invoiced = fields.Boolean()
    move_id = fields.Many2one("account.move", string="Invoice", ondelete="set null")
    move_state = fields.Selection(related="move_id.state", string="Invoice Status")
    origin = fields.Selection(
        [
            ("default", "Made by the default"),
            ("no_default", "Service chosen without a default"),
            ("typed", "Fee typed by hand"),
        ],
        string="Why It Is Here",
        required=True,
    )
    selected = fields.Boolean(string="Change")
    product_before_id = fields.Many2one("product.product", string="Service Now")
    product_after_id = fields.Many2one("product.product", string="New Service")
    service_changes = fields.Boolean(compute="_compute_texts")
    code_text = fields.Char(compute="_compute_texts", string="Code")
    fee_text = fields.Char(compute="_compute_texts", string="Fee")
    quantity_before = fields.Float(digits=(16, 2), string="Units Now")
    quantity_after = fields.Float(digits=(16, 2), string="New Units")
    fee_before = fields.Float(digits=(16, 4), min_display_digits=2, string="Fee Now")
    fee_after = fields.Float(digits=(16, 4), min_display_digits=2, string="New Fee")
    source_before = fields.Char(string="Fee Came from")
    source_after = fields.Char(string="New Fee Comes from")
    currency_id = fields.Many2one("res.currency")
    currency_after_id = fields.Many2one("res.currency")
    amount_before = fields.Monetary(string="Amount Now")
    amount_after = fields.Monetary(string="New Amount", currency_field="currency_after_id")
    # in the company's currency, for totals
    company_before = fields.Float()
    company_after = fields.Float()
    mark = fields.Char(help="What was shown: applying checks that nothing changed.")
    message = fields.Char(string="Result")

    @api.depends("product_before_id", "product_after_id", "fee_before", "fee_after")
    def _compute_texts(self):
        for line in self:
            before, after = line.product_before_id, line.product_after_id
            line.service_changes = before != after
            line.code_text = self._change_text(
                before.default_code or before.name or "", after.default_code or after.name or ""
            )
            line.fee_text = self._change_text(
                line.currency_id.format(line.fee_before),
                line.currency_after_id.format(line.fee_after),
            )

    @api.model
    def _change_text(self, before, after):
        return before if before == after else f"{before} → {after}"

    def action_open_invoice(self):
        """Open the invoice that holds the charge."""
        self.ensure_one()
        return self.env["account.move"]._care_invoices_action(self.move_id)

    def action_delete_draft(self):
        """Delete the draft: its charges are unbilled again, and can be repriced."""
        self.ensure_one()
        if self.move_state == "draft":
            self.move_id.unlink()
        return self.wizard_id.action_refresh()

    def action_credit_and_rebill(self):
        """Correct the posted invoice: the new service and fee are filled in."""
        self.ensure_one()
        lines = self.wizard_id.invoiced_line_ids.filtered(lambda line: line.move_id == self.move_id)
        return self.move_id._open_credit_and_rebill(lines._corrections())

    def _corrections(self):
        """What credit and rebill changes.

        :return: ``{charge: values}``
        """
        return {
            line.charge_id: {
                "product_id": line.product_after_id.id,
                "quantity": line.quantity_after,
                "price_unit": line.fee_after,
            }
            for line in self
        }
