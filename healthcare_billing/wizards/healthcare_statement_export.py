from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command


class HealthcareStatementExport(models.TransientModel):
    """Which statements are downloaded, and as what. The file is made when it is downloaded."""

    _name = "healthcare.statement.export"
    _description = "Export Statements"

    statement_ids = fields.Many2many(
        "healthcare.statement",
        "healthcare_statement_export_rel",
        string="Statements",
        readonly=True,
    )
    statement_count = fields.Integer(compute="_compute_counts")
    item_count = fields.Integer(compute="_compute_counts")
    format = fields.Selection(
        [("xlsx", "Spreadsheet (XLSX)"), ("csv", "Text (CSV)")], required=True, default="xlsx"
    )

    @api.depends("statement_ids")
    def _compute_counts(self):
        for wizard in self:
            wizard.statement_count = len(wizard.statement_ids)
            wizard.item_count = sum(wizard.statement_ids.mapped("line_count"))

    @api.model
    def _open(self, statements):
        """Dialog for statements.

        :raise UserError: there are none
        """
        statements.check_access("read")
        if not statements:
            raise UserError(self.env._("Select at least one statement."))
        wizard = self.create({"statement_ids": [Command.set(statements.ids)]})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Export Statements"),
            "res_model": self._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
        }

    def action_download(self):
        """Download the file."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"/healthcare_billing/statements/{self.id}/{self.format}",
            "target": "download",
        }
