from odoo import fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command

from .healthcare_claim import FINAL_STATES, IN_FLIGHT_STATES

# Date that a state leaves behind.
STATE_DATES = {
    "submitted": "date_submitted",
    "accepted": "date_accepted",
    "rejected": "date_rejected",
    "paid": "date_paid",
    "closed": "date_closed",
    "canceled": "date_closed",
}
# A later version starts with what this one says.
VERSION_FIELDS = (
    "company_id", "currency_id", "client_id", "payer_id", "responsibility", "coverage_id",
    "billing_account_id", "billing_provider_id", "rendering_provider_id", "place_of_service_id",
    "claim_format", "accept_assignment", "signature_on_file", "benefits_assigned", "related_cause",
    "accident_date", "accident_state_id", "referring_provider", "referring_npi",
    "referring_qualifier", "note",
)  # fmt: skip
LINE_VERSION_FIELDS = (
    "sequence", "service_date", "product_id", "code", "place_of_service_id",
    "rendering_provider_id", "authorization_id", "authorization_number",
)  # fmt: skip
ITEM_VERSION_FIELDS = (
    "charge_id",
    "invoice_line_id",
    "move_id",
    "responsibility",
    "amount",
    "units",
)


def copied_values(record, names):
    """Values of a record's plain fields, as ``create`` takes them."""
    return {
        name: record[name].id if record._fields[name].relational else record[name] for name in names
    }


class HealthcareClaim(models.Model):
    """What the buttons do: the states of a claim, its later versions, and its end."""

    _inherit = "healthcare.claim"

    # -- on the way ------------------------------------------------------------------------------
    def action_submit(self):
        """Mark claims as submitted; refused, for all of them, while one lacks data."""
        self._check_states("awaiting_submission", self.env._("marked as submitted"))
        self._check_complete()
        self._set_state("submitted")

    def action_accept(self):
        """The payer has accepted the claims for processing."""
        self._check_states("submitted", self.env._("accepted"))
        self._set_state("accepted")

    def action_open_reject(self):
        """Ask why the payer rejected or denied the claims."""
        self._check_states(IN_FLIGHT_STATES, self.env._("rejected"))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Rejected by the Payer"),
            "res_model": "healthcare.claim.reject",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_claim_ids": [Command.set(self.ids)], "dialog_size": "medium"},
        }

    def _reject(self, reason):
        """The payer rejected or denied the claims.

        :param str reason: the payer's words
        """
        self._check_states(IN_FLIGHT_STATES, self.env._("rejected"))
        self._set_state("rejected", reject_reason=reason)

    def action_mark_paid(self):
        """The payer has paid; paper claims are paid without having been accepted."""
        self._check_states(IN_FLIGHT_STATES, self.env._("marked as paid"))
        self._set_state("paid")

    def action_step_back(self):
        """Undo a state that was set by mistake: back to the one before."""
        if not self.env.su and not self.env.user.has_group(
            "healthcare_billing.group_billing_manager"
        ):
            raise AccessError(self.env._("Only a billing manager can take a claim a step back."))
        self._check_states((*IN_FLIGHT_STATES, "rejected", "paid"), self.env._("taken back"))
        followed = self.filtered("successor_ids.is_live")[:1]
        if followed:
            raise UserError(self.env._("%s has a later version: cancel that first.", followed.name))
        # sudo: see _set_state
        voided = self.sudo()._voided_until_now()
        voided._check_not_claimed_again()
        for (state, before), claims in self.grouped(
            lambda claim: (claim.state, claim._state_before())
        ).items():
            vals = {"state": before, STATE_DATES[state]: False}
            if state == "rejected":
                vals["reject_reason"] = False
            # sudo: see _set_state
            claims.sudo().write(vals)
        voided._count_again()

    def _state_before(self):
        """The state from which the last button brought this claim to the one that it has."""
        self.ensure_one()
        if self.state == "submitted":
            return "awaiting_submission"
        if self.state != "accepted" and self.date_accepted:
            return "accepted"
        return "submitted"

    def _voided_until_now(self):
        """What these voids closed, and a step back of them opens again."""
        voids = self.filtered(
            lambda claim: (
                claim.frequency == "8" and claim._state_before() not in ("accepted", "paid")
            )
        )
        return voids.origin_claim_id.filtered(lambda claim: claim.voided_by_id in voids)

    def _count_again(self):
        """The payer hasn't taken the voids of these claims after all."""
        texts = {
            claim: self.env._("%s doesn't void this claim any more.", claim.voided_by_id.name)
            for claim in self
        }
        for before, claims in self.grouped("state_before_closing").items():
            claims.write(
                {
                    "state": before,
                    "state_before_closing": False,
                    "voided_by_id": False,
                    "date_closed": False,
                    "close_reason": False,
                }
            )
        self._message_log_batch({claim.id: text for claim, text in texts.items()})
        # its invoice may have been credited in the meantime
        self._follow_invoices(texts)

    def _check_not_claimed_again(self):
        """Charges of closed claims can't be held again once another claim holds them."""
        items = self.item_ids
        rivals = self.env["healthcare.claim.item"].search(
            [("charge_id", "in", items.charge_id.ids), ("claim_live", "=", True)]
        )
        own = {(item.charge_id, item.responsibility) for item in items}
        rival = rivals.filtered(lambda item: (item.charge_id, item.responsibility) in own)[:1]
        if rival:
            raise UserError(
                self.env._(
                    "This care was claimed again by %s: cancel that first.", rival.claim_id.name
                )
            )

    def action_cancel(self):
        """Give up claims that no payer has: their charges can be put on other claims."""
        self._check_states(("awaiting_submission", "rejected"), self.env._("canceled"))
        denied = self.filtered(
            lambda claim: claim.frequency != "8" and claim._is_at_payer(claim.state)
        )[:1]
        if denied:
            raise UserError(
                self.env._(
                    "%s was accepted by the payer before it was denied, so the payer has it: "
                    "resubmit it as a replacement, or void it.",
                    denied.name,
                )
            )
        self._give_up(self.env._("Canceled by hand"))

    def _give_up(self, reason):
        """Let go of charges that no payer has; a claim that was to be replaced counts again.

        :param str reason: kept on the claims
        """
        replacing = self.filtered("is_live").origin_claim_id
        self._set_state("canceled", close_reason=reason)
        # what frees charges is flushed before anything takes them
        self.flush_recordset()
        # sudo: see _set_state
        replacing.sudo().filtered(
            lambda claim: claim.state not in FINAL_STATES
        ).is_superseded = False

    def _check_states(self, states, doing):
        """Refuse claims in another state; holds their rows until the transaction ends.

        :param states: a state, or a tuple of them
        :param str doing: for the message
        """
        self.check_access("write")
        states = (states,) if isinstance(states, str) else states
        # a second click, or another user, waits in vain: the state below is the last one
        if len(self.try_lock_for_update(allow_referencing=True)) < len(self):
            raise UserError(
                self.env._("Another user is working on these claims. Try again in a moment.")
            )
        self.invalidate_recordset(["state"])
        other = self.filtered(lambda claim: claim.state not in states or claim.is_superseded)[:1]
        if other:
            raise UserError(
                self.env._(
                    "%(claim)s is %(state)s, and can't be %(doing)s.",
                    claim=other.name,
                    state=other._state_label(),
                    doing=doing,
                )
            )

    def _set_state(self, state, **values):
        # sudo: a state is no field that is typed; the history names the user all the same
        claims = self.sudo()
        if state in FINAL_STATES:
            for former, members in claims.grouped("state").items():
                members.write({"state_before_closing": former})
        claims.write(
            {"state": state, STATE_DATES[state]: fields.Date.context_today(self), **values}
        )
        if state in ("accepted", "paid"):
            claims._finish_voids()

    def _finish_voids(self):
        """A void that the payer has taken ends the claim that it voids."""
        for claim in self.filtered(lambda claim: claim.frequency == "8"):
            voided = claim.origin_claim_id
            if voided.state not in FINAL_STATES:
                voided._set_state(
                    "closed",
                    close_reason=self.env._("Voided by %s", claim.name),
                    voided_by_id=claim.id,
                )

    # -- later versions --------------------------------------------------------------------------
    def action_resubmit(self):
        """Send rejected claims again, under new control numbers.

        What was rejected before the payer looked into it is an original again; what was accepted
        first, and then denied, is replaced under the payer's number.
        """
        done = self.filtered(lambda claim: claim.is_superseded and claim.state == "rejected")
        claims = self - done
        if claims:
            claims._check_states("rejected", self.env._("resubmitted"))
        claims._check_not_being_voided()
        frequencies = {
            claim: "7" if claim.frequency == "1" and claim.date_accepted else claim.frequency
            for claim in claims
        }
        versions = done._versions("7", "1") | claims._make_versions(frequencies)
        return versions._form_action()

    def action_replace(self):
        """Make replacements (type 7) of claims that the payer has accepted or paid."""
        done = self.filtered("is_superseded")
        claims = self - done
        if claims:
            claims._check_states(("accepted", "paid"), self.env._("replaced"))
        void = claims.filtered(lambda claim: claim.frequency == "8")[:1]
        if void:
            raise UserError(self.env._("%s is a void: it can't be replaced.", void.name))
        claims._check_not_being_voided()
        versions = done._versions("7") | claims._make_versions(dict.fromkeys(claims, "7"))
        return versions._form_action()

    def _check_not_being_voided(self):
        voided = self.filtered(lambda claim: claim._versions("8"))[:1]
        if voided:
            raise UserError(
                self.env._(
                    "%(claim)s is being voided by %(void)s: cancel the void before you send the "
                    "claim again.",
                    claim=voided.name,
                    void=voided._versions("8")[0].name,
                )
            )

    def action_void(self):
        """Make voids (type 8) of claims that the payer has, also of credited invoices."""
        self.check_access("write")
        done = self.filtered(lambda claim: claim._versions("8"))
        claims = self - done
        fresh = claims.filtered(lambda claim: not claim.needs_void)
        if fresh:
            fresh._check_states(("accepted", "rejected", "paid"), self.env._("voided"))
        unknown = fresh.filtered(lambda claim: not claim._is_at_payer(claim.state))[:1]
        if unknown:
            raise UserError(
                self.env._(
                    "%s was rejected before the payer looked into it: there is nothing to void. "
                    "Cancel it instead.",
                    unknown.name,
                )
            )
        if claims.filtered(lambda claim: claim.frequency == "8"):
            raise UserError(self.env._("A void can't be voided. Claim the care anew instead."))
        versions = done._versions("8") | claims._make_versions(dict.fromkeys(claims, "8"))
        return versions._form_action()

    def _versions(self, *frequencies):
        """Later versions of these types that still count."""
        return self.successor_ids.filtered(
            lambda claim: claim.frequency in frequencies and claim.state not in FINAL_STATES
        )

    def _make_versions(self, frequencies):
        """The next versions of these claims: same content, new control numbers.

        A void says what was claimed; the others take over the charges that are still billed.

        :param dict frequencies: ``{claim: 1, 7 or 8}``
        :return: ``healthcare.claim`` recordset, in the order of these claims
        """
        # sudo: claims are made by buttons only, never typed
        claims = self.sudo()
        claims.filtered(lambda claim: frequencies[claim] != "8").is_superseded = True
        # what frees charges is flushed before anything takes them
        self.env.flush_all()
        versions = claims.create(
            [
                {**claim._version_values(frequencies[claim]), "name": number}
                for claim, number in zip(claims, self._draw_numbers(len(claims)), strict=True)
            ]
        )
        empty = versions.filtered(lambda version: not version.line_ids)[:1]
        if empty:
            raise UserError(
                self.env._(
                    "Nothing of %s is billed any more. Void it instead.", empty.origin_claim_id.name
                )
            )
        kinds = dict(self._fields["frequency"]._description_selection(self.env))
        bodies = {}
        for version in versions:
            former = version.origin_claim_id
            again = version.frequency == former.frequency
            bodies[version.id] = self.env._(
                "%(kind)s of %(claim)s.",
                kind=self.env._("Next version") if again else kinds[version.frequency],
                claim=former.name,
            )
            bodies[former.id] = self.env._("Followed by %s.", version.name)
        (versions | claims)._message_log_batch(bodies)
        return versions.with_env(self.env)

    def _version_values(self, frequency):
        """Values of the next version, without its number."""
        self.ensure_one()
        values = copied_values(self, VERSION_FIELDS)
        whole = frequency == "8"
        values.update(
            frequency=frequency,
            origin_claim_id=self.id,
            original_reference=frequency != "1"
            and (self.payer_claim_number or self.original_reference),
            diagnosis_line_ids=[
                Command.create(copied_values(line, ("sequence", "diagnosis_id")))
                for line in self.diagnosis_line_ids
            ],
            line_ids=[
                Command.create(line._version_values(whole))
                for line in self.line_ids
                if whole or line._billed_items()
            ],
        )
        return values


class HealthcareClaimLine(models.Model):
    _inherit = "healthcare.claim.line"

    def _billed_items(self):
        """Charges of the line that an invoice still bills to the payer."""
        return self.item_ids.filtered("invoice_line_id.charge_live")

    def _version_values(self, whole):
        """Values of this line on the next version.

        :param bool whole: with all charges, and not only those that are still billed
        """
        self.ensure_one()
        items = self.item_ids if whole else self._billed_items()
        return {
            **copied_values(self, LINE_VERSION_FIELDS),
            "modifier_ids": [Command.set(self.modifier_ids.ids)],
            "units": sum(items.mapped("units")),
            "amount": sum(items.mapped("amount")),
            "pointer_ids": [
                Command.create(copied_values(pointer, ("sequence", "diagnosis_id")))
                for pointer in self.pointer_ids
            ],
            "item_ids": [
                Command.create(copied_values(item, ITEM_VERSION_FIELDS)) for item in items
            ],
        }
