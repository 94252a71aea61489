from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Command


class HealthcareStatement(models.Model):
    """Sell what is open on statements to a collection agency, and close them as sold.

    Dr loss on sold receivables, Cr receivable: revenue stays what it was, and nobody owes the items
    to the practice any more. What the agency pays is Dr bank, Cr that loss; it is no payment of the
    items. Credits can't be sold, nor can what isn't invoiced or what somebody else owes: it is back
    at the billing office.
    """

    _inherit = "healthcare.statement"

    agency_id = fields.Many2one(
        "res.partner", string="Sold to", readonly=True, copy=False, ondelete="restrict"
    )
    proceeds_move_id = fields.Many2one(
        "account.move",
        string="Agency's Payment",
        readonly=True,
        copy=False,
        ondelete="restrict",
        help="Entry of the money that the agency paid, for all statements sold with this one.",
    )

    def _close_sold(self, reason, date, *, proceeds=0.0, journal=None, agency=None):
        """Sell the open items of statements; an item on several of them is sold once.

        :param reason: ``healthcare.adjustment.reason`` of kind ``sold``
        :param date date: of the entries
        :param float proceeds: what the agency pays for all of them
        :param journal: bank or cash ``account.journal`` of the proceeds
        :param agency: ``res.partner`` who buys
        :return: the entry of the proceeds, or an empty record
        :raise AccessError: not a billing manager
        :raise UserError: not open any more, wrong reason, date, amount or journal
        """
        self._begin_closing(("committed",), manager=True)
        if not reason or reason.kind != "sold":
            raise UserError(
                self.env._(
                    "Choose a reason for sold receivables: it says which account takes them."
                )
            )
        self._check_proceeds(date, proceeds, journal)
        for statement in self:
            statement._sell_items(reason, date)
            statement._finish_closing("sold")
        if agency:
            self._record({"agency_id": agency.id})
        return self._book_proceeds(reason, date, proceeds, journal)

    def _sell_items(self, reason, date):
        """Write off what is open in the ledger on the items of one statement.

        What was sold with a statement before is sold with this one, too, and so are its entries:
        whichever of them is reopened takes them back.
        """
        self.ensure_one()
        items, lines = [], self.line_ids.browse()
        for line in self.line_ids:
            posted = self._most(line._posted_balance(), line.balance)
            if posted and line._is_owed_by_addressee():
                items.append((line.charge_id, line.responsibility, posted))
                line._record({"amount_lost": posted})
                lines |= line
        entries = self.env["account.move"]
        if items:
            note = self.env._("Statement %s", self.name)
            entries = self.env["healthcare.charge"]._write_off_items(items, reason, date, note)
            # reopened and sold again: statements that stayed sold are about the new entries, too
            again = lines._on_sold_statements().statement_id
            again._record({"write_off_ids": [Command.link(id_) for id_ in entries.ids]})
        for line, before in (self.line_ids - lines)._sold_before().items():
            lines |= line
            entries |= before
        self._record({"write_off_ids": [Command.link(id_) for id_ in entries.ids]})
        self.env.flush_all()
        self.line_ids.invalidate_recordset(["balance"])
        lines._set_outcome("sold")
        rest = self.line_ids - lines
        back = rest.filtered(lambda line: line._is_open())
        (rest - back)._set_outcome("paid")
        back._release("returned")

    def _book_proceeds(self, reason, date, proceeds, journal):
        """Book what the agency pays: Dr bank, Cr the loss on what was sold.

        Where the journal's payment method has an outstanding account it goes there, and the line of
        the bank statement is matched with it.

        :return: ``account.move`` record
        """
        if not proceeds:
            return self.env["account.move"]
        self._check_proceeds(date, proceeds, journal)
        company = self.company_id
        method = journal._get_available_payment_method_lines("inbound")[:1]
        account = method.payment_account_id or journal.default_account_id
        label = self.env._("Sold receivables: %s", ", ".join(self.mapped("name")[:10]))
        common = {
            "name": label,
            "partner_id": self.agency_id[:1].id,
            "currency_id": (journal.currency_id or company.currency_id).id,
        }
        entry = (
            self.env["account.move"]
            .with_company(company)
            .create(
                {
                    "move_type": "entry",
                    "journal_id": journal.id,
                    "date": date,
                    "ref": label,
                    "line_ids": [
                        Command.create(
                            {**common, "account_id": account.id, "amount_currency": proceeds}
                        ),
                        Command.create(
                            {
                                **common,
                                "account_id": reason._write_off_account(company, ("sold",)).id,
                                "amount_currency": -proceeds,
                                "adjustment_reason_id": reason.id,
                            }
                        ),
                    ],
                }
            )
        )
        entry._post(soft=False)
        self._record({"proceeds_move_id": entry.id})
        return entry

    def _check_proceeds(self, date, proceeds, journal):
        """Refuse what can't be booked, before anything is.

        :raise UserError: wrong amount, journal or date
        """
        if not proceeds:
            return
        if len(self.company_id) > 1 or not journal or journal.type not in ("bank", "cash"):
            raise UserError(
                self.env._(
                    "What an agency pays is booked in a bank or cash journal of one company."
                )
            )
        if proceeds < 0:
            raise UserError(self.env._("Type what the agency pays, 0.00 or more."))
        self._check_closing_date(date, journal)

    # -- open again ------------------------------------------------------------------------------
    def _check_proceeds_reversed(self, entries):
        """An agency that bought what is owed again gets its money back first.

        What it paid is about all statements that were sold together, and is in the bank: only who
        pays it back knows how much, and when.

        :param entries: the write-offs that are taken back
        :raise UserError: the entry of what it paid stands
        """
        # sudo: entries are read through the statements, whose rights were asked
        statements = (self | self._sold_together(entries)).sudo()
        standing = statements.proceeds_move_id.filtered(lambda entry: entry._stands())
        if standing:
            raise UserError(
                self.env._(
                    "An agency paid for what would be owed again: %s. Have that entry reversed "
                    "when the agency gets its money back, then reopen.",
                    ", ".join(standing.mapped("name")),
                )
            )

    def _sold_together(self, entries):
        """Other statements whose items these entries sold, too.

        :param entries: ``account.move`` records
        """
        if not entries:
            return self.browse()
        return self.search([("write_off_ids", "in", entries.ids), ("id", "not in", self.ids)])

    def _tell_taken_back(self, entries, reversals, reason):
        """Say on statements that stay closed that what was sold with them is owed again.

        :param entries: the write-offs, ``account.move`` records
        :param reversals: those that took them back
        :param str reason: why
        """
        if self and reversals:
            items = {(item.charge_id.id, item.responsibility) for item in entries.line_ids}
            self.line_ids.filtered(
                lambda line: (line.charge_id.id, line.responsibility) in items
            )._record({"amount_lost": 0.0})
            text = self.env._(
                "Sold items are owed again. %(reason)s. Taken back: %(entries)s.",
                reason=reason,
                entries=", ".join(reversals.mapped("name")),
            )
            self._message_log_batch(bodies=dict.fromkeys(self.ids, text))

    def _reopened_values(self):
        """The next sale has its own agency, and its own payment."""
        return super()._reopened_values() | {"agency_id": False, "proceeds_move_id": False}


class HealthcareStatementLine(models.Model):
    _inherit = "healthcare.statement.line"

    def _on_sold_statements(self):
        """Lines of other statements with which these items were sold."""
        items = {(line.charge_id, line.responsibility) for line in self}
        return self.search(
            [
                ("charge_id", "in", self.charge_id.ids),
                ("statement_id", "not in", self.statement_id.ids),
                ("statement_id.state", "=", "sold"),
                ("outcome", "=", "sold"),
            ]
        ).filtered(lambda line: (line.charge_id, line.responsibility) in items)

    def _sold_before(self):
        """Which of these items were sold with other statements, by entries that stand.

        :return: ``{line: account.move records}``
        """
        others = self._on_sold_statements()
        # sudo: entries are read through the statements, whose rights were asked
        entries = others.statement_id.sudo().write_off_ids._standing_entries()
        by_item = entries.line_ids.filtered("charge_id").grouped(
            lambda item: (item.charge_id.id, item.responsibility)
        )
        sold = {(line.charge_id.id, line.responsibility) for line in others} & set(by_item)
        return {
            line: by_item[line.charge_id.id, line.responsibility].move_id
            for line in self
            if (line.charge_id.id, line.responsibility) in sold
        }
