import hashlib
from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..models.claim_builder import LEFT_OUT_REASONS
from ..models.healthcare_claim import CLAIM_RESPONSIBILITIES


class HealthcareClaimPreview(models.TransientModel):
    """The claims that invoices would make, and what is left out, before anything is created.

    The builder plans; this shows the plan, and creates exactly what it showed.
    """

    _name = "healthcare.claim.preview"
    _description = "Claims to Be"

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, readonly=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    move_ids = fields.Many2many("account.move", string="Invoices", readonly=True)
    line_ids = fields.One2many("healthcare.claim.preview.line", "preview_id", readonly=True)
    exclusion_ids = fields.One2many(
        "healthcare.claim.preview.exclusion", "preview_id", readonly=True
    )
    invoice_count = fields.Integer(readonly=True)
    claim_count = fields.Integer(readonly=True)
    item_count = fields.Integer(readonly=True)
    amount_total = fields.Monetary(string="Claimed", readonly=True)
    left_out_count = fields.Integer(readonly=True)
    amount_left_out = fields.Monetary(string="Left out", readonly=True)
    can_group = fields.Boolean(
        readonly=True, help="Some invoices are split by code and could be one claim."
    )
    can_split = fields.Boolean(readonly=True, help="Some invoices are grouped into one claim.")
    mark = fields.Char(readonly=True, help="Identifies what was shown.")
    claim_ids = fields.Many2many("healthcare.claim", string="Created", readonly=True)

    # -- show ------------------------------------------------------------------------------------
    @api.model
    def _open(self, moves):
        """Plan invoices, and open the preview.

        :param moves: ``account.move`` recordset
        :return: window action
        """
        if not moves:
            raise UserError(self.env._("Choose invoices first."))
        preview = self.create({"move_ids": [Command.set(moves.ids)]})
        preview._show_plan(preview._plan())
        return preview._action()

    def _action(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Add to Claims Awaiting Submission"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
            "context": {"dialog_size": "extra-large"},
        }

    def _plan(self):
        return self.env["healthcare.claim.builder"].plan(self.move_ids)

    def _show_plan(self, plan):
        """Write down a plan: rows, and totals over all of them."""
        currencies = {c.id: c for c in self.env["res.currency"].browse(
            {claim.currency_id for claim in plan.claims}
        )}  # fmt: skip
        today = fields.Date.context_today(self)

        def in_company_currency(claim):
            currency = currencies[claim.currency_id]
            return currency._convert(claim.amount, self.currency_id, self.company_id, today)

        left_out = defaultdict(list)
        for out in plan.left_out:
            left_out[out.move_id, out.reason, out.claim_id].append(out.amount)
        split = {claim.move_id for claim in plan.claims if "code" in claim.reasons}
        grouped = self.move_ids.filtered("group_single_claim")
        # sudo: what is shown is the plan's, and no user's to write
        self.sudo().write(
            {
                "line_ids": [
                    Command.clear(),
                    *(Command.create(self._line_values(claim)) for claim in plan.claims),
                ],
                "exclusion_ids": [
                    Command.clear(),
                    *(
                        Command.create(
                            {
                                "move_id": move_id,
                                "reason": reason,
                                "claim_id": claim_id,
                                "item_count": len(amounts),
                                "amount": sum(amounts),
                            }
                        )
                        for (move_id, reason, claim_id), amounts in left_out.items()
                    ),
                ],
                "invoice_count": len({claim.move_id for claim in plan.claims}),
                "claim_count": len(plan.claims),
                "item_count": sum(len(claim.charge_ids) for claim in plan.claims),
                "amount_total": sum(in_company_currency(claim) for claim in plan.claims),
                "left_out_count": len(plan.left_out),
                "amount_left_out": sum(out.amount for out in plan.left_out),
                "can_group": bool(split),
                "can_split": any(not move.claim_state for move in grouped),
                "mark": self._mark(plan),
            }
        )

    @api.model
    def _line_values(self, claim):
        days = [line.service_date for line in claim.lines]
        providers = dict.fromkeys(line.rendering_provider_id for line in claim.lines)
        return {
            "move_id": claim.move_id,
            "client_id": claim.client_id,
            "payer_id": claim.payer_id,
            "responsibility": claim.responsibility,
            "coverage_id": claim.coverage_id,
            "currency_id": claim.currency_id,
            "rendering_provider_id": next(iter(providers)),
            "codes": ", ".join(claim.codes),
            "service_date_from": min(days),
            "service_date_to": max(days),
            "line_count": len(claim.lines),
            "diagnosis_count": len(claim.diagnosis_ids),
            "amount": claim.amount,
            "why_apart": self._why_apart(claim),
        }

    @api.model
    def _why_apart(self, claim):
        """Why a claim isn't one with the rest of its invoice, in words."""
        texts = {
            "coverage_id": self.env._("coverage"),
            "billing_provider_id": self.env._("billing provider"),
            "code": self.env._("code"),
            "provider": self.env._("provider"),
            "place": self.env._("place of service"),
            "authorization": self.env._("authorization"),
            "full": self.env._("no more room"),
        }
        return ", ".join(texts.get(reason, reason) for reason in claim.reasons)

    @api.model
    def _mark(self, plan):
        shown = [(claim.move_id, claim.charge_ids, claim.amount) for claim in plan.claims]
        return hashlib.sha256(repr(shown).encode()).hexdigest()

    # -- decide ----------------------------------------------------------------------------------
    def action_group(self):
        """One claim for all appointments of each invoice that has no claim yet."""
        return self._regroup(True)

    def action_split(self):
        """One claim per code, for the invoices that have no claim yet."""
        return self._regroup(False)

    def _regroup(self, group_single_claim):
        self.ensure_one()
        self.move_ids.filtered(
            lambda move: not move.claim_state and move.group_single_claim != group_single_claim
        ).group_single_claim = group_single_claim
        self._show_plan(self._plan())
        return self._action()

    def action_create(self):
        """Create the claims that were shown, and open them; a second click opens them again.

        :raise UserError: the invoices would make other claims by now
        """
        self.ensure_one()
        if not self.claim_ids:
            plan = self._plan()
            if self._mark(plan) != self.mark:
                raise UserError(
                    self.env._(
                        "The invoices have changed: look again. Close this, and add them to the "
                        "claims once more."
                    )
                )
            claims = self.env["healthcare.claim.builder"].create_claims(plan)
            self.claim_ids = claims
        return self.claim_ids._form_action()


class HealthcareClaimPreviewLine(models.TransientModel):
    """A claim to be."""

    _name = "healthcare.claim.preview.line"
    _description = "Claim to Be"
    _order = "preview_id, id"
    _rec_name = "client_id"

    preview_id = fields.Many2one(
        "healthcare.claim.preview", required=True, index=True, ondelete="cascade"
    )
    move_id = fields.Many2one("account.move", string="Invoice", ondelete="cascade")
    client_id = fields.Many2one("res.partner")
    payer_id = fields.Many2one("res.partner")
    responsibility = fields.Selection(CLAIM_RESPONSIBILITIES, string="Claimed from")
    coverage_id = fields.Many2one("healthcare.coverage")
    currency_id = fields.Many2one("res.currency")
    rendering_provider_id = fields.Many2one("hr.employee", string="Provider")
    codes = fields.Char()
    service_date_from = fields.Date(string="Care From")
    service_date_to = fields.Date(string="Care To")
    line_count = fields.Integer(string="Lines")
    diagnosis_count = fields.Integer(string="Diagnoses")
    amount = fields.Monetary(string="Claimed")
    why_apart = fields.Char(
        string="Split by", help="What keeps it from being one claim with the rest of the invoice."
    )


class HealthcareClaimPreviewExclusion(models.TransientModel):
    """What of an invoice goes on no claim, and why."""

    _name = "healthcare.claim.preview.exclusion"
    _description = "Left Out of Claims"
    _order = "preview_id, reason, id"
    _rec_name = "move_id"

    preview_id = fields.Many2one(
        "healthcare.claim.preview", required=True, index=True, ondelete="cascade"
    )
    move_id = fields.Many2one("account.move", string="Invoice", ondelete="cascade")
    currency_id = fields.Many2one(related="move_id.currency_id")
    reason = fields.Selection(LEFT_OUT_REASONS)
    claim_id = fields.Many2one("healthcare.claim")
    item_count = fields.Integer(string="Items")
    amount = fields.Monetary()
