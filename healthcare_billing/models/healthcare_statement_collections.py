from collections import defaultdict

from odoo import fields, models

from ..tools.csv_file import csv_file
from .healthcare_charge_statement import COUNT_FIELDS

# Columns of the file for a collection agency, in their order; see _collections_rows.
COLLECTIONS_COLUMNS = (
    "creditor", "statements", "debtor_reference", "debtor", "street", "street2", "city", "state",
    "zip", "country", "phone", "email", "client", "client_birth_date", "service_date",
    "appointment", "invoices", "first_stated_on", "times_billed", "amount_billed", "amount_paid",
    "amount_sold", "currency",
)  # fmt: skip


class HealthcareStatement(models.Model):
    """The file for a collection agency: what was sold on these statements, each item once.

    It is made whenever it is asked for, from what is kept with the items: after the sale nothing is
    open any more, and the file says what it said then. Before a sale it tells what would be sold.
    What an agency needs to collect a debt goes into it, and nothing clinical: neither service nor
    diagnosis, nor any note.
    """

    _inherit = "healthcare.statement"

    def action_collections_file(self):
        """Download the file of these statements.

        :return: action that downloads it
        """
        return self.env["healthcare.statement.bulk"]._download(self)

    def _collections_rows(self):
        """One row per item with an amount, by debtor and date of care.

        :return: list of dicts by ``COLLECTIONS_COLUMNS``: texts, a number of times, and amounts
        """
        self.check_access("read")
        lines = self.line_ids.sorted(lambda line: (line.statement_id.id, line.id))
        history = self._collections_history(lines.charge_id)
        invoices = lines._invoice_numbers()
        paid = {
            party: own.charge_id._paid_amounts((party,))
            for party, own in lines.grouped("responsibility").items()
        }
        rows = []
        for (charge, party), own in lines.grouped(
            lambda line: (line.charge_id, line.responsibility)
        ).items():
            amount = own._collections_amount()
            if amount:
                statements, first = history[charge.id, party]
                rows.append(
                    {
                        **own._collections_debtor(),
                        "statements": statements,
                        "first_stated_on": first,
                        "service_date": fields.Date.to_string(charge.service_date) or "",
                        "appointment": charge.appointment_id.name or "",
                        "invoices": ", ".join(sorted(invoices[charge.id, party])),
                        "times_billed": charge[COUNT_FIELDS[party]],
                        "amount_billed": own[-1].price,
                        "amount_paid": paid[party][charge],
                        "amount_sold": amount,
                        "currency": own.currency_id.name,
                    }
                )
        return sorted(rows, key=lambda row: (row["debtor"], row["service_date"]))

    def _collections_history(self, charges):
        """Which statements told the items, and since when; canceled ones were a mistake.

        :return: ``{(charge id, responsibility): (numbers, first date)}``, both texts
        """
        groups = self.env["healthcare.statement.line"]._read_group(
            [
                ("charge_id", "in", charges.ids),
                ("statement_id.committed_on", "!=", False),
                ("statement_id.state", "!=", "canceled"),
            ],
            ["charge_id", "responsibility"],
            ["statement_id:recordset"],
        )
        history = {
            (charge.id, party): (
                ", ".join(statements.sorted("id").mapped("name")),
                fields.Date.to_string(min(statements.mapped("committed_on"))),
            )
            for charge, party, statements in groups
        }
        for line in self.line_ids:  # drafts
            history.setdefault((line.charge_id.id, line.responsibility), ("", ""))
        return history

    def _collections_csv(self):
        """The file.

        :return: bytes, see :func:`csv_file`
        """
        return csv_file(
            COLLECTIONS_COLUMNS,
            ([row[name] for name in COLLECTIONS_COLUMNS] for row in self._collections_rows()),
        )

    def _collections_file(self):
        """The file for whoever may close statements; each statement tells who took it.

        :return: (name, MIME type, bytes)
        """
        self.check_access("write")
        content = self._collections_csv()
        text = self.env._("%s downloaded the file for a collection agency.", self.env.user.name)
        self._message_log_batch(bodies=dict.fromkeys(self.ids, text))
        day = fields.Date.to_string(fields.Date.context_today(self))
        return f"collections-{day}.csv", "text/csv; charset=utf-8", content


class HealthcareStatementLine(models.Model):
    _inherit = "healthcare.statement.line"

    def _collections_amount(self):
        """What is sold of one item that these lines tell: once, on however many statements.

        :return: what was sold, or what is open in the ledger on statements that aren't closed
        """
        sold = sum(self.filtered(lambda line: line.outcome == "sold").mapped("amount_lost"))
        if sold:
            return sold
        waiting = self.filtered(lambda line: line.statement_id.state in ("draft", "committed"))[:1]
        if not waiting or not waiting._is_owed_by_addressee():
            return 0.0
        return waiting.statement_id._most(waiting._posted_balance(), waiting.balance)

    def _invoice_numbers(self):
        """Legal numbers of the posted invoices that bill items.

        :return: ``{(charge id, responsibility): set of numbers}``
        """
        numbers = defaultdict(set)
        for line in self.charge_id._family()._posted_document_lines():
            if line.charge_live and line.move_type == "out_invoice":
                numbers[line.charge_id._root().id, line.responsibility].add(line.move_id.name)
        return numbers

    def _collections_debtor(self):
        """Whom the agency turns to, and for whom care was given; by the legal names."""
        line = self[-1]
        debtor = line.statement_id.partner_id
        client = line.client_id
        return {
            "creditor": line.company_id.name,
            "debtor_reference": debtor.ref or "",
            "debtor": (debtor.is_healthcare_client and debtor.legal_name) or debtor.name or "",
            "street": debtor.street or "",
            "street2": debtor.street2 or "",
            "city": debtor.city or "",
            "state": debtor.state_id.code or "",
            "zip": debtor.zip or "",
            "country": debtor.country_id.code or "",
            "phone": debtor.phone or "",
            "email": debtor.email or "",
            "client": client.legal_name or client.name or "",
            "client_birth_date": fields.Date.to_string(client.birth_date) or "",
        }
