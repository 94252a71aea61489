from odoo import api, fields, models
from odoo.exceptions import UserError


class AccountMove(models.Model):
    """Processing of existing invoices: the list, and what its buttons open."""

    _inherit = "account.move"

    created_on = fields.Date(
        string="Created",
        compute="_compute_created_on",
        groups="base.group_user",
        help="The day on which it was created, where care is given.",
    )

    @api.depends("create_date", "company_id")
    def _compute_created_on(self):
        for move in self:
            # sudo: the time zone of care is no secret
            company = move.company_id.sudo()
            move.created_on = company and company._care_local_date(move.create_date)

    @api.model
    def get_views(self, views, options=None):
        """The list in which invoices are processed has a Print of its own."""
        result = super().get_views(views, options)
        view = self.env.ref(
            "healthcare_billing.account_move_view_list_process", raise_if_not_found=False
        )
        shown = result["views"].get("list", {})
        if view and shown.get("id") == view.id:
            shown.get("toolbar", {}).pop("print", None)
        return result

    @api.model
    def _process_action(self, domain):
        """The list in which invoices of care are selected and processed.

        :param list domain: the invoices to show
        :return: window action
        """
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.account_move_action_process"
        )
        return {**action, "domain": domain}

    def _open_processing(self, task):
        """Ask which document, and show what becomes of each invoice, before it is done.

        :param str task: print, email or post
        """
        self._check_may_process()
        wizard = self.env["healthcare.invoice.delivery"].create(
            {"task": task, "move_ids": [(6, 0, self.ids)]}
        )
        names = dict(wizard._fields["task"]._description_selection(self.env))
        return {
            "type": "ir.actions.act_window",
            "name": names[task],
            "res_model": wizard._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
        }

    def action_process_print(self):
        """Print invoices or superbills of these, as one PDF."""
        return self._open_processing("print")

    def action_process_email(self):
        """E-mail invoices or superbills of these to the clients."""
        return self._open_processing("email")

    def action_process_post(self):
        """Post the drafts among these."""
        return self._open_processing("post")

    def _print_documents(self, document):
        """One PDF of the documents of these invoices, in their order.

        :param str document: invoice or superbill
        :return: report action
        :raise UserError: when there is nothing to print
        """
        self._check_may_process()
        moves = self.filtered(lambda move: move.state != "cancel")
        if not moves:
            raise UserError(self.env._("There is nothing to print: all of these are canceled."))
        if document == "superbill":
            return moves._print_superbills()
        return self.env.ref("account.account_invoices").report_action(moves, config=False)
