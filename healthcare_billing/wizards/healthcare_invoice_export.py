from collections import defaultdict

import pytz

from odoo import api, fields, models
from odoo.exceptions import RedirectWarning, UserError
from odoo.fields import Command
from odoo.tools import format_date, split_every

from ..tools.csv_file import csv_file

# How many invoices are drawn into one PDF: more take longer than a browser waits.
PDF_PART = 100
# Columns of a payer's file, in their order. docs/payer-file.md says what each holds.
PAYER_FILE_COLUMNS = (
    "payer_id", "payer_name", "member_id", "client_reference", "service_date", "start", "stop",
    "units", "activity_code", "service_code", "amount", "currency", "invoice_reference",
    "invoice_number", "visit_number",
)  # fmt: skip


class HealthcareInvoiceExport(models.TransientModel):
    """Invoices as PDF, spreadsheet, or a file per payer; nothing is kept, nothing is changed."""

    _name = "healthcare.invoice.export"
    _description = "Export Invoices"

    cycle_id = fields.Many2one("healthcare.billing.cycle", ondelete="cascade", readonly=True)
    move_ids = fields.Many2many(
        "account.move", "healthcare_invoice_export_move_rel", string="Invoices", readonly=True
    )
    move_count = fields.Integer(compute="_compute_counts", string="Invoices in Total")
    payer_count = fields.Integer(compute="_compute_counts", string="Payers with Files")
    format = fields.Selection(
        [("pdf", "PDF"), ("xlsx", "Spreadsheet (XLSX)"), ("payer_file", "Payer Files (CSV)")],
        required=True,
        default="pdf",
    )
    part_ids = fields.One2many("healthcare.invoice.export.part", "wizard_id", readonly=True)
    left_out_count = fields.Integer(
        compute="_compute_counts", string="Drafts Left Out", help="They have no legal number yet."
    )

    @api.model
    def _open(self, moves, cycle=None):
        """Dialog for invoices.

        :param moves: ``account.move`` recordset
        :param cycle: the billing cycle that is exported as a whole
        :return: window action
        """
        self.env["account.move"]._check_may_process()
        moves = moves.filtered(lambda move: move.state != "cancel")
        if not moves:
            raise UserError(self.env._("There is nothing to export."))
        moves.check_access("read")
        wizard = self.create(
            {"move_ids": [Command.set(moves.ids)], "cycle_id": cycle.id if cycle else False}
        )
        return wizard._show()

    def _show(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Export"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
        }

    @api.depends("move_ids")
    def _compute_counts(self):
        for wizard in self:
            wizard.move_count = len(wizard.move_ids)
            moves = wizard._moves_of_files()
            wizard.payer_count = len(moves.partner_id)
            wizard.left_out_count = len(moves.filtered(lambda move: move.state == "draft"))

    def _moves_of_files(self):
        """Invoices of payers that are billed by files."""
        return self.move_ids.filtered(lambda move: move.partner_id.invoicing_model == "payer_file")

    def action_export(self):
        """Make what was chosen: a download, or a list of them where it is more than one.

        :raise UserError: there is nothing of that kind
        """
        self.ensure_one()
        self.part_ids.unlink()
        values = getattr(self, f"_parts_{self.format}")()
        self.part_ids = [Command.create({"kind": self.format} | vals) for vals in values]
        if len(self.part_ids) == 1:
            return self.part_ids.action_download()
        return self._show()

    def _parts_pdf(self):
        chunks = list(split_every(PDF_PART, self.move_ids.ids))
        first = 1
        values = []
        for ids in chunks:
            last = first + len(ids) - 1
            name = self.env._("Invoices %(first)s to %(last)s", first=first, last=last)
            values.append({"name": name, "move_ids": [Command.set(ids)]})
            first = last + 1
        return values

    def _parts_xlsx(self):
        return [{"name": self.env._("Invoices"), "move_ids": [Command.set(self.move_ids.ids)]}]

    def _parts_payer_file(self):
        moves = self._moves_of_files()
        if not moves:
            raise UserError(
                self.env._("None of these payers is billed by files: look at its Invoicing Model.")
            )
        moves = moves.filtered(lambda move: move.state == "posted")
        if not moves:
            raise UserError(
                self.env._(
                    "These invoices are drafts, which have no legal number: post them first."
                )
            )
        # what is voided, credited in full or invoiced again isn't billed by these any more
        moves = moves.filtered(lambda move: move._payer_file_groups())
        if not moves:
            raise UserError(self.env._("There is nothing to export."))
        moves._check_activity_codes()
        return [
            {"name": payer.display_name, "payer_id": payer.id, "move_ids": [Command.set(own.ids)]}
            for payer, own in moves.grouped("partner_id").items()
        ]


class HealthcareInvoiceExportPart(models.TransientModel):
    """One file to download. It is made when it is downloaded, from what the invoices say then."""

    _name = "healthcare.invoice.export.part"
    _description = "Export Invoices: File"
    _inherit = ("healthcare.xlsx.mixin",)

    wizard_id = fields.Many2one(
        "healthcare.invoice.export", required=True, ondelete="cascade", index=True
    )
    name = fields.Char(required=True)
    kind = fields.Char(required=True)
    payer_id = fields.Many2one("res.partner")
    move_ids = fields.Many2many("account.move", "healthcare_invoice_export_part_move_rel")
    move_count = fields.Integer(compute="_compute_move_count", string="Invoices")
    currency_id = fields.Many2one("res.currency", compute="_compute_move_count")

    @api.depends("move_ids")
    def _compute_move_count(self):
        for part in self:
            part.move_count = len(part.move_ids)
            part.currency_id = part.move_ids[:1].company_currency_id

    def action_download(self):
        """Draw the PDF, or download the file."""
        self.ensure_one()
        if self.kind == "pdf":
            return self.move_ids._print_documents("invoice")
        return {
            "type": "ir.actions.act_url",
            "url": f"/healthcare_billing/invoice_export/{self.id}",
            "target": "download",
        }

    def _content(self):
        """The file, for whoever may read the invoices.

        :return: (name, MIME type, bytes)
        """
        self.ensure_one()
        self.env["account.move"]._check_may_process()
        self.move_ids.check_access("read")
        today = fields.Date.to_string(fields.Date.context_today(self))
        stem = self.wizard_id.cycle_id.name or today
        if self.kind == "xlsx":
            return (
                f"invoices-{stem}.xlsx",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                self._xlsx_content(),
            )
        # the ids of a part may be sent by hand, and its invoices may have changed since
        if self.move_ids.partner_id - self.payer_id:
            raise UserError(self.env._("A file is of one payer. Export these invoices again."))
        rows = self.move_ids._payer_file_rows()
        self._log_file(rows)
        return (
            f"{stem}-{self.payer_id.edi_payer_id or self.payer_id.id}.csv",
            "text/csv; charset=utf-8",
            csv_file(
                PAYER_FILE_COLUMNS,
                ([row[name] for name in PAYER_FILE_COLUMNS] for row in rows),
                encoding="utf-8",
            ),
        )

    def _log_file(self, rows):
        """The cycle tells who took which file; no client is named."""
        cycle = self.wizard_id.cycle_id
        if cycle:
            # sudo: downloading is reading, and leaves only this trace
            cycle.sudo()._message_log(
                body=self.env._(
                    "%(user)s exported the file of %(payer)s: %(count)s rows, %(invoices)s "
                    "invoices.",
                    user=self.env.user.name,
                    payer=self.payer_id.display_name,
                    count=len(rows),
                    invoices=self.move_count,
                ),
                author_id=self.env.user.partner_id.id,
            )

    # -- spreadsheet -----------------------------------------------------------------------------
    def _xlsx_content(self):
        """The spreadsheet: invoices, and what they bill.

        :return: bytes
        """
        return self._xlsx_workbook(
            (
                (self.env._("Invoices"), *self._xlsx_invoices()),
                (self.env._("Items"), *self._xlsx_items()),
            )
        )

    def _xlsx_invoices(self):
        columns = [
            (self.env._("Reference"), 14),
            (self.env._("Number"), 18),
            (self.env._("Invoiced to"), 28),
            (self.env._("Client"), 28),
            (self.env._("Payer"), 28),
            (self.env._("Invoice Date"), 13),
            (self.env._("Due Date"), 13),
            (self.env._("Care From"), 13),
            (self.env._("Care To"), 13),
            (self.env._("Amount in %s", self.currency_id.name), 14),
            (self.env._("Balance in %s", self.currency_id.name), 14),
            (self.env._("Status"), 16),
        ]
        overview = self.env["healthcare.invoice.overview"]
        names = dict(overview._fields["status"]._description_selection(self.env))
        found = overview.search([("move_id", "in", self.move_ids.ids)])
        rows = [
            (
                row.reference or "",
                row.number or "",
                row.partner_id.display_name or "",
                row.client_id.display_name or "",
                row.payer_id.display_name or "",
                row.invoice_date,
                row.invoice_date_due,
                row.service_date_from,
                row.service_date_to,
                row.amount,
                row.balance,
                names[row.status],
            )
            for row in found
        ]
        return columns, rows, (9, 10)

    def _xlsx_items(self):
        columns = [
            (self.env._("Invoice"), 18),
            (self.env._("Date of Service"), 15),
            (self.env._("Visit"), 14),
            (self.env._("Client"), 28),
            (self.env._("Service"), 40),
            (self.env._("Units"), 10),
            (self.env._("Amount"), 12),
            (self.env._("Currency"), 9),
        ]
        lines = self.move_ids.invoice_line_ids.filtered(lambda line: line.display_type == "product")
        rows = []
        for line in lines:
            charge = line.charge_id
            sign = -1 if line.move_id.move_type == "out_refund" else 1
            rows.append(
                (
                    line.move_id._care_reference(),
                    charge.service_date,
                    charge.appointment_id.name or "",
                    (charge.client_id or line.move_id.healthcare_client_id).display_name or "",
                    line.product_id.name or line.name or "",
                    charge and line.charge_units or line.quantity,
                    sign * line.price_subtotal,
                    line.currency_id.name,
                )
            )
        return columns, rows, ()


class AccountMove(models.Model):
    _inherit = "account.move"

    def action_export_care(self):
        """Export these invoices as PDF, spreadsheet or payers' files."""
        return self.env["healthcare.invoice.export"]._open(self)

    # -- file of a payer -------------------------------------------------------------------------
    def _payer_file_groups(self):
        """What the file tells in one row: a visit, or a charge without one.

        Only what a posted invoice bills still, and what was credited in part of it. What a credit
        note covers in full isn't told, and neither is that credit note.

        :return: ``{(invoice, appointment or charge): lines}``
        """
        groups = defaultdict(lambda: self.env["account.move.line"])
        posted = self.filtered(lambda move: move.state == "posted")
        lines = posted.invoice_line_ids.filtered("charge_id")
        for line in lines.filtered(lambda line: (line.credit_of_line_id or line).charge_live):
            charge = line.charge_id
            groups[line.move_id, charge.appointment_id or charge._root()] |= line
        return groups

    def _check_activity_codes(self):
        """Programs reject visits without an activity code: no file leaves with one.

        :raise RedirectWarning: with the visits, and the way to them
        """
        lacking, names = self.env["healthcare.appointment"], []
        for (move, item), lines in self._payer_file_groups().items():
            if not _told_charge(lines).product_id.activity_code:
                if item._name == "healthcare.appointment":
                    lacking |= item
                charge = _told_charge(lines)
                names.append(
                    self.env._(
                        "%(visit)s of %(date)s on %(invoice)s (%(service)s)",
                        visit=charge.appointment_id.name or charge.display_name,
                        date=format_date(self.env, charge.service_date),
                        invoice=move._care_reference(),
                        service=charge.product_id.display_name or self.env._("no service"),
                    )
                )
        if not names:
            return
        shown = "\n".join(names[:30])
        if len(names) > 30:
            shown += "\n" + self.env._("and %s more", len(names) - 30)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_appointment_action"
        )
        raise RedirectWarning(
            self.env._(
                "The file would be rejected: these visits have no activity code. Give it to their "
                "services.\n%s",
                shown,
            ),
            {**action, "domain": [("id", "in", lacking.ids)], "context": {}},
            self.env._("View These Visits"),
        )

    def _payer_file_rows(self):
        """Rows of the file of these invoices' payer, see ``PAYER_FILE_COLUMNS``.

        :return: list of dicts of texts, units and amounts are numbers
        """
        self._check_activity_codes()
        groups = self._payer_file_groups()
        members = self._member_ids([_told_charge(lines) for lines in groups.values()])
        return [
            self._payer_file_row(move, _told_charge(lines), lines, members)
            for (move, _item), lines in groups.items()
        ]

    def _payer_file_row(self, move, charge, lines, members):
        appointment = charge.appointment_id
        sign = -1 if move.move_type == "out_refund" else 1
        payer = move.partner_id
        return {
            "payer_id": payer.edi_payer_id or "",
            "payer_name": payer.name or "",
            "member_id": members.get(charge, ""),
            "client_reference": charge.client_id.ref or str(charge.client_id.id),
            "service_date": fields.Date.to_string(charge.service_date) or "",
            "start": _local_time(appointment, appointment.start),
            "stop": _local_time(appointment, appointment.stop),
            "units": charge.quantity,
            "activity_code": charge.product_id.activity_code or "",
            "service_code": charge.product_id.default_code or "",
            "amount": sign * sum(lines.mapped("price_subtotal")),
            "currency": move.currency_id.name,
            "invoice_reference": move.billing_ref or "",
            "invoice_number": move.name if move.name and move.name != "/" else "",
            "visit_number": appointment.name or "",
        }

    @api.model
    def _member_ids(self, charges):
        """What the payer calls the clients, by the coverage that is valid on the day of care.

        :param charges: list of charges
        :return: ``{charge: member id}``
        """
        coverages = self.env["healthcare.coverage"].search(
            [("client_id", "in", [charge.client_id.id for charge in charges])],
            order="sequence, id",
        )
        found = defaultdict(list)
        for coverage in coverages:
            found[coverage.client_id, coverage.payer_id].append(coverage)
        members = {}
        for charge in charges:
            for coverage in found[charge.client_id, charge.payer_id]:
                if (not coverage.date_from or coverage.date_from <= charge.service_date) and (
                    not coverage.date_to or coverage.date_to >= charge.service_date
                ):
                    members[charge] = coverage.member_id or ""
                    break
        return members


class HealthcareInvoiceOverview(models.Model):
    _inherit = "healthcare.invoice.overview"

    def action_export(self):
        """Export the invoices of these rows."""
        return self.move_id.action_export_care()


class HealthcareBillingCycle(models.Model):
    _inherit = "healthcare.billing.cycle"

    def action_export_invoices(self):
        """Export all invoices of the cycle."""
        self.ensure_one()
        return self.env["healthcare.invoice.export"]._open(self.move_ids.sorted("id"), self)


def _told_charge(lines):
    """The charge that tells what a visit was: its service, else the first."""
    charges = lines.charge_id
    return charges.filtered(lambda charge: charge.kind == "service")[:1] or charges[:1]._root()


def _local_time(appointment, moment):
    """Local time of the practice, such as 2025-03-03T09:00."""
    if not moment:
        return ""
    timezone = appointment.company_id._care_timezone()
    return moment.replace(tzinfo=pytz.utc).astimezone(timezone).strftime("%Y-%m-%dT%H:%M")
