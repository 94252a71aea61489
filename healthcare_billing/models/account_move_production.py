from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

# The order of both lists, and of what is printed.
BILL_ORDER = "invoice_date, billing_ref, id"
# Lists that have buttons of their own for printing.
BILL_LISTS = ("account_move_view_list_draft_bills", "account_move_view_list_bill_production")


class AccountMove(models.Model):
    """Draft Bills and Bill Production: what their buttons do (R25).

    Each button works on the chosen bills, or on all that the list's search finds when none is
    chosen, and opens a dialog that says what becomes of them before it is done.
    """

    _inherit = "account.move"

    bill_edited = fields.Selection(
        [("edited", "Edited")], compute="_compute_bill_edited", groups="base.group_user"
    )

    @api.depends("is_manually_modified")
    def _compute_bill_edited(self):
        for move in self:
            move.bill_edited = move.is_manually_modified and "edited"

    @api.model
    def get_views(self, views, options=None):
        """The lists of bills have a Preview of their own."""
        result = super().get_views(views, options)
        shown = result["views"].get("list", {})
        own = [
            self.env.ref(f"healthcare_billing.{name}", raise_if_not_found=False)
            for name in BILL_LISTS
        ]
        if any(view and shown.get("id") == view.id for view in own):
            shown.get("toolbar", {}).pop("print", None)
        return result

    @api.model
    def get_bill_totals(self, domain):
        """How many bills a search finds, and their sums: of all of them, not of a page (R30).

        :param list domain: of the search
        :return: list of ``{"count": int, "amount": float, "currency_id": int}``, one per currency
        """
        rows = self._read_group(
            domain, ["currency_id"], ["__count", "amount_total_in_currency_signed:sum"]
        )
        return [
            {"count": count, "amount": amount, "currency_id": currency.id}
            for currency, count, amount in rows
        ]

    # -- which bills -----------------------------------------------------------------------------
    def _chosen_bills(self, state):
        """These bills, or without any, all in a state that the list's search finds.

        :param str state: of ``production_state``
        :return: ``account.move`` recordset in the order of the list
        :raise UserError: there are none
        """
        bills = self
        if not bills:
            shown = Domain(self.env.context.get("active_domain") or [])
            bills = self.search(
                Domain("production_state", "=", state)
                & Domain("company_id", "in", self.env.companies.ids)
                & shown,
                order=BILL_ORDER,
            )
        if not bills:
            raise UserError(self.env._("There is no bill in this list."))
        return bills

    def _open_bill_dialog(self, task, state):
        """Say what becomes of bills before it is done.

        :param str task: of ``healthcare.bill.production``
        """
        self._check_may_process()
        bills = self._chosen_bills(state)
        return self.env["healthcare.bill.production"]._open(task, bills, chosen=bool(self))

    def _only_bill(self):
        """For what is done to one bill at a time.

        :raise UserError: none or several are chosen
        """
        self._check_may_process()
        if len(self) != 1:
            raise UserError(self.env._("Select exactly one bill for this."))
        return self

    # -- buttons ---------------------------------------------------------------------------------
    def action_approve_bills(self):
        """Post draft bills, which moves them to bill production."""
        return self._open_bill_dialog("approve", "draft")

    def action_delete_bills(self):
        """Delete draft bills: what they bill is back in mass billing."""
        return self._open_bill_dialog("delete", "draft")

    def action_preview_draft_bills(self):
        """See draft bills as one PDF, as they will look."""
        return self._preview_bills("draft")

    def action_preview_bills(self):
        """See bills in production as one PDF; they stay where they are."""
        return self._preview_bills("production")

    def _preview_bills(self, state):
        self._check_may_process()
        bills = self._chosen_bills(state)
        return self.env["healthcare.bill.production"]._preview(bills, chosen=bool(self))

    def action_produce_bills(self):
        """Print and e-mail bills by the options of their billing accounts."""
        return self._open_bill_dialog("produce", "production")

    def action_revert_bills(self):
        """Make bills drafts again."""
        return self._open_bill_dialog("revert", "production")

    def action_email_bill(self):
        """E-mail one bill by hand, in Odoo's own dialog."""
        return self._only_bill().action_send_and_print()

    def action_pay_bill(self):
        """Register a payment of one bill, in Odoo's own dialog."""
        return self._only_bill().action_register_payment()

    # -- approve ---------------------------------------------------------------------------------
    def _approve_bills(self):
        """Post draft bills, now or in the background; what can't be posted stays and says why.

        Twice changes nothing.

        :return: (posted, waiting for the background, still drafts), ``account.move`` recordsets
        """
        drafts = self.filtered(lambda move: move.production_state == "draft")
        waiting = drafts._post_documents()
        left = (drafts - waiting).filtered(lambda move: move.state == "draft")
        return drafts - waiting - left, waiting, left

    # -- delete ----------------------------------------------------------------------------------
    def _delete_bills(self):
        """Delete draft bills; one that was posted before keeps its number, and is canceled.

        :return: (deleted or canceled, left alone), numbers of bills
        :raise AccessError: not a billing user
        """
        self._check_may_process()
        drafts = self.try_lock_for_update().filtered(
            lambda move: move.production_state == "draft" and not move.posting_user_id
        )
        numbered = drafts.filtered("posted_before")
        numbered.button_cancel()
        (drafts - numbered).unlink()
        self.env.flush_all()  # what is freed is free in the database
        return len(drafts), len(self) - len(drafts)
