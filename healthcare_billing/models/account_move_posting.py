from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import split_every

# Posting holds the journal's numbers until it is committed: short transactions.
CHUNK_SIZE = 50


class AccountMove(models.Model):
    """Posting many invoices of care at once: what can't be posted stays a draft and says why."""

    _inherit = "account.move"

    posting_user_id = fields.Many2one(
        "res.users",
        string="Posting Asked by",
        copy=False,
        readonly=True,
        ondelete="restrict",
        index="btree_not_null",
        groups="base.group_user",
        help="Waits for the background to be posted on behalf of this user.",
    )

    def _check_may_process(self):
        """Processing invoices of care is the billing office's.

        :raise AccessError: for anybody else
        """
        if not self.env.su and not self.env.user.has_group("healthcare_billing.group_billing_user"):
            raise AccessError(self.env._("Only billing users can process invoices of care."))
        self.check_access("write")

    def _goes_to_background(self):
        """Whether these are too many for a request, by the setting of their companies."""
        # sudo: a setting, and a scheduled action that a biller may not read
        cron = self.env.ref("healthcare_billing.ir_cron_invoice_posting").sudo()
        limit = min(self.company_id.sudo().mapped("healthcare_background_rows"), default=0)
        return cron.active and len(self) > limit

    def _post_documents(self):
        """Post these drafts, now or (when there are many) in the background.

        Twice changes nothing. What can't be posted keeps the reason in ``delivery_message``.

        :return: the invoices that wait for the background
        """
        self._check_may_process()
        drafts = self.try_lock_for_update().filtered(
            lambda move: move.state == "draft" and not move.posting_user_id
        )
        drafts = drafts._let_go_of_other_invoices()
        if not drafts._goes_to_background():
            drafts._post_now()
            return self.browse()
        drafts._write_result({"posting_user_id": self.env.uid, "delivery_message": False})
        self.env.ref("healthcare_billing.ir_cron_invoice_posting").sudo()._trigger()
        return drafts

    def _post_now(self):
        """Post drafts in this transaction, one company at a time; faults stay with their rows.

        Nothing moves a date: what isn't due, or locked, stays a draft and says so.
        """
        refusals = self._refused_dates()
        for text, moves in refusals.grouped(lambda move: move._date_refusal()).items():
            moves._set_unposted(text)
        engine = self.env["healthcare.billing.engine"]
        for company, moves in (self - refusals).grouped("company_id").items():
            for ids in split_every(CHUNK_SIZE, moves.ids):
                chunk = self.browse(ids)
                engine.with_company(company)._isolate_faults(
                    chunk, engine._post_moves, self._record_posting_failure
                )

    def _date_refusal(self):
        """Why the date of a draft keeps it from being posted today.

        :return: text, or False
        """
        self.ensure_one()
        return self._refusal_of_future_date() or self._refusal_of_lock_date()

    def _refused_dates(self):
        """Drafts that can't be posted because of their date; each date is looked at once."""
        groups = self.grouped(
            lambda move: (
                move.company_id,
                move.journal_id,
                move.invoice_date,
                move.date,
                move._affect_tax_report(),
            )
        )
        refused = [moves.ids for moves in groups.values() if moves[0]._date_refusal()]
        return self.browse(id_ for ids in refused for id_ in ids)

    @api.model
    def _record_posting_failure(self, move, error):
        """Keep with a draft why it couldn't be posted; what waited for it isn't sent."""
        reason = self.env["healthcare.billing.engine"]._failure_text(
            error, self.env._("It stays a draft, and nothing was booked.")
        )
        move._set_unposted(self.env._("Not posted: %s", reason))

    def _set_unposted(self, text):
        """Keep with drafts why they weren't posted; what waited for it isn't sent."""
        self._write_result({"posting_user_id": False, "delivery_message": text})
        self.filtered("delivery_user_id")._write_result(
            {"delivery_state": "failed", "delivery_user_id": False, "sending_data": False}
        )

    def _post(self, soft=True):
        """What is posted has nothing to say any more of why it wasn't, nor wasn't sent."""
        posted = super()._post(soft)
        # sudo: whoever may post need not be a biller
        told = posted.sudo().filtered(lambda move: move.posting_user_id or move.delivery_message)
        if told:
            told._write_result({"posting_user_id": False, "delivery_message": False})
            failed = told.filtered(lambda move: move.delivery_state == "failed")
            failed._write_result({"delivery_state": False})
        return posted

    # -- background ------------------------------------------------------------------------------
    @api.model
    def _cron_post_documents(self):
        """Scheduled action: post what waits, each chunk in its own transaction."""
        waiting = self.search(
            [("posting_user_id", "!=", False)], order="company_id, posting_user_id, date, id"
        )
        chunks = [
            (user, list(ids))
            for (_company, user), moves in waiting.grouped(
                lambda move: (move.company_id, move.posting_user_id)
            ).items()
            for ids in split_every(CHUNK_SIZE, moves.ids)
        ]
        left = len(waiting)
        self.env["ir.cron"]._commit_progress(remaining=left)
        for user, ids in chunks:
            self._try_to_post_chunk(user, ids)
            left -= len(ids)
            if not self.env["ir.cron"]._commit_progress(len(ids), remaining=left):
                return
        if waiting.exists().delivery_user_id:
            self._trigger_sending()

    @api.model
    def _try_to_post_chunk(self, user, move_ids):
        """Post a chunk on behalf of a user, or keep with each of its drafts why not."""

        def post(ids):
            # the locks are the first statement of each transaction: no snapshot is older
            moves = self.browse(ids).try_lock_for_update()
            moves = moves.filtered(lambda move: move.posting_user_id == user)
            moves._as_user(user)._post_waiting()

        if not self._try_part(post, self._record_posting_failures, move_ids):
            # they still wait: the next start takes them up
            self.env.ref("healthcare_billing.ir_cron_invoice_posting")._trigger()

    @api.model
    def _record_posting_failures(self, move_ids, error):
        """Keep with those that still wait why they couldn't be posted."""
        for move in self.browse(move_ids).filtered("posting_user_id"):
            self._record_posting_failure(move, error)

    def _as_user(self, user):
        """These records with the rights and language of a user, in their companies."""
        return self.with_user(user).with_context(
            allowed_company_ids=self.company_id.ids, lang=user.lang, tz=user.tz
        )

    def _post_waiting(self):
        """Post what waits for the background; what became something else is only let go.

        :raise UserError: who asked for it may no longer do it
        """
        if not self.env.user.active and not self.env.su:
            raise UserError(
                self.env._("%s is archived. Post it again as yourself.", self.env.user.name)
            )
        self._check_may_process()
        drafts = self.filtered(lambda move: move.state == "draft")
        (self - drafts)._write_result({"posting_user_id": False})
        drafts._let_go_of_other_invoices()._post_now()

    def _let_go_of_other_invoices(self):
        """Only invoices of care are posted here; others say so.

        :return: the invoices of care
        """
        others = self.filtered(lambda move: not move.has_charges)
        others._write_result(
            {
                "posting_user_id": False,
                "delivery_message": self._delivery_refusals()["not_care"],
            }
        )
        return self - others
