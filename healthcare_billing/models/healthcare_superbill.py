from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError, UserError
from odoo.fields import NO_ACCESS
from odoo.tools import mute_logger

# In the context of writes by the addon itself; an object, because no client can send it.
ISSUING = object()
# All that may change on an issued superbill by ordinary writes: nothing that it says.
LIVE_FIELDS = {
    "access_token", "activity_ids", "message_follower_ids", "message_ids",
    "message_main_attachment_id", "message_partner_ids",
}  # fmt: skip
INTERNAL = "base.group_user"


class HealthcareSuperbill(models.Model):
    """A receipt with codes and diagnoses, with which a client asks the insurer for the money.

    It has a number, and keeps what it said: nothing of it changes when client, prices or payments
    do. A new one replaces it then; both stay, with their PDF.

    ==========================  ==========  ===========  ============  ==============
    may                         care staff  coordinator  billing user  client, portal
    ==========================  ==========  ===========  ============  ==============
    read, print                 no          all          all           own, issued
    issue, issue anew, void     no          no           all           no
    change, delete              nobody
    ==========================  ==========  =========================================

    Portal users read this model: every field that the list in the portal doesn't need has groups.
    """

    _name = "healthcare.superbill"
    _description = "Superbill"
    _inherit = ("portal.mixin", "mail.thread", "mail.activity.mixin")
    _order = "issued_on desc, id desc"
    _check_company_auto = True
    # who may not issue superbills adds nothing to them: no message, and no file
    _mail_post_access = "create"

    name = fields.Char(string="Number", required=True, readonly=True, copy=False, index="trigram")
    state = fields.Selection(
        [("issued", "Issued"), ("replaced", "Replaced"), ("void", "Void")],
        default="issued",
        required=True,
        readonly=True,
        index=True,
        copy=False,
        tracking=True,
    )
    issued_on = fields.Date(readonly=True, required=True)
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, index=True, ondelete="restrict"
    )
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    client_id = fields.Many2one(
        "res.partner", required=True, readonly=True, index=True, ondelete="restrict"
    )
    employee_id = fields.Many2one(
        "hr.employee",
        string="Provider",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        groups=INTERNAL,
    )
    date_from = fields.Date(string="Care From", readonly=True, required=True)
    date_to = fields.Date(string="Care To", readonly=True, required=True)
    line_ids = fields.One2many(
        "healthcare.superbill.line", "superbill_id", readonly=True, groups=INTERNAL
    )
    move_ids = fields.Many2many(
        "account.move",
        "healthcare_superbill_move_rel",
        "superbill_id",
        "move_id",
        string="Invoices",
        readonly=True,
        groups="account.group_account_invoice,account.group_account_readonly",
        help="Invoices for which it was issued.",
    )

    # -- as it was issued ------------------------------------------------------------------------
    practice_name = fields.Char(readonly=True, groups=INTERNAL)
    practice_address = fields.Text(readonly=True, groups=INTERNAL)
    practice_phone = fields.Char(readonly=True, groups=INTERNAL)
    practice_email = fields.Char(readonly=True, groups=INTERNAL)
    practice_npi = fields.Char("NPI of the Practice", readonly=True, groups=INTERNAL)
    practice_tax_id = fields.Char("Tax ID", readonly=True, groups=INTERNAL)
    provider_name = fields.Char(string="Provider's Name", readonly=True)
    provider_credentials = fields.Char(readonly=True, groups=INTERNAL)
    provider_npi = fields.Char("NPI of the Provider", readonly=True, groups=INTERNAL)
    client_name = fields.Char(string="Client's Legal Name", readonly=True, groups=INTERNAL)
    client_birth_date = fields.Date(string="Birth Date", readonly=True, groups=INTERNAL)
    client_sex = fields.Selection(
        [("female", "Female"), ("male", "Male"), ("x", "Unspecified")],
        string="Sex",
        readonly=True,
        groups=INTERNAL,
    )
    client_address = fields.Text(readonly=True, groups=INTERNAL)
    insurer_name = fields.Char(string="Insurer", readonly=True, groups=INTERNAL)
    member_id = fields.Char("Member ID", readonly=True, groups=INTERNAL)
    group_number = fields.Char(readonly=True, groups=INTERNAL)
    subscriber_name = fields.Char(string="Subscriber", readonly=True, groups=INTERNAL)
    subscriber_relationship = fields.Char(
        string="Relationship to Subscriber", readonly=True, groups=INTERNAL
    )
    diagnoses = fields.Json(
        string="Lettered Diagnoses",
        readonly=True,
        groups=INTERNAL,
        help="List of letter, code and name of each diagnosis.",
    )
    diagnosis_list = fields.Text(
        string="Diagnoses", compute="_compute_diagnosis_list", groups=INTERNAL
    )
    is_submitted = fields.Boolean(
        string="Submitted by the Practice",
        readonly=True,
        groups=INTERNAL,
        help="Some of this care was on a claim of the practice when the superbill was issued.",
    )
    amount_charged = fields.Monetary(string="Charged", readonly=True)
    amount_adjusted = fields.Monetary(string="Adjusted", readonly=True)
    amount_paid = fields.Monetary(string="Paid by Client", readonly=True)
    amount_paid_others = fields.Monetary(string="Paid by Others", readonly=True)
    amount_balance = fields.Monetary(string="Balance", readonly=True)
    fingerprint = fields.Char(
        readonly=True, copy=False, groups=INTERNAL, help="Of all that it says, without the number."
    )

    pdf = fields.Binary(
        "PDF",
        attachment=True,
        readonly=True,
        copy=False,
        groups=NO_ACCESS,
        help="Drawn once, without a mark. It is handed out by _pdf_contents only.",
    )

    notes = fields.Text(
        string="Please Note",
        readonly=True,
        copy=False,
        groups=INTERNAL,
        help="What was to be known when it was issued: it kept nobody from issuing it.",
    )

    # -- afterwards ------------------------------------------------------------------------------
    replaced_by_id = fields.Many2one(
        "healthcare.superbill",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        groups=INTERNAL,
    )
    replaces_ids = fields.One2many(
        "healthcare.superbill", "replaced_by_id", readonly=True, groups=INTERNAL
    )
    void_reason = fields.Char(readonly=True, copy=False, groups=INTERNAL)
    has_changed = fields.Boolean(
        string="Changed Since",
        compute="_compute_has_changed",
        groups="healthcare_billing.group_billing_user",
        help="Issued today, it would say something else.",
    )

    _name_uniq = models.UniqueIndex(
        "(company_id, name)", "This superbill number was given already."
    )
    _same_once = models.UniqueIndex(
        "(company_id, fingerprint) WHERE state = 'issued'",
        "This superbill was issued already. Refresh the page.",
    )

    # -- computes --------------------------------------------------------------------------------
    def _compute_access_url(self):
        result = super()._compute_access_url()
        for superbill in self:
            superbill.access_url = f"/my/superbills/{superbill.id}"
        return result

    @api.depends("diagnoses")
    def _compute_diagnosis_list(self):
        for superbill in self:
            superbill.diagnosis_list = "\n".join(
                f"{letter}.  {code}  {name}" for letter, code, name in superbill.diagnoses or ()
            )

    @api.depends_context("uid")
    def _compute_has_changed(self):
        issued = self.filtered(lambda superbill: superbill.state == "issued")
        (self - issued).has_changed = False
        for superbill in issued:
            drafts = superbill._drafts_of_today()
            superbill.has_changed = superbill.fingerprint not in {
                draft.values["fingerprint"] for draft in drafts
            }

    # -- issued ones stay ------------------------------------------------------------------------
    @api.model_create_multi
    def create(self, vals_list):
        self._check_issuing()
        return super().create(vals_list)

    def write(self, vals):
        if set(vals) - LIVE_FIELDS:
            self._check_issuing()
        return super().write(vals)

    def copy_data(self, default=None):
        self._check_issuing()
        return super().copy_data(default)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        self._check_issuing()

    def _check_issuing(self):
        if self.env.context.get("healthcare_superbill") is not ISSUING:
            raise UserError(
                self.env._(
                    "Superbills are issued from appointments, clients and invoices. An issued one "
                    "can't be changed or deleted: void it, or issue a new one that replaces it."
                )
            )

    # -- issuing ---------------------------------------------------------------------------------
    @api.model
    def _issue(self, drafts):
        """Issue superbills, or find the present ones that say just the same.

        What is issued replaces the present superbills of the same client and provider that cover
        nothing else.

        :param drafts: list of :class:`SuperbillDraft`
        :return: ``healthcare.superbill`` records, in the order of the drafts
        :raise UserError: when something is missing that a superbill can't be without
        """
        errors = [problem.text for draft in drafts for problem in draft.errors]
        if errors:
            raise UserError("\n".join(dict.fromkeys(errors)))
        self.env["healthcare.superbill"].check_access("create")
        result = self.browse()
        for company, group in _by_company(drafts).items():
            model = self.with_company(company).with_context(healthcare_superbill=ISSUING)
            same = model._same_as(group)
            new = [draft for draft in group if draft.values["fingerprint"] not in same]
            same |= model._issue_new(new)
            result |= self.browse(same[draft.values["fingerprint"]].id for draft in group)
        return result

    @api.model
    def _same_as(self, drafts):
        """Present superbills that say what these drafts do, now for their invoices, too.

        :return: ``{fingerprint: superbill}``
        """
        found = self.browse(self._present_like(drafts).values())
        moves = _moves_by_fingerprint(drafts)
        # sudo: that it is for these invoices too is no change of what it says
        for superbill in found.sudo():
            missing = moves[superbill.fingerprint] - superbill.move_ids
            if missing:
                superbill.move_ids |= missing
        return {superbill.fingerprint: superbill for superbill in found}

    @api.model
    def _present_like(self, drafts):
        """Present superbills that say what these drafts do: ``{fingerprint: id}``."""
        found = self.search(
            [
                ("company_id", "in", [draft.values["company_id"] for draft in drafts]),
                ("state", "=", "issued"),
                ("fingerprint", "in", [draft.values["fingerprint"] for draft in drafts]),
            ]
        )
        return {superbill.fingerprint: superbill.id for superbill in found}

    @api.model
    def _issue_new(self, drafts):
        """Number and save drafts of the current company: ``{fingerprint: superbill}``."""
        unique = {draft.values["fingerprint"]: draft for draft in drafts}
        moves = _moves_by_fingerprint(drafts)
        numbers = self.env["ir.sequence"]._next_many("healthcare.superbill", len(unique))
        replaced = [self._replaced_by(draft) for draft in unique.values()]
        # sudo: nobody may write superbills; the right to create was checked, and the old ones
        # are those of the same client and provider
        old = self.browse().union(*replaced).sudo()
        old.state = "replaced"
        old.flush_recordset(["state"])
        try:
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                new = self.sudo().create(
                    [
                        {
                            **draft.values,
                            "name": number,
                            "move_ids": moves[fingerprint].ids,
                            "notes": "\n".join(draft.notes),
                        }
                        for (fingerprint, draft), number in zip(
                            unique.items(), numbers, strict=True
                        )
                    ]
                )
        except UniqueViolation as error:
            if error.diag.constraint_name == self._name_uniq.full_name(self):
                raise UserError(
                    self.env._(
                        "The number sequence of superbills gave a number that was given already, "
                        "one of %(first)s to %(last)s. Set its next number, and issue again.",
                        first=numbers[0],
                        last=numbers[-1],
                    )
                ) from error
            # the other one of two clicks: on a new snapshot, it finds what the first one issued
            raise ConcurrencyError("superbill issued meanwhile") from error
        for superbill, former in zip(new, replaced, strict=True):
            former.sudo().replaced_by_id = superbill
            for each in former.sudo():
                each._message_log(body=self.env._("Replaced by %s.", superbill.name))
        return dict(zip(unique, new.sudo(self.env.su), strict=True))

    @api.model
    def _replaced_by(self, draft):
        """Present superbills of which this draft covers every charge."""
        candidates = self.search(
            [
                ("company_id", "=", draft.values["company_id"]),
                ("state", "=", "issued"),
                ("client_id", "=", draft.values["client_id"]),
                ("employee_id", "=", draft.values["employee_id"]),
                ("line_ids.charge_id", "in", draft.charges.ids),
            ]
        )
        return candidates.filtered(lambda old: old.line_ids.charge_id <= draft.charges)

    def _drafts_of_today(self):
        """What this superbill would say if it were issued now; several if it has to be split."""
        self.ensure_one()
        return self.line_ids.charge_id._superbill_drafts(moves=self.move_ids)

    def action_reissue(self):
        """Show what a new superbill of the same care would say, and issue it from there."""
        self.ensure_one()
        self._check_present()
        return self.env["healthcare.superbill.preview"]._open(
            self.line_ids.charge_id, moves=self.move_ids
        )

    def _reissue(self):
        """Issue this superbill anew.

        :return: the superbills that replace it; itself, if nothing changed
        :raise UserError: when it isn't the present one, or something is missing
        """
        self.ensure_one()
        self._check_present()
        return self._issue(self._drafts_of_today())

    def _check_present(self):
        for superbill in self:
            if superbill.state == "replaced":
                raise UserError(
                    self.env._(
                        "%(old)s was replaced by %(new)s.",
                        old=superbill.name,
                        new=superbill.replaced_by_id.name,
                    )
                )
            if superbill.state == "void":
                raise UserError(self.env._("%s is void.", superbill.name))

    def _void(self, reason):
        """Declare superbills void: the client doesn't see them any more, their numbers stay.

        :param str reason: why, for the record
        :raise UserError: without a reason, or when it isn't the present one
        """
        self.check_access("create")
        self._check_present()
        if not (reason or "").strip():
            raise UserError(self.env._("Say why the superbill is void."))
        # sudo: nobody may write superbills; the right to issue them was checked
        self.sudo().with_context(healthcare_superbill=ISSUING).write(
            {"state": "void", "void_reason": reason.strip()}
        )

    # -- screens ---------------------------------------------------------------------------------
    @api.model
    def _action_of(self, superbills):
        """Action that shows these superbills."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_superbill_action"
        )
        action["context"] = {}
        if len(superbills) == 1:
            return {**action, "views": [(False, "form")], "res_id": superbills.id}
        return {**action, "domain": [("id", "in", superbills.ids)]}

    def action_view_appointments(self):
        """Open the appointments on this superbill."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_appointment_action"
        )
        appointments = self.line_ids.appointment_id
        return {**action, "domain": [("id", "in", appointments.ids)], "context": {}}

    def action_view_invoices(self):
        """Open the invoices for which this superbill was issued."""
        return self.env["account.move"]._care_invoices_action(self.move_ids)


def _moves_by_fingerprint(drafts):
    """Invoices for which the same superbill is issued."""
    moves = {}
    for draft in drafts:
        fingerprint = draft.values["fingerprint"]
        moves[fingerprint] = moves.get(fingerprint, draft.moves) | draft.moves
    return moves


def _by_company(drafts):
    groups = {}
    for draft in drafts:
        groups.setdefault(draft.charges.company_id, []).append(draft)
    return groups
