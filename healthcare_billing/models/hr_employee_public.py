from odoo import fields, models


class HrEmployeePublic(models.Model):
    """The care provider's claim data, for everyone who may not read private employee data.

    This model is an SQL view over hr.employee that takes a column for each stored field here, and
    is created again whenever a module that extends it is installed or updated. A field of
    hr.employee without its twin here can't be searched or read by billers at all.
    """

    _inherit = "hr.employee.public"

    is_rendering_provider = fields.Boolean("Rendering Provider", readonly=True)
    npi = fields.Char("NPI", readonly=True)
    taxonomy_code = fields.Char(readonly=True)
    credentials = fields.Char(readonly=True)
    cpt_access = fields.Boolean("CPT Code Access", readonly=True)
