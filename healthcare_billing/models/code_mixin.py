from odoo import api, fields, models


class HealthcareCodeMixin(models.AbstractModel):
    """One row of a code set: found by code or name, shown as "code – name", retired by archiving.

    Codes are unique over archived rows too: a code that comes back is restored, so that old
    documents and new ones name the same record.
    """

    _name = "healthcare.code.mixin"
    _description = "Row of a Care Code Set"
    _order = "code, id"
    _rec_names_search = ("code", "name")

    code = fields.Char(required=True, index="trigram")
    name = fields.Char(required=True)
    active = fields.Boolean(default=True)

    _code_uniq = models.Constraint("UNIQUE (code)", "This code exists already (maybe archived).")

    @api.depends("code", "name")
    def _compute_display_name(self):
        for record in self:
            record.display_name = " – ".join(filter(None, (record.code, record.name)))

    def copy_data(self, default=None):
        """A code is unique: its copy gets a marked one."""
        vals_list = super().copy_data(default=default)
        if default and "code" in default:
            return vals_list
        return [
            dict(vals, code=self.env._("%s (copy)", record.code))
            for record, vals in zip(self, vals_list, strict=True)
        ]
