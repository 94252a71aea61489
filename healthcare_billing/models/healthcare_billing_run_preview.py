import json
from collections import defaultdict
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from .billing_engine_blocks import FINAL_CODES


class SavedRow(NamedTuple):
    """What a row of a preview says now."""

    id: int
    charge_ids: frozenset
    content: tuple
    sequence: int
    selected: bool


class HealthcareBillingRun(models.Model):
    """The preview: rows follow their plan, and users choose among them.

    A run of 5,000 rows holds 50,000 links to charges, and may leave out as many. The ORM would
    write these one by one, so they are written with one statement each; nothing computes on them
    but the totals, which are dropped from the cache.
    """

    _inherit = "healthcare.billing.run"

    left_out_ids = fields.One2many("healthcare.billing.run.reason", "run_id", string="Left out")
    extra_line_names = fields.Char(compute="_compute_extra_line_names", string="Extra Lines")

    @api.depends("options")
    def _compute_extra_line_names(self):
        for run in self:
            run.extra_line_names = ", ".join(
                f"{line['name']} ({run.currency_id.format(line['price_unit'])})"
                for line in run._extra_lines()
            )

    # -- plan ↔ run ------------------------------------------------------------------------------
    def _engine(self):
        """The engine, seeing what this run's door may bill."""
        self.ensure_one()
        return self.env["healthcare.billing.engine"].with_context(healthcare_billing_door=self.door)

    def _plan_options(self):
        """Keyword arguments for ``plan``: the same question, asked again."""
        self.ensure_one()
        options = dict(self.options or {})
        options["invoice_date"] = self.invoice_date
        options.setdefault("extra_lines", ())
        return options

    def _extra_lines(self):
        """Lines besides the charges, on every invoice of the run."""
        self.ensure_one()
        return (self.options or {}).get("extra_lines") or []

    def _set_options(self, **options):
        """Keep something that counts for all invoices. sudo: only actions write the record."""
        self.ensure_one()
        self.sudo().options = {**(self.options or {}), **options}

    def _load_plan(self, plan):
        """Write the plan's invoices as rows, and what it leaves out with the reasons.

        Rows that the run has already keep their selection, note and claim flag.
        """
        self.ensure_one()
        self._update_rows(plan.invoices)
        self._replace_exclusions(plan.blocked)

    # -- rows ------------------------------------------------------------------------------------
    def _update_rows(self, invoices, keys=None):
        """Make the rows those of a plan: add, correct and remove what differs.

        :param invoices: iterable of :class:`PlannedInvoice`
        :param keys: set of keys, when only their rows were planned
        """
        saved = all_saved = self._saved_rows()
        if keys is not None:
            saved = {key: row for key, row in saved.items() if key in keys}
            invoices = [invoice for invoice in invoices if invoice.key in keys]
        planned = {invoice.key: invoice for invoice in invoices}
        new = [invoice for key, invoice in planned.items() if key not in saved]
        gone = [row.id for key, row in saved.items() if key not in planned]
        kept = [(saved[key], invoice) for key, invoice in planned.items() if key in saved]
        places = self._places(new, planned) if keys is None else self._near(new, all_saved)
        # sudo: users may choose among rows, and make none
        rows = self.env["healthcare.billing.run.line"].sudo()
        rows.browse(gone).unlink()
        created = self._insert_rows([self._prepare_row(inv) | places[inv.key] for inv in new])
        self._write_changed_rows(
            {row.id: inv for row, inv in kept if row.content != self._row_content(inv)}
        )
        relinked = {row.id: inv for row, inv in kept if row.charge_ids != frozenset(inv.charge_ids)}
        self._link_charges(relinked | {created[invoice.key]: invoice for invoice in new})
        if keys is None:
            self._number_rows(planned)
        self._forget_rows()

    @api.model
    def _places(self, new, planned):
        """Sequence of new rows: the plan's order."""
        order = {key: sequence for sequence, key in enumerate(planned)}
        return {invoice.key: {"sequence": order[invoice.key]} for invoice in new}

    @api.model
    def _near(self, new, saved):
        """Sequence and selection of new rows: those of the rows that had the charges before.

        :param dict saved: rows before the change, of ``_saved_rows``
        """
        places = {}
        for invoice in new:
            origins = [r for r in saved.values() if not r.charge_ids.isdisjoint(invoice.charge_ids)]
            places[invoice.key] = {
                "sequence": max((row.sequence for row in origins), default=0),
                "selected": any(row.selected for row in origins) or not origins,
            }
        return places

    def _saved_rows(self):
        """Rows of the preview.

        :return: ``{plan key: SavedRow}``
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """SELECT l.plan_key, l.id, array_agg(rel.charge_id), l.amount, l.values,
                          l.sequence, l.selected
                     FROM healthcare_billing_run_line l
                LEFT JOIN healthcare_run_line_charge_rel rel ON rel.line_id = l.id
                    WHERE l.run_id = %s AND l.state = 'planned'
                 GROUP BY l.id""",
                self.id,
            )
        )
        return {
            key: SavedRow(
                row_id,
                frozenset(charge_ids) - {None},
                self._content(float(amount or 0), (values or {}).get("amounts")),
                sequence or 0,
                bool(selected),
            )
            for key, row_id, charge_ids, amount, values, sequence, selected in rows
        }

    @api.model
    def _content(self, amount, amounts):
        return round(amount, 6), tuple(sorted((amounts or {}).items()))

    @api.model
    def _row_content(self, invoice):
        return self._content(invoice.amount, dict(invoice.amounts))

    def _prepare_row(self, invoice):
        """Values of a new row, from a :class:`PlannedInvoice`."""
        return {
            "run_id": self.id,
            "company_id": invoice.company_id,
            "currency_id": invoice.currency_id,
            "partner_id": invoice.partner_id,
            "client_id": invoice.client_id,
            "payer_id": invoice.payer_id,
            "charge_count": len(invoice.charge_ids),
            "amount": invoice.amount,
            "amount_company": self._in_run_currency(invoice),
            "plan_key": invoice.key,
            "values": self._row_values(invoice),
            "narration": invoice.values.get("narration") or False,
            "group_single_claim": bool(invoice.values.get("group_single_claim")),
            "state": "planned",
            "selected": True,
            **invoice.details,
        }

    @api.model
    def _row_values(self, invoice):
        """What a row keeps of its plan besides its columns. Overriders may add to it.

        :param invoice: :class:`PlannedInvoice`
        :return: dict that JSON can hold
        """
        return {"amounts": dict(invoice.amounts)}

    def _insert_rows(self, vals_list):
        """Insert new rows. The ORM takes five times as long, most of it for rounding once more.

        :param vals_list: values of stored fields, all with the same names
        :return: ``{plan key: row id}``
        """
        if not vals_list:
            return {}
        lines = self.env["healthcare.billing.run.line"]
        names = list(vals_list[0])
        convert = {
            name: lines._fields[name].convert_to_column
            for name in names
            if lines._fields[name].type in ("html", "json")
        }
        known = {}  # a note is the same on all rows, and takes long to be sanitized

        def column(name, value):
            if name not in convert:
                return None if value is False and lines._fields[name].type != "boolean" else value
            key = (name, str(value))
            if key not in known:
                known[key] = convert[name](value, lines)
            return known[key]

        log = {"create_uid": self.env.uid, "write_uid": self.env.uid}
        log |= {"create_date": self.env.cr.now(), "write_date": self.env.cr.now()}
        rows = [
            SQL("%s", (*(column(name, vals[name]) for name in names), *log.values()))
            for vals in vals_list
        ]
        return dict(
            self.env.execute_query(
                SQL(
                    """INSERT INTO healthcare_billing_run_line (%s) VALUES %s
                         RETURNING plan_key, id""",
                    SQL(", ").join(SQL.identifier(name) for name in (*names, *log)),
                    SQL(", ").join(rows),
                )
            )
        )

    def _in_run_currency(self, invoice):
        currency = self.env["res.currency"].browse(invoice.currency_id)
        company = self.env["res.company"].browse(invoice.company_id)
        return currency._convert(invoice.amount, self.currency_id, company, self.invoice_date)

    def _write_changed_rows(self, changed):
        """Bring rows up to date.

        :param dict changed: ``{row id: PlannedInvoice}``
        """
        if not changed:
            return
        self.env.cr.execute(
            SQL(
                """UPDATE healthcare_billing_run_line l
                      SET amount = v.amount, amount_company = v.amount_company,
                          charge_count = v.charge_count, values = v.contents::jsonb,
                          write_uid = %s, write_date = NOW() AT TIME ZONE 'UTC'
                     FROM unnest(%s::int[], %s::numeric[], %s::numeric[], %s::int[], %s::text[])
                          AS v(id, amount, amount_company, charge_count, contents)
                    WHERE l.id = v.id""",
                self.env.uid,
                list(changed),
                [invoice.amount for invoice in changed.values()],
                [self._in_run_currency(invoice) for invoice in changed.values()],
                [len(invoice.charge_ids) for invoice in changed.values()],
                [json.dumps(self._row_values(invoice)) for invoice in changed.values()],
            )
        )

    def _link_charges(self, invoices):
        """Make the charges of rows those of planned invoices.

        :param dict invoices: ``{row id: PlannedInvoice}``
        """
        if not invoices:
            return
        pairs = [
            (row_id, charge_id)
            for row_id, invoice in invoices.items()
            for charge_id in invoice.charge_ids
        ]
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "DELETE FROM healthcare_run_line_charge_rel WHERE line_id = ANY(%s)", list(invoices)
            )
        )
        self.env.cr.execute(
            SQL(
                """INSERT INTO healthcare_run_line_charge_rel (line_id, charge_id)
                   SELECT * FROM unnest(%s::int[], %s::int[])""",
                [row_id for row_id, _charge_id in pairs],
                [charge_id for _row_id, charge_id in pairs],
            )
        )

    def _number_rows(self, keys):
        """Put the rows into the plan's order.

        :param keys: iterable of plan keys
        """
        keys = list(keys)
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """UPDATE healthcare_billing_run_line l
                      SET sequence = v.sequence
                     FROM unnest(%s::text[], %s::int[]) AS v(plan_key, sequence)
                    WHERE l.run_id = %s AND l.plan_key = v.plan_key
                      AND l.sequence IS DISTINCT FROM v.sequence""",
                keys,
                list(range(len(keys))),
                self.id,
            )
        )

    def _forget_rows(self):
        """Rows were written by statements of our own: nothing of them in the cache counts."""
        self.env["healthcare.billing.run.line"].invalidate_model()
        self.env["healthcare.billing.run.exclusion"].invalidate_model()
        self.env["healthcare.billing.run.reason"].invalidate_model()
        self.invalidate_recordset()

    # -- left out --------------------------------------------------------------------------------
    def _replace_exclusions(self, blocked, charge_ids=None):
        """Write down what is left out, one exclusion per charge and reason.

        :param blocked: ``{charge id: codes}``
        :param charge_ids: the charges that were planned anew; default: all of the run
        """
        self.env.flush_all()
        scope = SQL("TRUE") if charge_ids is None else SQL("charge_id = ANY(%s)", list(charge_ids))
        self.env.cr.execute(
            SQL(
                "DELETE FROM healthcare_billing_run_exclusion WHERE run_id = %s AND %s",
                self.id,
                scope,
            )
        )
        reasons = {r.code: r.id for r in self.env["healthcare.block.reason"].search([])}
        pairs = [
            (charge_id, reasons[code])
            for charge_id, codes in blocked.items()
            for code in codes
            if code in reasons and code not in FINAL_CODES
        ]
        if pairs:
            self.env.cr.execute(
                SQL(
                    """INSERT INTO healthcare_billing_run_exclusion
                              (run_id, charge_id, reason_id, company_id, client_id, service_date,
                               create_uid, create_date, write_uid, write_date)
                       SELECT %(run)s, c.id, v.reason_id, c.company_id, c.client_id, c.service_date,
                              %(uid)s, NOW() AT TIME ZONE 'UTC', %(uid)s, NOW() AT TIME ZONE 'UTC'
                         FROM unnest(%(charges)s::int[], %(reasons)s::int[])
                              WITH ORDINALITY AS v(charge_id, reason_id, position)
                         JOIN healthcare_charge c ON c.id = v.charge_id
                     ORDER BY v.position""",
                    run=self.id,
                    uid=self.env.uid,
                    charges=[charge_id for charge_id, _reason_id in pairs],
                    reasons=[reason_id for _charge_id, reason_id in pairs],
                )
            )
        self._forget_rows()

    # -- planning again --------------------------------------------------------------------------
    def _open_preview(self):
        """Take a preview for a change: two users, or a change and its execution, come in turn."""
        self.ensure_one()
        self.check_access("write")
        if not self.try_lock_for_update():
            raise UserError(
                self.env._("%s is being changed by another user. Try again.", self.name)
            )
        self._check_preview()
        self._touch()

    def _check_preview(self):
        if any(run.state != "draft" for run in self):
            raise UserError(self.env._("Only a preview can be changed. Search again."))

    def action_search_again(self):
        """Plan the same criteria anew; rows that are still there stay as the user chose them."""
        self._open_preview()
        if not self.charge_domain:
            raise UserError(
                self.env._("%s wasn't made by a search. Go back and search anew.", self.name)
            )
        charges = self.env["healthcare.charge"]._find_to_bill(self.charge_domain)
        self._load_plan(self._engine().plan(charges, **self._plan_options()))

    def _replan_all(self):
        """Plan the run's rows again, after an option that counts for all of them changed."""
        self._open_preview()
        charges = self.line_ids.charge_ids
        plan = self._engine().plan(charges, **self._plan_options())
        self._update_rows(plan.invoices)
        self._replace_exclusions(plan.blocked, charges.ids)

    def _replan(self, charges):
        """Bring every row up to date that a change of these charges touches.

        A part may have moved to another row, made a new one or emptied its own; a charge may be
        blocked now, or no more. All that is in rows which lose or gain something is planned again.

        :param charges: ``healthcare.charge`` recordset that was changed
        """
        self._open_preview()
        saved = self._saved_rows()
        before = defaultdict(set)
        for key, row in saved.items():
            for charge_id in row.charge_ids:
                before[charge_id].add(key)
        moved = set(charges.ids) | self._charges_that_depend_on(charges, set(before))
        keys = set().union(*(before[charge_id] for charge_id in moved))
        while True:
            scope = moved.union(*(saved[key].charge_ids for key in keys if key in saved))
            plan = self._engine().plan(charges.browse(scope), **self._plan_options())
            after = defaultdict(set)
            for invoice in plan.invoices:
                for charge_id in invoice.charge_ids:
                    after[charge_id].add(invoice.key)
            also_moved = {c for c in scope - moved if after[c] != before[c]}
            touched = set().union(*(after[c] | before[c] for c in moved | also_moved))
            if not also_moved and touched <= keys:
                break
            moved |= also_moved
            keys |= touched
        self._update_rows(plan.invoices, keys)
        self._replace_exclusions({c: plan.blocked[c] for c in moved if c in plan.blocked}, moved)

    def _charges_that_depend_on(self, charges, in_rows):
        """Charges of the run that a change of others may block or free: they share its units.

        :param set in_rows: ids of the charges on rows
        :return: set of ids
        """
        authorizations = charges.authorization_id
        if not authorizations:
            return set()
        sharing = self.env["healthcare.charge"].search(
            [("authorization_id", "in", authorizations.ids)]
        )
        left_out = self.env["healthcare.billing.run.exclusion"].search_fetch(
            [("run_id", "=", self.id), ("charge_id", "in", sharing.ids)], ["charge_id"]
        )
        return set(sharing.ids) & (in_rows | set(left_out.charge_id.ids))

    # -- selection -------------------------------------------------------------------------------
    def action_select_all(self):
        """Tick every row, whatever page is shown."""
        self._write_on_rows({"selected": True})

    def action_deselect_all(self):
        """Untick every row."""
        self._write_on_rows({"selected": False})

    def set_selected(self, line_ids, selected):
        """Tick or untick some rows, from the boxes of the rows and of the page.

        :param line_ids: ids of rows of this run
        :param bool selected: ticked
        :return: the run's totals, so that the screen need not be loaded again
        """
        self.ensure_one()
        self._write_on_rows({"selected": bool(selected)}, [("id", "in", list(line_ids))])
        return self.read(self._total_fields(), load=None)[0]

    def _selection_mark(self):
        """Text that changes whenever what would be booked does: which rows, their sums, and how.

        Count and sum don't tell: as many items at the same fee may be those of others.
        """
        self.ensure_one()
        self.env.flush_all()
        lines = self.env["healthcare.billing.run.line"]
        query = lines._search([("run_id", "=", self.id), ("selected", "=", True)])
        [[rows]] = self.env.execute_query(
            SQL(
                """SELECT md5(string_agg(CONCAT_WS('/', id, charge_count, amount, amount_company),
                                         ',' ORDER BY id))
                     FROM healthcare_billing_run_line
                    WHERE id IN %s""",
                query.subselect(),
            )
        )
        return f"{rows}-{self.post}"

    @api.model
    def _total_fields(self):
        return ["selected_count", "selected_charge_count", "amount_selected"]

    def _write_on_rows(self, vals, domain=()):
        """Write the same on many rows with one statement, where the ORM would need fifty.

        :param dict vals: values of the fields that are the user's
        :param domain: which rows of these runs; those that the user may not see never are
        """
        self.check_access("write")
        self._check_preview()
        lines = self.env["healthcare.billing.run.line"]
        lines.check_access("write")
        self._touch()
        query = lines._search(
            Domain("run_id", "in", self.ids) & Domain("state", "=", "planned") & Domain(domain)
        )
        columns = SQL(", ").join(
            SQL(
                "%s = %s",
                SQL.identifier(name),
                lines._fields[name].convert_to_column(value, lines),
            )
            for name, value in vals.items()
        )
        self.env.cr.execute(
            SQL(
                """UPDATE healthcare_billing_run_line
                      SET %s, write_uid = %s, write_date = NOW() AT TIME ZONE 'UTC'
                    WHERE id IN %s""",
                columns,
                self.env.uid,
                query.subselect(),
            )
        )
        self._forget_rows()

    def action_view_rows(self):
        """Open the rows in a list of their own, to be searched and grouped."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "healthcare_billing.healthcare_billing_run_line_action"
        )
        return {**action, "domain": [("run_id", "=", self.id)]}
