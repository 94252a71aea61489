from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.superbill_draft import ERROR, WARNING

# Of what a superbill is going to say, this is in its row.
AMOUNTS = ("amount_charged", "amount_paid", "amount_balance")
SHOWN = (
    "client_id", "client_name", "provider_name", "date_from", "date_to", "currency_id", *AMOUNTS
)  # fmt: skip


class HealthcareSuperbillPreview(models.TransientModel):
    """What superbills are going to say, and what is missing, before they are issued.

    Everything is made by ``healthcare.charge._superbill_drafts``, and asked again when the user
    issues: rows only show it.
    """

    _name = "healthcare.superbill.preview"
    _description = "Superbill Preview"

    charge_ids = fields.Many2many(
        "healthcare.charge", "healthcare_superbill_preview_charge_rel", readonly=True
    )
    left_out_ids = fields.Many2many(
        "healthcare.charge", "healthcare_superbill_preview_left_out_rel", readonly=True
    )
    move_ids = fields.Many2many("account.move", readonly=True)
    per_invoice = fields.Boolean(readonly=True)
    document_ids = fields.One2many(
        "healthcare.superbill.preview.document", "preview_id", string="Superbills"
    )
    problem_ids = fields.One2many("healthcare.superbill.preview.problem", "preview_id")
    never_count = fields.Integer(compute="_compute_never_count")
    left_out_count = fields.Integer(compute="_compute_left_out_count")
    fill_count = fields.Integer(compute="_compute_fill_count")
    ready_count = fields.Integer(compute="_compute_ready_count")
    error_count = fields.Integer(compute="_compute_ready_count")

    def _compute_display_name(self):
        self.display_name = self.env._("Superbill Preview")

    @api.model
    def _open(self, charges, moves=None, per_invoice=False):
        """Preview the superbills of some charges.

        :param charges: ``healthcare.charge`` records, also such as no superbill may name
        :param moves: ``account.move`` records for which they are made
        :param bool per_invoice: a superbill is for one of these invoices only
        :return: window action
        :raise UserError: when none of the charges may be on a superbill
        """
        preview = self.create(
            {
                "charge_ids": charges.ids,
                "move_ids": moves.ids if moves else [],
                "per_invoice": per_invoice,
            }
        )
        if not preview._refresh():
            raise UserError(
                self.env._(
                    "There is nothing here that may be on a superbill: only completed "
                    "appointments with a service are, never missed or planned ones."
                )
            )
        return preview._action()

    def _action(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Superbill Preview"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "current",
        }

    def _drafts(self):
        self.ensure_one()
        return (self.charge_ids - self.left_out_ids)._superbill_drafts(
            moves=self.move_ids, per_invoice=self.per_invoice
        )

    def _refresh(self):
        """Write what superbills would say now into the rows.

        :return: the drafts
        """
        self.ensure_one()
        drafts = self._drafts()
        unselected = set(self.document_ids.filtered(lambda d: not d.selected).mapped("key"))
        self.document_ids.unlink()
        self.problem_ids.unlink()
        present = self.env["healthcare.superbill"]._present_like(drafts)
        self.document_ids = [
            fields.Command.create(
                {
                    "key": draft.key,
                    "fingerprint": draft.values["fingerprint"],
                    "selected": draft.key not in unselected,
                    "superbill_id": present.get(draft.values["fingerprint"]),
                    "replaced_ids": (
                        []
                        if draft.values["fingerprint"] in present
                        else self.env["healthcare.superbill"]._replaced_by(draft).ids
                    ),
                    "line_count": len(draft.charges),
                    **{name: draft.values[name] for name in SHOWN},
                }
            )
            for draft in drafts
        ]
        keys = {document.key: document.id for document in self.document_ids}
        merged = {}
        for draft in drafts:
            for problem in draft.problems:
                documents = merged.setdefault((problem.code, problem.text), (problem, []))[1]
                documents.append(keys[draft.key])
        self.problem_ids = [
            fields.Command.create(
                {
                    "document_ids": document_ids,
                    "code": problem.code,
                    "level": problem.level,
                    "name": problem.text,
                    "charge_ids": problem.charges.ids,
                    "res_model": problem.records._name if problem.records else False,
                    "res_ids": problem.records.ids if problem.records else [],
                }
            )
            for problem, document_ids in sorted(
                merged.values(), key=lambda item: item[0].level == WARNING
            )
        ]
        return drafts

    @api.depends("charge_ids")
    def _compute_never_count(self):
        for preview in self:
            preview.never_count = len(
                preview.charge_ids.filtered(lambda charge: not charge._is_on_superbills())
            )

    def _compute_fill_count(self):
        for preview in self:
            charges = preview.charge_ids.filtered(lambda charge: charge._is_on_superbills())
            preview.fill_count = len((charges - preview.left_out_ids)._without_diagnosis())

    @api.depends("left_out_ids")
    def _compute_left_out_count(self):
        for preview in self:
            preview.left_out_count = len(preview.left_out_ids)

    @api.depends("document_ids.selected", "problem_ids.is_solved")
    def _compute_ready_count(self):
        for preview in self:
            chosen = preview.document_ids.filtered("selected")
            blocked = chosen.filtered("error_count")
            preview.ready_count = len(chosen - blocked)
            preview.error_count = len(blocked)

    def action_check(self):
        """Look again what is missing."""
        self._refresh()
        return self._action()

    def action_take_diagnoses(self):
        """Give visits without any diagnosis those that the client had on that day."""
        charges = self.charge_ids.filtered(lambda charge: charge._is_on_superbills())
        (charges - self.left_out_ids)._take_clients_diagnoses()
        return self.action_check()

    def action_issue(self):
        """Issue the chosen superbills that lack nothing, and show them.

        :raise UserError: when none is chosen, or all lack something
        """
        self.ensure_one()
        shown = {d.key: d for d in self.document_ids.filtered("selected")}
        if not shown:
            raise UserError(self.env._("Choose at least one superbill."))
        drafts = [draft for draft in self._drafts() if draft.key in shown]
        if len(drafts) < len(shown) or any(shown[d.key]._has_changed(d) for d in drafts):
            return self._show_what_changed()
        ready = [draft for draft in drafts if not draft.errors]
        if not ready:
            errors = [problem.text for draft in drafts for problem in draft.errors]
            raise UserError(
                self.env._(
                    "Something is missing that no superbill can be without:\n%s",
                    "\n".join(dict.fromkeys(errors)),
                )
            )
        superbills = self.env["healthcare.superbill"]._issue(ready)
        return self.env["healthcare.superbill"]._action_of(superbills)

    def _show_what_changed(self):
        """Nothing is issued that the user didn't see."""
        self._refresh()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": self.env._(
                    "Changed since the preview was made: payments, visits, or the client's data. "
                    "Look at it again, and issue it then."
                ),
                "type": "warning",
                "sticky": True,
                "next": self._action(),
            },
        }


class HealthcareSuperbillPreviewDocument(models.TransientModel):
    _name = "healthcare.superbill.preview.document"
    _description = "Superbill in a Preview"
    _order = "client_name, provider_name, date_from, id"

    preview_id = fields.Many2one(
        "healthcare.superbill.preview", required=True, ondelete="cascade", index=True
    )
    key = fields.Char(required=True, readonly=True)
    fingerprint = fields.Char(readonly=True)
    selected = fields.Boolean(string="Issue", default=True)
    superbill_id = fields.Many2one(
        "healthcare.superbill", string="Issued Already as", readonly=True, ondelete="cascade"
    )
    replaced_ids = fields.Many2many(
        "healthcare.superbill",
        "healthcare_superbill_preview_replaced_rel",
        string="Replaces",
        readonly=True,
    )
    client_id = fields.Many2one("res.partner", readonly=True, ondelete="cascade")
    client_name = fields.Char(string="Client's Name", readonly=True)
    provider_name = fields.Char(string="Provider", readonly=True)
    date_from = fields.Date(string="From", readonly=True)
    date_to = fields.Date(string="To", readonly=True)
    line_count = fields.Integer(string="Services", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    amount_charged = fields.Monetary(string="Charged", readonly=True)
    amount_paid = fields.Monetary(string="Paid by Client", readonly=True)
    amount_balance = fields.Monetary(string="Balance", readonly=True)
    problem_ids = fields.Many2many(
        "healthcare.superbill.preview.problem",
        "healthcare_superbill_problem_document_rel",
        "document_id",
        "problem_id",
    )
    error_count = fields.Integer(compute="_compute_state")
    state = fields.Selection(
        [("ready", "Ready"), ("missing", "Something Missing"), ("issued", "Issued Already")],
        compute="_compute_state",
    )

    @api.depends("problem_ids.is_solved", "superbill_id")
    def _compute_state(self):
        for document in self:
            document.error_count = len(
                document.problem_ids.filtered(lambda p: p.level == ERROR and not p.is_solved)
            )
            if document.error_count:
                document.state = "missing"
            else:
                document.state = "issued" if document.superbill_id else "ready"

    def _has_changed(self, draft):
        """Whether a superbill would say something else now than the user was shown.

        What was missing, and was mended from here, is a change that the user made.

        :param draft: :class:`SuperbillDraft` of this row, made now
        """
        self.ensure_one()
        if draft.values["fingerprint"] == self.fingerprint:
            return False
        if not self.problem_ids.filtered("is_solved"):
            return True
        return len(draft.charges) != self.line_count or any(
            self.currency_id.compare_amounts(self[name], draft.values[name]) for name in AMOUNTS
        )


class HealthcareSuperbillPreviewProblem(models.TransientModel):
    _name = "healthcare.superbill.preview.problem"
    _description = "Problem in a Superbill Preview"
    _order = "level, id"

    preview_id = fields.Many2one(
        "healthcare.superbill.preview", required=True, ondelete="cascade", index=True
    )
    document_ids = fields.Many2many(
        "healthcare.superbill.preview.document",
        "healthcare_superbill_problem_document_rel",
        "problem_id",
        "document_id",
    )
    code = fields.Char(readonly=True)
    name = fields.Char(string="Problem", readonly=True)
    level = fields.Selection(
        [(ERROR, "Missing"), (WARNING, "Please Note")], readonly=True, string="What"
    )
    charge_ids = fields.Many2many(
        "healthcare.charge", "healthcare_superbill_problem_charge_rel", readonly=True
    )
    charge_count = fields.Integer(compute="_compute_charge_count")
    res_model = fields.Char(readonly=True)
    res_ids = fields.Json(readonly=True)
    is_solved = fields.Boolean(compute="_compute_is_solved")
    has_mend_button = fields.Boolean(compute="_compute_has_mend_button")

    @api.depends("charge_ids")
    def _compute_charge_count(self):
        for problem in self:
            problem.charge_count = len(problem.charge_ids)

    @api.depends("code")
    def _compute_is_solved(self):
        """Asked each time the preview is shown: it comes back from the form that mends it."""
        for preview, problems in self.grouped("preview_id").items():
            open_keys = {
                (draft.key, problem.code)
                for draft in preview._drafts()
                for problem in draft.problems
            }
            for problem in problems:
                problem.is_solved = not any(
                    (document.key, problem.code) in open_keys for document in problem.document_ids
                )

    @api.depends_context("uid")
    @api.depends("res_model")
    def _compute_has_mend_button(self):
        for problem in self:
            problem.has_mend_button = bool(problem.res_model) and (
                problem.res_model == "hr.employee"  # through a wizard of ours
                or problem.res_model == "healthcare.superbill"
                or self.env[problem.res_model].has_access("write")
            )

    def action_mend(self):
        """Open the record that mends it."""
        self.ensure_one()
        if self.code == "license":
            charge = self.charge_ids[:1]
            return self.env["healthcare.cpt.license"]._mend_action(
                charge.employee_id, charge._license_year()
            )
        if self.res_model == "hr.employee":
            return {
                **self.env["ir.actions.act_window"]._for_xml_id(
                    "healthcare_billing.healthcare_provider_details_action"
                ),
                "context": {"default_employee_id": self.res_ids[0]},
            }
        action = {
            "type": "ir.actions.act_window",
            "name": self.name,
            "res_model": self.res_model,
            "target": "new",
        }
        if len(self.res_ids) == 1:
            return {**action, "res_id": self.res_ids[0], "views": [(False, "form")]}
        return {
            **action,
            "domain": [("id", "in", self.res_ids)],
            "views": [(False, "list"), (False, "form")],
            "target": "current",
        }

    def action_leave_out(self):
        """Issue the superbill without these services."""
        self.ensure_one()
        preview = self.preview_id
        preview.left_out_ids |= self.charge_ids
        if not preview._refresh():
            raise UserError(self.env._("Then there is nothing left to put on a superbill."))
        return preview._action()
