from odoo import api, models
from odoo.exceptions import UserError

# What a biller types on a claim that is not in flight.
TYPED_FIELDS = {
    "accept_assignment", "accident_date", "accident_state_id", "authorization_number",
    "benefits_assigned", "billing_provider_id", "coverage_id", "diagnosis_line_ids", "line_ids",
    "note", "original_reference", "place_of_service_id", "referring_npi", "referring_provider",
    "referring_qualifier", "related_cause", "rendering_provider_id", "signature_on_file",
}  # fmt: skip
# What a biller types whenever the payer tells it.
ALWAYS_TYPED_FIELDS = {"payer_claim_number"}
# Header fields that the lines repeat, because a line may differ from the rest.
LINE_DEFAULTS = ("rendering_provider_id", "place_of_service_id")


class HealthcareClaim(models.Model):
    """Who may change what of a claim, and when."""

    _inherit = "healthcare.claim"

    @api.model_create_multi
    def create(self, vals_list):
        claims = super().create(vals_list)
        # made below lines that were made below claims, items stand in the cache twice
        claims.invalidate_recordset(["item_ids"])
        return claims

    def write(self, vals):
        """Billers type what ``TYPED_FIELDS`` says; states and charges come from buttons."""
        if not self.env.su:
            self._check_may_write(vals)
        former = {claim: {name: claim[name] for name in LINE_DEFAULTS} for claim in self}
        result = super().write(vals)
        for name in LINE_DEFAULTS:
            if name in vals:
                self._pass_on_to_lines(name, former)
        if "billing_provider_id" in vals and not self.env.su:
            # the choice is the client's default from now on, as on the billing account itself
            self.billing_account_id.billing_provider_id = vals["billing_provider_id"]
        return result

    def _check_may_write(self, vals):
        own = {name for name in vals if self._fields[name]._module == "healthcare_billing"}
        if not own <= TYPED_FIELDS | ALWAYS_TYPED_FIELDS:
            raise UserError(
                self.env._(
                    "What a claim holds, and its state, follow from its invoice and buttons."
                )
            )
        if own - ALWAYS_TYPED_FIELDS:
            self._check_editable()

    def _check_editable(self):
        locked = self.filtered(lambda claim: not claim.is_editable)[:1]
        if locked:
            raise UserError(
                self.env._(
                    "%(claim)s is %(state)s and can't be changed now. A claim can be changed "
                    "before it is submitted, and after the payer has rejected or paid it.",
                    claim=locked.name,
                    state=locked._state_label(),
                )
            )

    def _pass_on_to_lines(self, name, former):
        for claim in self:
            claim.line_ids.filtered(lambda line, claim=claim: line[name] == former[claim][name])[
                name
            ] = claim[name]

    def _state_label(self):
        self.ensure_one()
        labels = dict(self._fields["state"]._description_selection(self.env))
        label = labels[self.state]
        if self.is_superseded:
            return self.env._("%s, followed by a later version", label)
        return label

    def copy_data(self, default=None):
        if self:
            self._refuse_copy()
        return super().copy_data(default)

    def _refuse_copy(self):
        raise UserError(self.env._("A claim can't be copied: its charges can be claimed once."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(
            self.env._("Claims are kept, with their control numbers. Cancel the claim instead.")
        )
