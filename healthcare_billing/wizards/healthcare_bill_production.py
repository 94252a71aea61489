from odoo import api, fields, models
from odoo.fields import Command
from odoo.tools import format_amount

# How many bills that can't be done a dialog names.
MAX_TOLD = 50


class HealthcareBillProduction(models.TransientModel):
    """What becomes of bills before it is done, and afterwards what became of them."""

    _name = "healthcare.bill.production"
    _description = "Approve, Delete, Produce or Revert Bills"

    task = fields.Selection(
        [
            ("approve", "Approve"),
            ("delete", "Delete"),
            ("preview", "Preview"),
            ("produce", "Produce"),
            ("revert", "Revert to Draft"),
        ],
        required=True,
        readonly=True,
    )
    is_chosen = fields.Boolean(readonly=True, help="Bills were selected; else it is all of them.")
    is_done = fields.Boolean(readonly=True)
    bill_ids = fields.Json(readonly=True, help="Ids of the bills, in the order of the list.")
    bill_count = fields.Integer(compute="_compute_bills")
    amount_text = fields.Char(compute="_compute_bills")
    note_ids = fields.One2many(
        "healthcare.bill.production.note", "wizard_id", string="What Happens", readonly=True
    )
    refused_count = fields.Integer(compute="_compute_bills")
    part_ids = fields.One2many("healthcare.bill.production.part", "wizard_id", readonly=True)
    can_confirm = fields.Boolean(readonly=True)

    # -- opening ---------------------------------------------------------------------------------
    @api.model
    def _open(self, task, bills, chosen):
        """The dialog that asks before a task is done.

        :param bills: ``account.move`` recordset in the order of the list
        :param bool chosen: whether somebody selected them
        :return: window action
        """
        wizard = self.create({"task": task, "is_chosen": chosen, "bill_ids": bills.ids})
        wizard._ask()
        return wizard._show()

    @api.model
    def _preview(self, bills, chosen):
        """Bills as one PDF at once, in parts where it would take too long.

        :return: report action, or window action with the parts
        """
        bills.check_access("read")
        parts = bills._page_parts(bills.ids)
        if len(parts) == 1:
            return bills._print_pages(bills.ids)
        wizard = self.create({"task": "preview", "is_chosen": chosen, "bill_ids": bills.ids})
        wizard._add_parts(parts)
        wizard.is_done = True
        return wizard._show()

    def _show(self):
        names = dict(self._fields["task"]._description_selection(self.env))
        return {
            "type": "ir.actions.act_window",
            "name": names[self.task],
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
        }

    def _bills(self):
        """The bills that still exist, in the order of the list."""
        self.ensure_one()
        return self.env["account.move"].browse(self.bill_ids or []).exists()

    @api.depends("bill_ids", "note_ids")
    def _compute_bills(self):
        for wizard in self:
            wizard.bill_count = len(wizard.bill_ids or [])
            sums = {
                currency: sum(own.mapped("amount_total_in_currency_signed"))
                for currency, own in wizard._bills().grouped("currency_id").items()
            }
            wizard.amount_text = " + ".join(
                format_amount(self.env, amount, currency) for currency, amount in sums.items()
            )
            wizard.refused_count = len(wizard.note_ids.filtered("move_id"))

    def _set_notes(self, notes, refused=None):
        """Replace the lines of the dialog.

        :param list notes: of (text, kind)
        :param dict refused: ``{bill: text}``
        """
        refused = dict(refused or {})
        lines = [{"name": text, "kind": kind} for text, kind in notes]
        lines += [
            {"name": text, "kind": "danger", "move_id": move.id}
            for move, text in list(refused.items())[:MAX_TOLD]
        ]
        if len(refused) > MAX_TOLD:
            more = self.env._("and %s more", len(refused) - MAX_TOLD)
            lines.append({"name": more, "kind": "danger"})
        self.note_ids = [
            Command.clear(),
            *(
                Command.create({"sequence": sequence, **vals})
                for sequence, vals in enumerate(lines)
            ),
        ]

    # -- what would happen -----------------------------------------------------------------------
    def _ask(self):
        getattr(self, f"_ask_{self.task}")(self._bills())

    def _ask_approve(self, bills):
        drafts = bills.filtered(lambda move: move.production_state == "draft")
        refused = {move: move._date_refusal() for move in drafts._refused_dates()}
        count = len(drafts) - len(refused)
        notes = [
            (
                self.env._(
                    "Get their legal numbers, go into the books and move to Bill Production: %s.",
                    count,
                ),
                "info",
            )
        ]
        if drafts._goes_to_background():
            notes.append((self.env._("They are many: it is done in the background."), "muted"))
        if refused:
            notes.append(
                (self.env._("Stay drafts because of their date: %s.", len(refused)), "warning")
            )
        self.can_confirm = bool(count)
        self._set_notes(notes, refused)

    def _ask_delete(self, bills):
        drafts = bills.filtered(lambda move: move.production_state == "draft")
        waiting = drafts.filtered("posting_user_id")
        numbered = (drafts - waiting).filtered("posted_before")
        count = len(drafts - waiting)
        notes = [
            (
                self.env._(
                    "%s leave this list. Their work and expenses are back in mass billing: nothing "
                    "is lost. What was edited on the bills themselves is.",
                    count,
                ),
                "info",
            )
        ]
        if numbered:
            notes.append(
                (
                    self.env._(
                        "%s were approved before: they keep their numbers, as canceled invoices.",
                        len(numbered),
                    ),
                    "info",
                )
            )
        if waiting:
            notes.append(
                (
                    self.env._("Being approved right now, so that they stay: %s.", len(waiting)),
                    "warning",
                )
            )
        self.can_confirm = bool(count)
        self._set_notes(notes)

    def _ask_produce(self, bills):
        plan = bills._production_plan()
        none = bills.browse()
        ready = plan.get("produce", none)
        by_email = ready._bills_to_email()
        emailed = ready.filtered(lambda move: move._was_emailed())
        pages = ready._pages_to_print()
        silent = (ready - by_email - emailed).filtered(lambda move: not move._copies())
        again = by_email.filtered(lambda move: move.delivery_state == "failed")
        notes = [
            (
                self.env._(
                    "Printed: %(bills)s. Copies in all: %(copies)s.",
                    bills=len(set(pages)),
                    copies=len(pages),
                ),
                "info" if pages else "muted",
            ),
            (
                self.env._("To be e-mailed to the addresses of their accounts: %s.", len(by_email)),
                "info" if by_email else "muted",
            ),
        ]
        if again:
            notes.append(
                (
                    self.env._("Of them, sent again because it failed before: %s.", len(again)),
                    "muted",
                )
            )
        if emailed:
            notes.append(
                (
                    self.env._(
                        "%s were e-mailed already, and aren't again: they are printed if their "
                        "accounts want it, and leave this list.",
                        len(emailed),
                    ),
                    "info",
                )
            )
        if silent:
            notes.append(
                (
                    self.env._(
                        "Only leave this list, because their accounts want neither paper nor "
                        "e-mail: %s.",
                        len(silent),
                    ),
                    "info",
                )
            )
        if sending := plan.get("sending", none):
            notes.append((self.env._("On their way by e-mail already: %s.", len(sending)), "muted"))
        if other := plan.get("other", none):
            notes.append((self.env._("Not in production any more: %s.", len(other)), "muted"))
        text = bills._delivery_refusals()["no_address"]
        self.can_confirm = bool(ready)
        self._set_notes(notes, dict.fromkeys(plan.get("no_address", none), text))

    def _ask_revert(self, bills):
        plan = bills._revert_plan()
        notes = []
        if plan.in_place:
            notes.append(
                (
                    self.env._(
                        "%s become drafts again and keep their numbers: nobody got them yet.",
                        len(plan.in_place),
                    ),
                    "info",
                )
            )
        if plan.reverse:
            notes.append(
                (
                    self.env._(
                        "%s were sent, or their books are locked: each is reversed by a credit "
                        "note, and billed again as a new draft with the same reference. Both have "
                        "today's date, or that of the first open day.",
                        len(plan.reverse),
                    ),
                    "info",
                )
            )
        if plan.left:
            notes.append((self._text_of_left(plan.left), "warning"))
        if plan.refused:
            notes.append((self.env._("Can't be reverted: %s.", len(plan.refused)), "warning"))
        self.can_confirm = bool(plan.in_place or plan.reverse)
        self._set_notes(notes, plan.refused)

    # -- doing it --------------------------------------------------------------------------------
    def action_confirm(self):
        """Do what was asked for.

        :return: notification, or the dialog with what couldn't be done or is to be downloaded
        """
        self.ensure_one()
        if self.is_done:
            return {"type": "ir.actions.act_window_close"}
        self.is_done = True
        return getattr(self, f"_do_{self.task}")(self._bills())

    def _do_approve(self, bills):
        posted, waiting, left = bills._approve_bills()
        notes = [(self.env._("Now in Bill Production: %s.", len(posted)), "info")]
        if waiting:
            notes.append(
                (self.env._("Being approved in the background: %s.", len(waiting)), "info")
            )
        if left:
            notes.append((self.env._("Stay drafts: %s.", len(left)), "warning"))
        busy = self.env._("Another user is working on it right now. Try again.")
        return self._tell(notes, {move: move.delivery_message or busy for move in left})

    def _do_delete(self, bills):
        deleted, left = bills._delete_bills()
        notes = [(self.env._("Back in mass billing: %s.", deleted), "info")]
        if left:
            notes.append(
                (
                    self.env._("Left alone, because somebody else works on them: %s.", left),
                    "warning",
                )
            )
        return self._tell(notes, keep_open=bool(left))

    def _do_revert(self, bills):
        done = bills._revert()
        notes = []
        if done.drafts:
            notes.append((self.env._("Drafts again: %s.", len(done.drafts)), "info"))
        if done.again:
            notes.append(
                (
                    self.env._(
                        "%s are reversed, and drafts again under the same reference.",
                        len(done.again),
                    ),
                    "info",
                )
            )
        if done.left:
            notes.append((self._text_of_left(done.left), "warning"))
        if done.refused:
            notes.append((self.env._("Stay as they are: %s.", len(done.refused)), "warning"))
        return self._tell(notes, done.refused)

    def _text_of_left(self, bills):
        return self.env._(
            "Too many to be reversed at once: %s are left for the next time. Revert again for "
            "them.",
            len(bills),
        )

    def _do_produce(self, bills):
        plan, pages = bills._produce()
        none = bills.browse()
        bills_done = plan.get("produce", none)
        mailed = bills_done.filtered(lambda move: move.delivery_state == "queued")
        notes = [(self.env._("Produced: %s.", len(bills_done)), "info")]
        if mailed:
            notes.append(
                (
                    self.env._(
                        "Of them by e-mail: %s. Each stays in the list until its e-mail is out.",
                        len(mailed),
                    ),
                    "info",
                )
            )
        if busy := plan["busy"]:
            notes.append(
                (
                    self.env._("Somebody else is working on these, try again: %s.", len(busy)),
                    "warning",
                )
            )
        text = bills._delivery_refusals()["no_address"]
        refused = dict.fromkeys(plan.get("no_address", none), text)
        parts = bills._page_parts(pages)
        self._add_parts(parts)
        if parts:  # drawn when it is downloaded: if that fails, the pages must still be here
            notes.append(
                (
                    self.env._(
                        "Download what is to be printed before you close this. It can be "
                        "downloaded again."
                    ),
                    "warning",
                )
            )
        return self._tell(notes, refused, keep_open=bool(parts))

    def _add_parts(self, parts):
        """PDFs that can be downloaded, as often as somebody likes.

        :param list parts: lists of ids
        """
        values, first = [], 1
        for ids in parts:
            last = first + len(ids) - 1
            name = self.env._("Documents %(first)s to %(last)s", first=first, last=last)
            values.append({"name": name, "page_ids": ids})
            first = last + 1
        self.part_ids = [Command.create(vals) for vals in values]

    def _tell(self, notes, refused=None, keep_open=False):
        """The result: in passing, or in the dialog where there is something to read or download."""
        if not refused and not keep_open:
            return self._notification(notes, {"type": "ir.actions.act_window_close"})
        self._set_notes(notes, refused)
        return self._show()

    def _notification(self, notes, following):
        problems = any(kind == "warning" for _text, kind in notes)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": " ".join(text for text, _kind in notes),
                "type": "warning" if problems else "success",
                "sticky": problems,
                "next": following,
            },
        }


class HealthcareBillProductionNote(models.TransientModel):
    """A sentence of the dialog, or a bill that can't be done and why."""

    _name = "healthcare.bill.production.note"
    _description = "Bill Production: Result"
    _order = "sequence, id"

    wizard_id = fields.Many2one(
        "healthcare.bill.production", required=True, ondelete="cascade", index=True
    )
    sequence = fields.Integer()
    kind = fields.Selection(
        [("info", "Info"), ("muted", "Muted"), ("warning", "Warning"), ("danger", "Danger")],
        default="info",
        required=True,
    )
    name = fields.Char(required=True)
    move_id = fields.Many2one("account.move", ondelete="cascade")
    reference = fields.Char(compute="_compute_reference")

    @api.depends("move_id")
    def _compute_reference(self):
        for note in self:
            note.reference = note.move_id._care_reference() if note.move_id else False


class HealthcareBillProductionPart(models.TransientModel):
    """One PDF of many documents; it is drawn when it is downloaded."""

    _name = "healthcare.bill.production.part"
    _description = "Bill Production: PDF"

    wizard_id = fields.Many2one(
        "healthcare.bill.production", required=True, ondelete="cascade", index=True
    )
    name = fields.Char(required=True)
    page_ids = fields.Json(help="Ids of the bills, once for each copy.")

    def action_download(self):
        """Draw the PDF."""
        self.ensure_one()
        moves = self.env["account.move"]
        moves._check_may_process()
        left = set(moves.browse(self.page_ids).exists().ids)
        return moves._print_pages([id_ for id_ in self.page_ids if id_ in left])
