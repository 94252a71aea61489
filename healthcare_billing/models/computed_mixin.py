from odoo import models
from odoo.exceptions import UserError


class HealthcareComputedMixin(models.AbstractModel):
    """What is computed stays computed: the ORM lets any client write stored read-only fields.

    Computing itself doesn't go through ``write``.
    """

    _name = "healthcare.computed.mixin"
    _description = "Computed Fields That Nobody Writes"

    def write(self, vals):
        if not self.env.su:
            self._check_not_computed(vals)
        return super().write(vals)

    def _check_not_computed(self, vals):
        """Refuse other values of stored computed fields of this addon."""
        for name, value in vals.items():
            field = self._fields.get(name)
            if field and field._module == "healthcare_billing" and self._is_only_computed(field):
                wanted = field.convert_to_cache(value, self[:1], validate=False)
                if any(field.convert_to_cache(record[name], record) != wanted for record in self):
                    raise UserError(
                        self.env._(
                            "“%(field)s” is computed, and can't be written.",
                            field=field._description_string(self.env),
                        )
                    )

    def _is_only_computed(self, field):
        return bool(field.store and field.compute and field.readonly)
