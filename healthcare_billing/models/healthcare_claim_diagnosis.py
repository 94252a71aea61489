from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import clean_context


class HealthcareClaimDiagnosis(models.Model):
    """A diagnosis of a claim, in the order of its letters: the first one is the primary."""

    _name = "healthcare.claim.diagnosis"
    _description = "Diagnosis of a Claim"
    _order = "claim_id, sequence, id"
    _rec_name = "diagnosis_id"

    claim_id = fields.Many2one("healthcare.claim", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="claim_id.company_id", store=True, precompute=True)
    sequence = fields.Integer(default=99)
    diagnosis_id = fields.Many2one("healthcare.diagnosis", required=True, ondelete="restrict")
    letter = fields.Char(compute="_compute_letter")

    _claim_diagnosis_unique = models.UniqueIndex(
        "(claim_id, diagnosis_id)", "This diagnosis is on the claim already."
    )

    @api.depends("sequence", "claim_id.diagnosis_line_ids.sequence")
    def _compute_letter(self):
        for claim, lines in self.grouped("claim_id").items():
            letters = claim._diagnosis_letters()
            for line in lines:
                line.letter = letters.get(line.diagnosis_id.id, "")

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        if not self.env.su:
            lines.claim_id._check_editable()
            lines._log_change(self.env._("Diagnosis added: %s"))
        self._forget_letters()
        return lines

    def write(self, vals):
        if not self.env.su:
            self._check_stays(vals)
            self.claim_id._check_editable()
        former = {line: line.diagnosis_id for line in self}
        result = super().write(vals)
        for line in self if "diagnosis_id" in vals else ():
            if former[line] != line.diagnosis_id:
                line._drop_pointers(former[line])
                line.claim_id._log(
                    self.env._(
                        "Diagnosis: %(old)s → %(new)s",
                        old=former[line].code,
                        new=line.diagnosis_id.code,
                    )
                )
        if "sequence" in vals and not self.env.su:
            for claim in self.claim_id:
                codes = claim.diagnosis_line_ids.sorted("sequence").diagnosis_id.mapped("code")
                claim._log(self.env._("Order of diagnoses: %s", ", ".join(codes)))
        self._forget_letters()
        return result

    def _check_stays(self, vals):
        """Moved to another claim, a diagnosis would change one that a payer may have."""
        typed = {"sequence", "diagnosis_id"}
        if any(
            (line[name].id if self._fields[name].relational else line[name]) != value
            for name, value in vals.items()
            if name not in typed
            for line in self
        ):
            raise UserError(
                self.env._(
                    "A diagnosis stays on its claim: take it off there, and add it to the other "
                    "claim."
                )
            )

    def unlink(self):
        if not self.env.su:
            self.claim_id._check_editable()
            self._log_change(self.env._("Diagnosis taken off: %s"))
        for line in self:
            line._drop_pointers(line.diagnosis_id)
        result = super().unlink()
        self._forget_letters()
        return result

    @api.model
    def _forget_letters(self):
        """Other letters, as the order says now."""
        self.env["healthcare.claim.line"].invalidate_model(["pointers"])
        self.invalidate_model(["letter"])

    def _log_change(self, text):
        for claim, lines in self.grouped("claim_id").items():
            claim._log(text % ", ".join(lines.diagnosis_id.mapped("code")))

    def _drop_pointers(self, diagnosis):
        """Lines can't point to what the claim doesn't say any more."""
        # sudo: pointers are written through the lines only
        pointers = (
            self.env["healthcare.claim.pointer"]
            .sudo()
            .with_context(clean_context(self.env.context))
        )
        pointers.search(
            [("line_id.claim_id", "=", self.claim_id.id), ("diagnosis_id", "=", diagnosis.id)]
        ).unlink()
