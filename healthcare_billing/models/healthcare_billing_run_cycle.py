from datetime import date

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .healthcare_appointment import OPEN_STAGES


class HealthcareBillingRun(models.Model):
    """Runs of billing cycles (R13): which drafts they replace, and which lines they credit.

    ============  ==================================================================
    mode          what its rows make
    ============  ==================================================================
    all           the invoices of the scope, in place of its drafts
    new           invoices of what no invoice holds
    resubmission  a credit of just these visits, and their new invoice
    regenerate    the lines of one draft, which stays the same record
    closing       nothing: the drafts of the cycle are posted
    ============  ==================================================================
    """

    _inherit = "healthcare.billing.run"

    cycle_scope = fields.Json(
        readonly=True, copy=False, export_string_translation=False, help="Chosen clients and payers"
    )
    overwrites_edited = fields.Boolean(
        string="Overwrites Invoices Edited by Hand", readonly=True, copy=False
    )
    replaced_move_ids = fields.Many2many(
        "account.move",
        "healthcare_run_replaced_move_rel",
        "run_id",
        "move_id",
        string="Replaced Drafts",
        readonly=True,
        copy=False,
    )
    replaced_marks = fields.Json(
        readonly=True,
        copy=False,
        export_string_translation=False,
        help="When each replaced draft had been changed last, as the preview knew it.",
    )
    kept_move_ids = fields.Many2many(
        "account.move",
        "healthcare_run_kept_move_rel",
        "run_id",
        "move_id",
        string="Edited by Hand, Kept",
        readonly=True,
        copy=False,
    )
    credited_line_ids = fields.Many2many(
        "account.move.line",
        "healthcare_run_credited_line_rel",
        "run_id",
        "line_id",
        string="Credited Lines",
        readonly=True,
        copy=False,
    )
    target_move_id = fields.Many2one(
        "account.move",
        string="Regenerated Draft",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    replaced_count = fields.Integer(compute="_compute_replaced_count", string="Drafts Replaced")
    dropped_count = fields.Integer(
        compute="_compute_replaced_count",
        string="Drafts Deleted",
        help="Drafts that nothing takes the place of: none of their care is billed any more.",
    )

    @api.depends("replaced_move_ids", "line_ids")
    def _compute_replaced_count(self):
        for run in self:
            saved = run._origin
            run.replaced_count = len(saved.replaced_move_ids)
            run.dropped_count = len(saved._drafts_left_over())

    def _engine(self):
        """The engine, seeing as free what this run replaces."""
        engine = super()._engine()
        return engine.with_context(
            healthcare_replacing_run=self.id if self.billing_cycle_id else False,
            healthcare_only_released=self.cycle_mode == "resubmission",
            healthcare_replaced_moves=False,
        )

    # -- planning --------------------------------------------------------------------------------
    def _search_cycle(self):
        """Plan what the cycle would bill now, in the mode and scope of this run."""
        self.ensure_one()
        cycle = self.billing_cycle_id
        cycle._check_open()
        record = self.sudo()  # sudo: see write
        record.invoice_date = cycle.invoice_date
        domain = cycle._charge_domain()
        chosen = self._chosen_domain()
        if self.cycle_mode == "resubmission":
            lines = cycle._lines_to_resubmit(chosen)
            record.credited_line_ids = lines
            domain = Domain("id", "in", lines.charge_id.ids)
        elif self.cycle_mode == "all":
            replaced = self._replace_drafts(cycle._drafts(chosen))
            stages = [*OPEN_STAGES, "draft"]
            # drafts of chosen clients are made again as a whole, whoever else is on them
            domain &= chosen
            domain |= cycle._replaced_care_domain(replaced)
            domain &= Domain("billing_stage", "in", stages)
        else:
            domain &= chosen & Domain("billing_stage", "in", OPEN_STAGES)
        record.charge_domain = _to_json(domain)
        charges = self.env["healthcare.charge"]._find_to_bill(record.charge_domain)
        self._load_plan(self._engine().plan(charges, **self._plan_options()))

    def _chosen_domain(self):
        """Domain of the charges of chosen clients and payers; all if none were."""
        self.ensure_one()
        scope = self.cycle_scope or {}
        domain = Domain.TRUE
        if scope.get("clients"):
            domain &= Domain("client_id", "in", scope["clients"])
        if scope.get("payers"):
            domain &= Domain("payer_id", "in", scope["payers"])
        return domain

    def _replace_drafts(self, drafts):
        """Keep which drafts the run replaces, and which it leaves because somebody edited them.

        :return: the replaced ones
        """
        kept = drafts.browse() if self.overwrites_edited else drafts._edited_by_hand()
        replaced = drafts - kept
        self.sudo().write(  # sudo: see write
            {
                "replaced_move_ids": [fields.Command.set(replaced.ids)],
                "kept_move_ids": [fields.Command.set(kept.ids)],
                "replaced_marks": replaced._change_marks(),
            }
        )
        return replaced

    def _add_marks(self, drafts):
        """The run took lines off these drafts: its other rows still find them as they knew them."""
        self.ensure_one()
        marks = {**(self.replaced_marks or {}), **drafts._change_marks()}
        self.sudo().replaced_marks = marks  # sudo: see write

    def action_search_again(self):
        """Plan a cycle anew: also which drafts there are to replace."""
        if self.cycle_mode not in ("all", "new", "resubmission"):
            return super().action_search_again()
        self._open_preview()
        self._search_cycle()
        return None

    def _changed_drafts(self, moves):
        """Of the drafts that the run replaces, those that were changed since its preview.

        What somebody typed since would be lost without a warning.
        """
        self.ensure_one()
        marks = self.replaced_marks or {}
        return moves.filtered(
            lambda move: move.state == "draft" and str(move.id) in marks
        ).filtered(lambda move: move._change_marks()[str(move.id)] != marks[str(move.id)])

    # -- carrying out ----------------------------------------------------------------------------
    def _goes_to_background(self, row_count=None):
        """Who makes one draft again waits for it: it is what he looks at."""
        return self.cycle_mode != "regenerate" and super()._goes_to_background(row_count)

    def _set_task(self, task):
        """Nothing is done with the invoices of a cycle that is closing or closed (R14)."""
        self._hold_cycle()
        return super()._set_task(task)

    def _hold_cycle(self):
        """Refuse what a closed cycle doesn't allow; closing and this come in turn.

        Whoever closes the cycle with an older snapshot is refused by the database, and tried
        again: then it sees what this made, or that it is under way.
        """
        self.ensure_one()
        cycle = self.billing_cycle_id
        if not cycle or self.cycle_mode == "closing":
            return
        cycle._check_open()
        cycle._touch()

    def action_execute(self):
        """A run may have nothing to bill, and still drafts that must go."""
        self.ensure_one()
        if self.state != "draft" or self.line_count or not self._drafts_left_over():
            return super().action_execute()
        self._begin()
        self._set_task("execute")
        self._finish()
        return self._result_notification()

    def action_undo(self):
        """A draft that was made again can't be what it was before."""
        for run in self:
            if run.cycle_mode == "regenerate":
                raise UserError(
                    self.env._(
                        "A regenerated draft can't be turned back. Regenerate it again, or delete "
                        "it."
                    )
                )
        return super().action_undo()

    def _finish(self):
        """Drafts of the scope of which nothing is billed any more go last."""
        if self.task == "execute" and self.cycle_mode == "all":
            self._delete_left_over()
        return super()._finish()

    def _drafts_left_over(self):
        """Replaced drafts whose care is in no row: it was rejected, say, or moved away."""
        if len(self) != 1 or self.cycle_mode != "all":
            return self.env["account.move"]
        drafts = self.replaced_move_ids.filtered(lambda move: move.state == "draft")
        engine = self._engine()
        return drafts - engine._lines_of_other_rows(drafts, [], self).move_id

    def _delete_left_over(self):
        """Delete them, each for itself; one that was changed since the preview stays."""
        drafts = self._drafts_left_over()
        drafts = drafts.try_lock_for_update(allow_referencing=True)
        changed = self._changed_drafts(drafts)
        engine = self._engine()
        texts = []

        def fail(move, error):
            texts.append(f"{move._care_reference()}: {engine._failure_text(error)}")

        engine._isolate_faults(drafts - changed, engine._drop_drafts, fail)
        texts += [
            self.env._("%s: edited since the preview.", move._care_reference()) for move in changed
        ]
        if texts:
            told = self.env._("These drafts were to be deleted, and stay:")
            self._try_to_tell(lambda: self.message_post(body="\n".join([told, *texts[:20]])))


def _to_json(domain):
    """A domain as JSON keeps it, days as text."""
    return [
        [_plain(part) for part in condition] if isinstance(condition, tuple | list) else condition
        for condition in domain
    ]


def _plain(value):
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Domain):
        return _to_json(value)
    if isinstance(value, tuple | list | set | frozenset) or hasattr(value, "_ids"):
        return [_plain(part) for part in value]
    return value
