from odoo import SUPERUSER_ID, api, models
from odoo.tools import clean_context


class HealthcareGuardedMixin(models.AbstractModel):
    """Fields that the caller may not give, as values or as defaults.

    A check of what ``create`` is given doesn't see defaults: those of the context, which any
    client can send, and those that users keep for themselves.
    """

    _name = "healthcare.guarded.mixin"
    _description = "Guarded Defaults"

    @api.model
    def _guarded_names(self):
        """Names of the fields whose defaults the present user doesn't decide.

        :rtype: set
        """
        return set()

    @api.model
    def default_get(self, fields):
        """Guarded fields have the defaults of the model and the practice, whoever asks."""
        guarded = self._guarded_names().intersection(fields)
        if not guarded:
            return super().default_get(fields)
        defaults = super().default_get([name for name in fields if name not in guarded])
        neutral = self.with_user(SUPERUSER_ID).with_context(clean_context(self.env.context))
        return defaults | super(HealthcareGuardedMixin, neutral).default_get(list(guarded))
