import base64
from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools import format_date

from .healthcare_receivable import AGE_BUCKETS

PRINT_REPORT = "healthcare_billing.healthcare_statement_report"
SINGLETONS_REPORT = "healthcare_billing.healthcare_statement_singletons_report"
QR_SIZE = 180


class PrintedItem(NamedTuple):
    """One party's part of a charge, as it is printed."""

    charge: object  # healthcare.charge record
    party: str  # responsibility
    price: float
    due: float
    distance: float
    waiting: int
    invoices: str  # their legal numbers


class PrintedGroup(NamedTuple):
    """Items of one appointment, or one charge without any, with what became of them."""

    appointment: object  # healthcare.appointment record, or empty
    items: tuple
    activities: list
    comments: list


class PrintedStatement(NamedTuple):
    """One document: a statement, one appointment of it, or what a party owes today."""

    title: str
    number: str
    company: object
    partner: object
    currency: object
    facts: list  # (label, value) pairs
    comment: str
    groups: list
    ledger: float | None  # balance besides the items; None: not asked for
    due: float  # as told
    now: float  # still open today
    ages: list  # (label, amount) pairs
    pay_url: str
    pay_qr: str
    draft: bool
    others: bool  # whether it is about other people's care, so that these are named

    @property
    def items(self):
        return [item for group in self.groups for item in group.items]


class HealthcareStatement(models.Model):
    """Statements on paper: as a whole, or as one document for each appointment (R22).

    What is printed is gathered for all statements at once, with the rights of the system, by
    whoever may read the statement: accountants print too, and read no care.
    """

    _inherit = "healthcare.statement"

    def action_print(self):
        """Download the statements as one PDF."""
        return self.env.ref(PRINT_REPORT).report_action(self)

    def action_print_singletons(self):
        """Download one document per appointment, in one PDF."""
        return self.env.ref(SINGLETONS_REPORT).report_action(self)

    def _get_report_base_filename(self):
        """File name: the number, and no name of anybody."""
        self.ensure_one()
        return self.env._("Statement %s", self.name).replace("/", "-")

    def _printed(self, singletons=False):
        """What is printed of these statements, each in its addressee's language.

        :param bool singletons: one document per appointment
        :return: list of ``PrintedStatement``
        :raise AccessError: the user may not read one of the statements
        """
        self.check_access("read")
        documents = {}
        # sudo: access to the statement is access to what is printed of it, by this method only
        for lang, statements in self.sudo().grouped(lambda own: own.partner_id.lang).items():
            statements = statements.with_context(lang=lang or self.env.lang)
            charges = statements.line_ids.charge_id
            activities = charges._activities()
            invoices = charges._invoices_of_parties()
            for statement in statements:
                groups = statement._printed_groups(activities, invoices)
                documents[statement.id] = (
                    statement._printed_singletons(groups)
                    if singletons
                    else [statement._printed_whole(groups)]
                )
        return [document for statement in self for document in documents[statement.id]]

    def _printed_groups(self, activities, invoices):
        """The items by appointment; of other statements, those to the same addressee.

        :param dict activities: see ``healthcare.charge._activities``
        :param dict invoices: see ``healthcare.charge._invoices_of_parties``
        """
        self.ensure_one()
        told = {
            charge.id: [
                activity
                for activity in activities[charge.id]
                if not (other := activity.statement)
                or (other != self and other.partner_id == self.partner_id)
            ]
            for charge in self.line_ids.charge_id
        }
        items = [
            PrintedItem(
                line.charge_id,
                line.responsibility,
                line.price,
                line.amount_due,
                line.distance,
                line.waiting_minutes,
                ", ".join(invoices.get((line.charge_id.id, line.responsibility), ())),
            )
            for line in self.line_ids
        ]
        return self._group_items(items, told)

    @api.model
    def _group_items(self, items, activities):
        """Put items of one appointment together, the oldest first.

        :param list items: ``PrintedItem``
        :param dict activities: ``{charge id: [Activity]}``
        :return: list of ``PrintedGroup``
        """
        groups = {}
        for item in items:
            groups.setdefault(item.charge.appointment_id or item.charge, []).append(item)
        result = []
        for key, own in groups.items():
            appointment = key if key._name == "healthcare.appointment" else None
            told = [
                activity
                for charge_id in dict.fromkeys(item.charge.id for item in own)
                for activity in activities[charge_id]
            ]
            told.sort(key=lambda activity: activity.date)
            comments = appointment._printed_comments() if appointment else []
            result.append(PrintedGroup(appointment, tuple(own), told, comments))
        return sorted(result, key=lambda group: group.items[0].charge.service_date)

    def _printed_whole(self, groups):
        self.ensure_one()
        url = self._pay_url()
        return PrintedStatement(
            title=self.env._("Statement"),
            number=self.name,
            company=self.company_id,
            partner=self.partner_id,
            currency=self.currency_id,
            facts=self._printed_facts(),
            comment=self.comment,
            groups=groups,
            ledger=self.ledger_amount if self.settles_ledger else None,
            due=self.amount_total,
            now=self._amount_asked(),
            ages=self._ages(groups, self.date),
            pay_url=url,
            pay_qr=self._qr(url),
            draft=self.state == "draft",
            others=any(
                item.charge.client_id != self.partner_id for group in groups for item in group.items
            ),
        )

    def _printed_singletons(self, groups):
        """One document per appointment, numbered by both; what is of no appointment comes last."""
        self.ensure_one()
        whole = self._printed_whole(groups)
        today = self._allocate(0.0)
        documents = [
            self._printed_part(whole, today, f"{self.name}-{group.appointment.name}", [group])
            for group in groups
            if group.appointment
        ]
        others = [group for group in groups if not group.appointment]
        if others or whole.ledger or not documents:
            documents.append(self._printed_part(whole, today, self.name, others, whole.ledger))
        return documents

    def _printed_part(self, whole, today, number, groups, ledger=None):
        """A part of a statement as a document of its own, which is paid with the whole one.

        What is open of the parts today adds up to what is open of the whole.

        :param today: :class:`Allocation` of the statement without any money
        :param float ledger: balance that this part tells; None: it tells none
        """
        self.ensure_one()
        keys = {(item.charge, item.party) for group in groups for item in group.items}
        lines = self.line_ids.filtered(lambda line: (line.charge_id, line.responsibility) in keys)
        due = sum(item.due for group in groups for item in group.items)
        now = today.left_of(lines) + (0.0 if ledger is None else today.ledger_left)
        round_ = whole.currency.round
        return whole._replace(
            number=number,
            groups=groups,
            ledger=ledger,
            due=round_(due + (ledger or 0.0)),
            now=round_(now),
            ages=self._ages(groups, self.date),
            pay_url="",
            pay_qr="",
        )

    def _printed_facts(self):
        self.ensure_one()
        facts = [(self.env._("Date"), format_date(self.env, self.date))]
        if self.custom_ref:
            facts.append((self.env._("Your number"), self.custom_ref))
        if self.date_from:
            facts.append((self.env._("Care from"), format_date(self.env, self.date_from)))
        if self.date_to:
            last = fields.Date.subtract(self.date_to, days=1)  # half-open (R6)
            facts.append((self.env._("Care until"), format_date(self.env, last)))
        return facts

    @api.model
    def _ages(self, groups, day):
        """What is due by days since the care, see ``healthcare.receivable``.

        :return: list of (label, amount)
        """
        labels = dict(
            self.env["healthcare.receivable"]._fields["age_bucket"]._description_selection(self.env)
        )
        amounts = dict.fromkeys(labels, 0.0)
        for group in groups:
            for item in group.items:
                days = (day - item.charge.service_date).days
                bucket = next((key for key, last in AGE_BUCKETS if days <= last), "90_plus")
                amounts[bucket] += item.due
        return [(label, amounts[key]) for key, label in labels.items()]

    @api.model
    def _qr(self, url):
        """A QR code of an address as a data URI, or nothing.

        :param str url: empty: nothing
        """
        if not url:
            return ""
        png = self.env["ir.actions.report"].barcode("QR", url, width=QR_SIZE, height=QR_SIZE)
        return f"data:image/png;base64,{base64.b64encode(png).decode()}"


class ReportStatement(models.AbstractModel):
    _name = "report.healthcare_billing.report_statement"
    _description = "Statement"

    @api.model
    def _get_report_values(self, docids, data=None):
        statements = self.env["healthcare.statement"].browse(docids)
        return {"docs": statements, "documents": statements._printed()}


class ReportStatementSingletons(models.AbstractModel):
    _name = "report.healthcare_billing.report_statement_singletons"
    _description = "Statement: One Document per Appointment"

    @api.model
    def _get_report_values(self, docids, data=None):
        statements = self.env["healthcare.statement"].browse(docids)
        return {"docs": statements, "documents": statements._printed(singletons=True)}
