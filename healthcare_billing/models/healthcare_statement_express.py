from collections import defaultdict
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .healthcare_charge_balance import PARTIES


class ExpressRow(NamedTuple):
    """An addressee of an express run.

    :ivar partner_id: database id
    :ivar currency_id: of its receivables
    :ivar charge_ids: charges of its items, each once
    :ivar items: how many items
    :ivar amount: their sum, as owed now or quoted when committed, less what is paid on account
    """

    partner_id: int
    currency_id: int
    charge_ids: tuple[int, ...]
    items: int
    amount: float

    @property
    def key(self):
        """Identifies the row within its run."""
        return f"statement-{self.partner_id}-{self.currency_id}"


class HealthcareBillingRun(models.Model):
    """Express statements: a run with a row per addressee, each of which becomes a statement.

    The saved run is the preview. Executing it makes, fills and commits the statements of a chunk
    together (``billing_engine_express.py``), in the background when there are many.
    """

    _inherit = "healthcare.billing.run"

    statement_ids = fields.One2many("healthcare.statement", "run_id", string="Statements")
    statement_count = fields.Integer(compute="_compute_statement_count")
    express_summary = fields.Char(compute="_compute_express_summary", string="Statements of")

    @api.depends("statement_ids")
    def _compute_statement_count(self):
        counts = dict(
            self.env["healthcare.statement"]._read_group(
                [("run_id", "in", self.ids)], ["run_id"], ["__count"]
            )
        )
        for run in self:
            run.statement_count = counts.get(run._origin, 0)

    @api.depends("options", "door")
    def _compute_express_summary(self):
        types = dict(
            self.env["healthcare.statement"]
            ._fields["statement_type"]
            ._description_selection(self.env)
        )
        for run in self:
            criteria = run._express_criteria()
            texts = [types.get(criteria.get("statement_type"), "")]
            if criteria.get("date_from"):
                texts.append(self.env._("care from %s", criteria["date_from"]))
            if criteria.get("date_to"):
                texts.append(self.env._("care before %s", criteria["date_to"]))
            run.express_summary = ", ".join(texts) if criteria else False

    # -- preview ---------------------------------------------------------------------------------
    @api.model
    def _open_express(self, date, criteria, *, kinds=(), minimum=0.0):
        """Find who owes something, and save it as a preview.

        :param date date: of the statements and of the invoices that they make
        :param dict criteria: values of ``healthcare.statement`` that say what it takes in
        :param kinds: kinds of addressees (``addressee_type``); default all
        :param float minimum: at least owed in sum; 0.0: also credits
        :return: ``healthcare.billing.run`` record in state draft
        """
        self.check_access("create")
        # sudo: users make no runs by hand
        run = self.sudo().create(
            {
                "door": "statement",
                "user_id": self.env.uid,
                "company_id": self.env.company.id,
                "invoice_date": date,
                "post": True,
                "options": {
                    "express": {
                        name: fields.Date.to_string(value) if name.startswith("date") else value
                        for name, value in criteria.items()
                    },
                    "kinds": list(kinds),
                    "minimum": minimum,
                },
            }
        )
        run = run.with_env(self.env)
        run._search_express()
        return run

    def _express_criteria(self):
        """Values that each statement of the run has."""
        self.ensure_one()
        return dict((self.options or {}).get("express") or {})

    def _statement_values(self):
        """Values of a statement of this run, but for its addressee and currency."""
        self.ensure_one()
        return {
            **self._express_criteria(),
            "company_id": self.company_id.id,
            "date": self.invoice_date,
        }

    def _search_express(self):
        """Make the rows those who owe something now; who was unticked stays unticked."""
        self.ensure_one()
        lines = self.env["healthcare.billing.run.line"].sudo()  # sudo: users make no rows
        planned = lines.search([("run_id", "=", self.id), ("state", "=", "planned")])
        unticked = set(planned.filtered(lambda line: not line.selected).mapped("plan_key"))
        planned.unlink()
        rows = {row.key: row for row in self._find_express_rows()}
        created = self._insert_rows(
            [
                self._prepare_express_row(row, sequence) | {"selected": row.key not in unticked}
                for sequence, row in enumerate(rows.values())
            ]
        )
        self._link_charges({created[key]: row for key, row in rows.items()})
        self._forget_rows()

    def _find_express_rows(self, partners=None):
        """Addressees that this run is for, the largest sum first, set-based.

        One query finds what is owed; care without a price counts as committing would price it.

        :param partners: only these
        :return: list of :class:`ExpressRow`
        """
        self.ensure_one()
        sample = self.env["healthcare.statement"].new(self._statement_values())
        domain = sample._criteria_domain() & self._kind_domain()
        domain &= Domain("partner_id", "!=", False)
        if partners is not None:
            domain &= Domain("partner_id", "in", partners.ids)
        minimum = (self.options or {}).get("minimum") or 0.0
        prepaid = self._prepaid_by_addressee(domain)
        rows = [
            ExpressRow(
                partner.id,
                currency.id,
                tuple(dict.fromkeys(charge_ids)),
                count,
                currency.round(amount - prepaid[partner, currency]),
            )
            for partner, currency, charge_ids, count, amount in self.env[
                "healthcare.receivable"
            ]._read_group(
                domain,
                ["partner_id", "currency_id"],
                ["charge_id:array_agg", "__count", "balance:sum"],
                order="balance:sum desc, partner_id",
            )
        ]
        rows = self._add_unpriced(rows, sample, partners)
        rows = [row for row in rows if not minimum or row.amount >= minimum]
        return sorted(rows, key=lambda row: (-row.amount, row.partner_id))

    def _prepaid_by_addressee(self, domain):
        """What addressees paid on account for care that isn't invoiced yet.

        Asked from the money's side, of which there is little.

        :param domain: of ``_find_express_rows``
        :return: ``{(partner, currency): amount}``, 0.0 by default
        """
        lines = self.env["account.move.line"].sudo()  # sudo: whoever bills may know what is paid
        waiting = lines.search(
            lines._money_on_account_domain()
            & Domain("charge_id", "!=", False)
            & Domain("company_id", "=", self.company_id.id)
        )
        prepaid = waiting.charge_id.with_env(self.env)._roots()._prepaid_amounts()
        amounts = defaultdict(float)
        if prepaid:
            charge_ids = [charge_id for charge_id, _party in prepaid]
            for row in self.env["healthcare.receivable"].search(
                domain & Domain("charge_id", "in", charge_ids)
            ):
                part = prepaid.get((row.charge_id.id, row.responsibility), 0.0)
                amounts[row.partner_id, row.currency_id] += part
        return amounts

    def _add_unpriced(self, rows, sample, partners):
        """Take in care that has no price yet: committing prices it (R18).

        What no fee schedule prices is on no statement; the completeness check tells it.

        :param list rows: of :class:`ExpressRow`, what has a price
        :param sample: new ``healthcare.statement`` with the criteria of the run
        :param partners: only these addressees, or None
        :return: list of :class:`ExpressRow`
        """
        charges = self.env["healthcare.charge"].search(sample._unpriced_domain(partners))
        charges = charges.filtered(lambda charge: self._is_of_kind(charge._unpriced_debtor()))
        if not charges:
            return rows
        by_key = {row.key: row for row in rows}
        amounts = charges._item_amounts()
        quotes = charges._item_quotes(sample.fee_schedule_id)
        for (charge, party), (_price, due) in quotes.items():
            debtor = charge._debtor_of(party)
            if debtor != charge._unpriced_debtor():
                continue
            known = charge[f"balance_{PARTIES[party]}"]  # its corrections may be priced already
            told = amounts[charge.id, party][1] if known else 0.0
            new = ExpressRow(debtor.id, charge.currency_id.id, (), 0, 0.0)
            row = by_key.get(new.key, new)
            by_key[row.key] = row._replace(
                charge_ids=tuple(dict.fromkeys((*row.charge_ids, charge.id))),
                items=row.items + (not known),
                amount=charge.currency_id.round(row.amount + due - told),
            )
        return list(by_key.values())

    def _is_of_kind(self, partner):
        """Whether ``_kind_domain`` takes in an addressee."""
        kinds = (self.options or {}).get("kinds")
        kind = partner.payer_type or "other" if partner.is_payer else "client"
        return bool(partner) and (not kinds or kind in kinds)

    def _kind_domain(self):
        """Domain of the addressees of the chosen kinds."""
        kinds = (self.options or {}).get("kinds")
        if not kinds:
            return Domain.TRUE
        domain = Domain("partner_id.is_payer", "=", True) & Domain(
            "partner_id.payer_type", "in", [kind for kind in kinds if kind != "client"]
        )
        if "other" in kinds:
            domain |= Domain("partner_id.is_payer", "=", True) & Domain(
                "partner_id.payer_type", "=", False
            )
        if "client" in kinds:
            domain |= Domain("partner_id.is_payer", "!=", True)
        return domain

    def _prepare_express_row(self, row, sequence):
        currency = self.env["res.currency"].browse(row.currency_id)
        return {
            "run_id": self.id,
            "company_id": self.company_id.id,
            "currency_id": row.currency_id,
            "partner_id": row.partner_id,
            "charge_count": row.items,
            "amount": row.amount,
            "amount_company": currency._convert(
                row.amount, self.currency_id, self.company_id, self.invoice_date
            ),
            "plan_key": row.key,
            "values": {},
            "sequence": sequence,
            "state": "planned",
            "selected": True,
        }

    def action_search_again(self):
        """Look again who owes something."""
        if self.door != "statement":
            return super().action_search_again()
        self._open_preview()
        self._search_express()
        return None

    # -- tasks -----------------------------------------------------------------------------------
    def _task_domain(self, task):
        """Undoing is about statements, with invoices of their own or not."""
        if self.door != "statement" or task != "undo":
            return super()._task_domain(task)
        return (
            Domain("run_id", "=", self.id)
            & Domain("state", "=", "created")
            & Domain("statement_id", "!=", False)
        )

    def action_undo(self):
        """Cancel the run's statements; the unpaid invoices that they made are reversed."""
        self.ensure_one()
        if self.door != "statement":
            return super().action_undo()
        self._begin()
        if not self.env.user.has_group("healthcare_billing.group_billing_manager"):
            raise UserError(
                self.env._("Only a billing manager can undo statements: it reverses invoices.")
            )
        if not self.env["healthcare.billing.run.line"].search_count(self._task_domain("undo")):
            raise UserError(self.env._("There is nothing to undo: this run has no statements."))
        return self._start_task("undo")

    def _result_message(self):
        """An express run makes statements."""
        if self.door != "statement":
            return super()._result_message()
        self.ensure_one()
        self.env.flush_all()
        self.invalidate_recordset()
        if self.task == "undo":
            lines = self.env["healthcare.billing.run.line"]
            return self.env._(
                "%(done)s statements are canceled, %(left)s stay.",
                done=lines.search_count([("run_id", "=", self.id), ("state", "=", "undone")]),
                left=lines.search_count(self._task_domain("undo")),
            )
        return self.env._(
            "%(created)s statements committed (%(amount)s), %(skipped)s rows skipped, "
            "%(failed)s failed.",
            created=self.created_count,
            amount=self.currency_id.format(self.amount_created),
            skipped=self.skipped_count,
            failed=self.failed_count,
        )

    def action_view_statements(self):
        """Open the statements that this run made."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_statement_action"
        )
        return {**action, "domain": [("run_id", "=", self.id)], "context": {}}


class HealthcareBillingRunLine(models.Model):
    """An addressee's row, and the statement that became of it."""

    _inherit = "healthcare.billing.run.line"

    statement_id = fields.Many2one(
        "healthcare.statement", readonly=True, index="btree_not_null", ondelete="set null"
    )

    def _plan_again(self):
        """Rows of express runs are brought up to date with what is owed now."""
        express = self.filtered(lambda line: line.run_id.door == "statement")
        result = super(HealthcareBillingRunLine, self - express)._plan_again()
        for run, lines in express.grouped("run_id").items():
            now = {row.key: row for row in run._find_express_rows(lines.partner_id)}
            for line in lines:
                row = now.get(line.plan_key)
                if row:
                    vals = run._prepare_express_row(row, line.sequence)
                    vals = {
                        name: vals[name] for name in ("charge_count", "amount", "amount_company")
                    }
                    line._set_result(
                        {
                            **vals,
                            "state": "planned",
                            "message": False,
                            "charge_ids": [fields.Command.set(row.charge_ids)],
                        }
                    )
        return result

    def action_view_statement(self):
        """Open the row's statement."""
        self.ensure_one()
        return self.statement_id._form_action()
