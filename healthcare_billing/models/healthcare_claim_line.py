import re

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command

from .healthcare_charge import MAX_DIAGNOSES, MAX_MODIFIERS

LETTERS = "ABCDEFGHIJKL"
# What a biller corrects on a line. Code, units and amount are the invoice's.
LINE_TYPED_FIELDS = {
    "modifier_ids", "pointers", "authorization_number", "place_of_service_id",
    "rendering_provider_id",
}  # fmt: skip


class HealthcareClaim(models.Model):
    _inherit = "healthcare.claim"

    def _diagnosis_letters(self):
        """Letters by which lines point to the claim's diagnoses.

        :return: ``{diagnosis id: letter}``
        """
        self.ensure_one()
        ordered = self.diagnosis_line_ids.sorted(lambda line: (line.sequence, line._origin.id))
        return {
            line.diagnosis_id.id: letter for line, letter in zip(ordered, LETTERS, strict=False)
        }


class HealthcareClaimLine(models.Model):
    """One service on a claim: a charge, or several identical ones where the payer merges them.

    What stands here is what the payer is told. Modifiers, pointers and numbers start as the
    charge's and are corrected here, without changing the charge or its service.
    """

    _name = "healthcare.claim.line"
    _description = "Claim Line"
    _order = "claim_id, sequence, id"
    _rec_name = "code"
    _check_company_auto = True

    claim_id = fields.Many2one(
        "healthcare.claim", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="claim_id.company_id", store=True, precompute=True)
    currency_id = fields.Many2one(related="claim_id.currency_id")
    claim_is_editable = fields.Boolean(related="claim_id.is_editable", string="Claim Editable")
    sequence = fields.Integer(default=10)
    item_ids = fields.One2many("healthcare.claim.item", "line_id", string="Charges", readonly=True)
    service_date = fields.Date(required=True, readonly=True)
    product_id = fields.Many2one(
        "product.product", string="Service", readonly=True, ondelete="restrict"
    )
    code = fields.Char(readonly=True)
    modifier_ids = fields.Many2many(
        "healthcare.modifier",
        string="Modifiers",
        help="At most four. They start as the service's, and a change here changes no service.",
    )
    pointer_ids = fields.One2many(
        "healthcare.claim.pointer", "line_id", string="Diagnoses of the Line", readonly=True
    )
    pointers = fields.Char(
        compute="_compute_pointers",
        inverse="_inverse_pointers",
        help="Letters of the claim's diagnoses, at most four, the most important one first: AC.",
    )
    place_of_service_id = fields.Many2one(
        "healthcare.place.of.service", string="Place of Service", ondelete="restrict"
    )
    rendering_provider_id = fields.Many2one(
        "hr.employee",
        string="Provider",
        ondelete="restrict",
        check_company=True,
        domain="[('is_rendering_provider', '=', True)]",
    )
    authorization_id = fields.Many2one(
        "healthcare.authorization", readonly=True, ondelete="restrict"
    )
    authorization_number = fields.Char(
        compute="_compute_authorization_number",
        store=True,
        readonly=False,
        precompute=True,
    )
    units = fields.Float(digits=(16, 2), readonly=True)
    amount = fields.Monetary(readonly=True)

    @api.depends("authorization_id")
    def _compute_authorization_number(self):
        for line in self:
            line.authorization_number = line.authorization_id.number

    # Not on the claim's diagnoses: a form in which they are put in another order would send back
    # new letters together with the new order. ``healthcare.claim.diagnosis`` invalidates them.
    @api.depends("pointer_ids.diagnosis_id", "pointer_ids.sequence")
    def _compute_pointers(self):
        for claim, lines in self.grouped("claim_id").items():
            letters = claim._diagnosis_letters()
            for line in lines:
                line.pointers = "".join(
                    letters.get(pointer.diagnosis_id.id, "") for pointer in line.pointer_ids
                )

    def _inverse_pointers(self):
        for line in self:
            diagnoses = {
                letter: diagnosis_id
                for diagnosis_id, letter in line.claim_id._diagnosis_letters().items()
            }
            letters = re.sub(r"[\s,;]", "", (line.pointers or "").upper())
            if len(letters) > MAX_DIAGNOSES or len(set(letters)) < len(letters):
                raise ValidationError(
                    self.env._(
                        "“%(letters)s”: a line points to at most %(number)s diagnoses, each once.",
                        letters=line.pointers,
                        number=MAX_DIAGNOSES,
                    )
                )
            if not set(letters) <= set(diagnoses):
                raise ValidationError(
                    self.env._(
                        "“%(letters)s”: this claim has the diagnoses %(known)s. Add the diagnosis "
                        "to the claim first.",
                        letters=line.pointers,
                        known=", ".join(sorted(diagnoses)) or self.env._("(none)"),
                    )
                )
            # sudo: pointers are written here only
            line.sudo().pointer_ids = [
                Command.clear(),
                *(
                    Command.create({"sequence": n, "diagnosis_id": diagnoses[letter]})
                    for n, letter in enumerate(letters, 1)
                ),
            ]

    @api.constrains("modifier_ids")
    def _check_modifiers(self):
        for line in self:
            if len(line.modifier_ids) > MAX_MODIFIERS:
                raise ValidationError(
                    self.env._("A claim line has at most %s modifiers.", MAX_MODIFIERS)
                )

    # -- corrections -----------------------------------------------------------------------------
    def write(self, vals):
        if self.env.su:
            return super().write(vals)
        names = {name for name in vals if not self._is_unchanged(name, vals[name])}
        if names - LINE_TYPED_FIELDS - {"sequence"}:
            raise UserError(
                self.env._("Code, units and amounts of a claim are those of its invoice.")
            )
        if names:
            self.claim_id._check_editable()
        former = {line: line._told() for line in self}
        result = super().write({name: vals[name] for name in names})
        self._log_corrections(former)
        return result

    def _is_unchanged(self, name, value):
        """Whether a form sends back what is there anyway."""
        field = self._fields[name]
        if field.type in ("many2many", "one2many"):
            return False
        return all((line[name].id if field.relational else line[name]) == value for line in self)

    def _told(self):
        """What can be corrected, in words.

        :return: ``{label: text}``
        """
        self.ensure_one()
        return {
            self.env._("Modifiers"): ", ".join(self.modifier_ids.mapped("code")),
            self.env._("Diagnoses"): self.pointers or "",
            self.env._("Authorization"): self.authorization_number or "",
            self.env._("Place of service"): self.place_of_service_id.code or "",
            self.env._("Provider"): self.rendering_provider_id.name or "",
        }

    def _log_corrections(self, former):
        """Say on the claim who changed what from what to what."""
        bodies = {}
        for line, before in former.items():
            for label, new in line._told().items():
                if new != before[label]:
                    bodies.setdefault(line.claim_id, []).append(
                        self.env._(
                            "%(code)s of %(day)s, %(what)s: %(old)s → %(new)s",
                            code=line.code or line.product_id.name,
                            day=fields.Date.to_string(line.service_date),
                            what=label,
                            old=before[label] or "–",
                            new=new or "–",
                        )
                    )
        for claim, texts in bodies.items():
            claim._log("; ".join(texts))


class HealthcareClaimPointer(models.Model):
    """A diagnosis that a claim line points to; the order matters, so it is no plain relation."""

    _name = "healthcare.claim.pointer"
    _description = "Diagnosis of a Claim Line"
    _order = "line_id, sequence, id"
    _rec_name = "diagnosis_id"

    line_id = fields.Many2one(
        "healthcare.claim.line", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="line_id.company_id", store=True, precompute=True)
    sequence = fields.Integer()
    diagnosis_id = fields.Many2one("healthcare.diagnosis", required=True, ondelete="restrict")

    _line_diagnosis_unique = models.UniqueIndex(
        "(line_id, diagnosis_id)", "A claim line points to a diagnosis once."
    )
