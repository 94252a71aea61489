import logging
import time

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..tools.races import RETRIED_ERRORS

_logger = logging.getLogger(__name__)

# Seconds after which a request stops, and asks whether to go on: proxies wait for a minute or two.
BUDGET = 40


class HealthcareStatementBulk(models.TransientModel):
    """Close many statements at once, each on its own: one that can't be closed stops no other.

    This is no billing run: it works while somebody looks on, in portions of a request's time, and
    its table of results goes with the dialog. What stays is told on each statement: how it was
    closed, or why it wasn't.
    """

    _name = "healthcare.statement.bulk"
    _description = "Close Statements"

    operation = fields.Selection(selection="_selection_operation", required=True, default="unpaid")
    line_ids = fields.One2many("healthcare.statement.bulk.line", "wizard_id")
    company_id = fields.Many2one("res.company", compute="_compute_counts")
    currency_id = fields.Many2one("res.currency", compute="_compute_counts")
    count = fields.Integer(compute="_compute_counts", string="Statements")
    waiting_count = fields.Integer(compute="_compute_counts", string="To Do")
    done_count = fields.Integer(compute="_compute_counts", string="Done")
    failed_count = fields.Integer(compute="_compute_counts", string="Not Done")
    amount = fields.Monetary(compute="_compute_counts", string="Open")
    is_started = fields.Boolean(readonly=True)
    date = fields.Date(required=True, default=fields.Date.context_today)
    journal_id = fields.Many2one(
        "account.journal",
        domain="[('type', 'in', ('bank', 'cash', 'credit')), ('company_id', '=', company_id)]",
    )
    under = fields.Selection(
        [("return", "Back to the billing office"), ("leave_open", "Leave open")],
        string="What Is Short",
        required=True,
        default="return",
    )
    reason_id = fields.Many2one("healthcare.adjustment.reason", domain=[("kind", "=", "sold")])
    agency_id = fields.Many2one("res.partner", string="Collection Agency")
    proceeds = fields.Monetary(
        string="Agency Pays", help="For all of them; 0.00 if it pays later, or nothing."
    )
    reverse_invoices = fields.Boolean(
        string="Void Their Invoices",
        help="Those that nothing but committing the statement made, and of which nothing is paid.",
    )

    @api.model
    def _selection_operation(self):
        """Nobody is offered what closing would refuse: selling is a billing manager's."""
        may_sell = self.env["healthcare.statement.close"]._may_give_up()
        sold = [("sold", self.env._("Sell to Collections"))] if may_sell else []
        return [
            ("paid", self.env._("Close as Paid")),
            ("unpaid", self.env._("Close as Unpaid")),
            *sold,
            ("canceled", self.env._("Cancel")),
        ]

    # -- opening ---------------------------------------------------------------------------------
    @api.model
    def _open(self, statements, operation="unpaid"):
        """Dialog for statements.

        :return: window action
        :raise UserError: none, or of several companies
        """
        wizard = self._of(statements, operation)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Close Statements"),
            "res_model": self._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
        }

    @api.model
    def _of(self, statements, operation="unpaid"):
        if not statements:
            raise UserError(self.env._("Choose statements first."))
        statements.check_access("write")
        if len(statements.company_id) > 1 or len(statements.currency_id) > 1:
            raise UserError(self.env._("Choose statements of one company and currency at a time."))
        # sudo: asked of charges for all at once, as each statement does for itself
        prepaid = statements.sudo().line_ids.charge_id._prepaid_amounts()
        return self.create(
            {
                "operation": operation,
                "journal_id": self.env["healthcare.statement.close"]
                ._default_journal(statements.company_id)
                .id,
                "reason_id": statements.company_id._default_reason("sold").id,
                "line_ids": [
                    Command.create(
                        {
                            "statement_id": statement.id,
                            "amount": statement._amount_to_pay(prepaid=prepaid)
                            if statement.state == "committed"
                            else 0.0,
                        }
                    )
                    for statement in statements.sorted("id")
                ],
            }
        )

    @api.model
    def _download(self, statements):
        """The file for a collection agency.

        :return: action that downloads it
        """
        return self._of(statements).action_download()

    def action_download(self):
        """Download the file of these statements; it can be downloaded again at any time."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"/healthcare_billing/collections/{self.id}",
            "target": "download",
        }

    def _statements(self):
        return self.line_ids.statement_id

    @api.depends("line_ids.state", "line_ids.amount")
    def _compute_counts(self):
        for wizard in self:
            lines = wizard.line_ids
            wizard.company_id = lines.statement_id.company_id[:1]
            wizard.currency_id = lines.statement_id.currency_id[:1]
            wizard.count = len(lines)
            for state in ("waiting", "done", "failed"):
                own = lines.filtered(lambda line, state=state: line.state == state)
                wizard[f"{state}_count"] = len(own)
            wizard.amount = sum(lines.mapped("amount"))

    # -- doing it --------------------------------------------------------------------------------
    def action_run(self):
        """Close what isn't closed yet, as far as the time of a request goes.

        :return: the dialog with a result for each statement
        :raise UserError: what is chosen can't be booked; nothing is closed
        """
        self.ensure_one()
        self._check_choices()
        self.is_started = True
        end = time.monotonic() + BUDGET
        for line in self.line_ids.filtered(lambda line: line.state != "done"):
            if time.monotonic() > end:
                break
            line._run()
        if self.operation == "sold" and not self.waiting_count:
            self._book_proceeds()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Close Statements"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
        }

    def _check_choices(self):
        if self.operation == "paid" and not self.journal_id:
            raise UserError(self.env._("Choose the journal that received the money."))
        if self.operation == "sold":
            if not self.reason_id:
                raise UserError(
                    self.env._(
                        "Choose a reason for sold receivables: it says which account takes them."
                    )
                )
            # booked last: what is wrong with it must be said before anything is sold
            self._statements()._check_proceeds(self.date, self.proceeds, self.journal_id)

    def _book_proceeds(self):
        """What the agency pays for all that were sold, once."""
        sold = self.line_ids.filtered(lambda line: line.state == "done").statement_id
        if self.proceeds and sold and not sold.proceeds_move_id:
            sold._book_proceeds(self.reason_id, self.date, self.proceeds, self.journal_id)


class HealthcareStatementBulkLine(models.TransientModel):
    """One statement, and what became of it."""

    _name = "healthcare.statement.bulk.line"
    _description = "Close Statements: Result"

    wizard_id = fields.Many2one(
        "healthcare.statement.bulk", required=True, ondelete="cascade", index=True
    )
    statement_id = fields.Many2one("healthcare.statement", required=True, readonly=True)
    partner_id = fields.Many2one(related="statement_id.partner_id")
    currency_id = fields.Many2one(related="statement_id.currency_id")
    age = fields.Integer(related="statement_id.age")
    told = fields.Monetary(related="statement_id.amount_total", string="On the Statement")
    amount = fields.Monetary(help="What is open now, or was received.")
    state = fields.Selection(
        [("waiting", "To Do"), ("done", "Done"), ("failed", "Not Done")],
        required=True,
        default="waiting",
        readonly=True,
    )
    message = fields.Char(readonly=True)

    def _run(self):
        """Close one statement; a fault is told, and undoes nothing but it."""
        self.ensure_one()
        try:
            with self.env.cr.savepoint():
                getattr(self, f"_run_{self.wizard_id.operation}")(self.wizard_id)
                self.env.flush_all()
        except RETRIED_ERRORS:
            raise
        except UserError as error:
            self._tell_failed(str(error))
        except Exception:  # the other statements must go on
            _logger.exception("statement %s can't be closed", self.statement_id.id)
            self._tell_failed(self.env._("The server couldn't do this now. Nothing was changed."))
        else:
            self.write({"state": "done", "message": ""})

    def _tell_failed(self, message):
        """Say so in the dialog, which goes, and on the statement, which stays."""
        self.write({"state": "failed", "message": message})
        self.statement_id._message_log(body=self.env._("Not closed: %s", message))

    def _run_paid(self, wizard):
        self.statement_id._close_paid(
            self.amount, wizard.journal_id, wizard.date, under=wizard.under
        )

    def _run_unpaid(self, _wizard):
        self.statement_id._close_unpaid()

    def _run_sold(self, wizard):
        self.statement_id._close_sold(wizard.reason_id, wizard.date, agency=wizard.agency_id)

    def _run_canceled(self, wizard):
        self.statement_id._close_canceled(wizard.reverse_invoices)
