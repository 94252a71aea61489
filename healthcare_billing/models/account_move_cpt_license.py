from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL


class AccountMove(models.Model):
    """R8 at posting: whatever the door, no invoice of CPT-coded care without a paid license.

    Credit notes are never stopped. The rule holds whether the station *CPT Licenses* is switched
    on or not: the station only shows or hides the menus, and without CPT-coded services nobody
    needs a license.
    """

    _inherit = "account.move"

    cpt_license_count = fields.Integer(
        "CPT Licenses", compute="_compute_cpt_license_count", groups="base.group_user"
    )

    @api.depends("invoice_line_ids.cpt_license_id")
    def _compute_cpt_license_count(self):
        counts = dict(
            self.env["account.move.line"]._read_group(
                [("move_id", "in", self.ids), ("cpt_license_id", "!=", False)],
                ["move_id"],
                ["cpt_license_id:count_distinct"],
            )
        )
        for move in self:
            move.cpt_license_count = counts.get(move._origin, 0)

    def action_view_cpt_licenses(self):
        """Open the licenses on this vendor bill."""
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(
                "healthcare_billing.healthcare_cpt_license_action"
            ),
            "domain": [("id", "in", self.invoice_line_ids.cpt_license_id.ids)],
            "context": {"create": False},
        }

    def _post(self, soft=True):
        """Core posts future invoices later when ``soft``: then they are asked on that day."""
        to_post = self
        if soft:
            today = fields.Date.context_today(self)
            to_post = self.filtered(lambda move: not move.date or move.date <= today)
        to_post._check_cpt_licenses()
        return super()._post(soft)

    def _check_cpt_licenses(self):
        """One question for all these invoices, and one answer that names them all."""
        missing = self._missing_cpt_licenses()
        if not missing:
            return
        # sudo: of the employees only names get out, which stand on the invoices, too
        employees = self.env["hr.employee"].sudo()
        lines = [
            self.env._(
                "%(invoice)s: %(provider)s, %(year)s",
                invoice=self.browse(move_id)._care_reference(),
                provider=employees.browse(employee_id).name,
                year=year,
            )
            for move_id, lacking in missing.items()
            for employee_id, year in lacking
        ]
        raise UserError(
            self.env._(
                "A rendering provider of CPT-coded care needs a paid CPT license. Assign and pay "
                "it, then post again.\n%s",
                "\n".join(lines),
            )
        )

    def _missing_cpt_licenses(self):
        """Which licenses keep these invoices from being posted, in one query for all of them.

        :return: ``{move id: [(employee id, year), …]}``, only invoices that lack one
        """
        invoices = self.filtered(lambda move: move.move_type == "out_invoice")
        if not invoices.ids:
            return {}
        self._flush_for_licenses()
        licenses = self.env["healthcare.cpt.license"]
        year = licenses._license_year_sql(
            SQL("co"),
            SQL("c.service_date"),
            SQL(
                "COALESCE(%s, m.invoice_date, %s::date)",
                self._first_billed_on_sql(SQL("m")),
                fields.Date.context_today(self),
            ),
        )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT m.id, e.id, %(year)s
                  FROM account_move_line l
                  JOIN account_move m ON m.id = l.move_id
                  JOIN res_company co ON co.id = m.company_id
                  JOIN healthcare_charge c ON c.id = l.charge_id AND %(bills_care)s
                  JOIN hr_employee e ON e.id = c.employee_id AND e.is_rendering_provider
                 WHERE l.move_id = ANY(%(ids)s)
                   AND EXISTS (
                       SELECT 1
                         FROM product_product pp
                         JOIN product_template pt ON pt.id = pp.product_tmpl_id
                        WHERE pp.id IN (c.product_id, l.product_id) AND pt.code_system = 'cpt'
                   )
                   AND %(lacks)s
              ORDER BY 1, 2, 3
                """,
                year=year,
                ids=invoices.ids,
                bills_care=licenses._bills_care_sql(SQL("c")),
                lacks=licenses._lacks_license_sql(SQL("e.id"), year),
            )
        )
        missing = {}
        for move_id, employee_id, license_year in rows:
            missing.setdefault(move_id, []).append((employee_id, license_year))
        return missing

    def _flush_for_licenses(self):
        """What the question reads must be in the database."""
        for model, names in (
            ("account.move", ["invoice_date", "company_id", "rebill_of_id"]),
            ("account.move.line", ["move_id", "charge_id", "product_id"]),
            ("healthcare.charge", ["kind", "employee_id", "product_id", "service_date"]),
            ("hr.employee", ["is_rendering_provider"]),
            ("product.template", ["code_system"]),
            ("res.company", ["healthcare_license_date"]),
            ("healthcare.cpt.license", ["employee_id", "year", "state"]),
        ):
            self.env[model].flush_model(names)

    def _get_alerts(self):
        """Tell at save what posting would refuse, with the button that mends it."""
        alerts = super()._get_alerts()
        if self.state != "draft" or self.move_type != "out_invoice":
            return alerts
        # sudo: a setting of the care on it; the reader may have no right on charges
        missing = self._origin._missing_cpt_licenses().get(self._origin.id)
        if missing:
            alerts["healthcare_missing_license"] = self._license_alert(missing)
        elif self._has_cpt_without_provider():
            alerts["healthcare_cpt_without_provider"] = {
                "level": "info",
                "message": self.env._(
                    "A CPT-coded service was put on this invoice by hand. It belongs to no "
                    "appointment, so nobody knows who gave the care, and no CPT license is checked."
                ),
            }
        return alerts

    def _license_alert(self, missing):
        """The alert for missing licenses; its button is only for those who may assign one.

        :param missing: list of ``(employee id, year)``
        """
        employee_id, year = missing[0]
        # sudo: only names get out, which stand on the invoice, too
        employees = self.env["hr.employee"].sudo()
        licenses = self.env["healthcare.cpt.license"]
        alert = {
            "level": "warning",
            "message": self.env._(
                "It can't be posted yet. These care providers need a paid CPT license: %s.",
                ", ".join(f"{employees.browse(id_).name} ({year})" for id_, year in missing),
            ),
        }
        if licenses.has_access("write"):
            alert["action_text"] = self.env._("Assign or pay")
            alert["action"] = licenses._mend_action(
                self.env["hr.employee"].browse(employee_id), year
            )
        return alert

    def _has_cpt_without_provider(self):
        """Whether a CPT-coded service is on a line of no charge, so that no provider is known."""
        lines = self.invoice_line_ids.filtered(lambda line: not line.charge_id)
        return "cpt" in lines.product_id.mapped("code_system")


class AccountMoveLine(models.Model):
    """The link between a vendor bill and the licenses on it."""

    _inherit = "account.move.line"

    cpt_license_id = fields.Many2one(
        "healthcare.cpt.license",
        string="CPT License",
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        groups="base.group_user",
    )

    _cpt_license_once = models.UniqueIndex(
        "(cpt_license_id) WHERE cpt_license_id IS NOT NULL AND parent_state <> 'cancel'",
        "This CPT license is already on another vendor bill. Refresh the page.",
    )

    @api.constrains("cpt_license_id")
    def _check_cpt_license_id(self):
        """A license is paid by its bill: not by any document that somebody links to it."""
        for line in self.filtered("cpt_license_id"):
            cpt_license = line.cpt_license_id
            if line.move_id.move_type != "in_invoice" or line.company_id != cpt_license.company_id:
                raise ValidationError(
                    self.env._("CPT licenses are billed on vendor bills of their own company.")
                )
            cpt_license.sudo(False).check_access("write")  # constraints run as superuser

    def _copy_data_extend_business_fields(self, values):
        """Core calls this for reversals, too: a vendor's credit note names the lines it credits."""
        result = super()._copy_data_extend_business_fields(values)
        credits = self.cpt_license_id or self.credit_of_line_id
        if credits and "move_reverse_cancel" in self.env.context:  # only set while reversing
            values["credit_of_line_id"] = self.id
        return result

    def _gives_license_back(self):
        """Whether posted credit notes take back all of this line of a vendor bill."""
        self.ensure_one()
        credited = sum(
            abs(line.price_subtotal)
            for line in self.credited_by_line_ids
            if line.parent_state == "posted" and not line._gives_license_back()
        )
        currency = self.currency_id or self.company_id.currency_id
        return not currency.is_zero(credited) and (
            currency.compare_amounts(credited, abs(self.price_subtotal)) >= 0
        )
