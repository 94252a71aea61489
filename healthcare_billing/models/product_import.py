from odoo import api, models


class ProductTemplate(models.Model):
    """Importing codes of a licensed code set needs the practice's license of it.

    Only imports are asked (``load``, which the import screen and scripts call, sets
    ``_import_current_module``): there a whole list comes in. Whoever types a single code reads
    beside the field that it needs a license. ``load`` tries a refused batch row by row and tells
    each row's error.
    """

    _inherit = "product.template"

    @api.model_create_multi
    def create(self, vals_list):
        templates = super().create(vals_list)
        templates._check_imported_codes()
        return templates

    def write(self, vals):
        before = self._licensed_codes() if self._is_import() else {}
        result = super().write(vals)
        self._check_imported_codes(before)
        return result

    @api.model
    def get_import_templates(self):
        """Among care services: a file with the columns of a service."""
        if not self.env.context.get("default_is_healthcare_service"):
            return super().get_import_templates()
        return [
            {
                "label": self.env._("Import Template for Care Services"),
                "template": "/healthcare_billing/static/import/care_services.csv",
            }
        ]

    @api.model
    def _is_import(self):
        return "_import_current_module" in self.env.context

    def _licensed_codes(self):
        """Services whose code set is licensed.

        :return: ``{template: (company, code system, code)}``
        """
        systems = self.env["healthcare.code.license"]._licensed_systems()
        return {
            template: (
                template.company_id or self.env.company,
                template.code_system,
                template.default_code
                or ", ".join(filter(None, template.product_variant_ids.mapped("default_code"))),
            )
            for template in self
            if template.code_system in systems
        }

    def _check_imported_codes(self, before=()):
        """Refuse what an import brings in unlicensed; what was there before may be updated."""
        if not self._is_import():
            return
        by_company = {}
        for template, (company, system, code) in self._licensed_codes().items():
            if template not in before or before[template][1:] != (system, code):
                by_company.setdefault(company, set()).add(system)
        for company, systems in by_company.items():
            self.env["healthcare.code.license"]._check_import(company, systems)


class ProductProduct(models.Model):
    """Variants get their codes after their templates were made."""

    _inherit = "product.product"

    @api.model_create_multi
    def create(self, vals_list):
        products = super().create(vals_list)
        products.product_tmpl_id._check_imported_codes()
        return products

    def write(self, vals):
        templates = self.product_tmpl_id
        before = templates._licensed_codes() if templates._is_import() else {}
        result = super().write(vals)
        templates._check_imported_codes(before)
        return result
