from .common import A_DAY, CareCommon

STATUSES = ("invoiced", "credited", "later", "draft", "ready", "blocked", "not_billable")


class CompletenessCommon(CareCommon):
    """Reports over the month of ``A_DAY``, checked against charges, plan and ledger."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.alice = cls._client("Alice Adams")
        cls.ivy = cls._insured_client("Ivy Insured", copay=20.0)

    def _report(self, env=None, **criteria):
        report = (env or self.env)["healthcare.completeness"].create(
            {"date_from": A_DAY.replace(day=1), "date_to": A_DAY.replace(day=31)} | criteria
        )
        report.action_compute()
        return report

    def _figures(self, report):
        """Figures that aren't zero."""
        return {name: report[name] for name in STATUSES if report[name]}

    def _checked(self, **criteria):
        """A report that holds whatever is in it, to the cent and from other sources."""
        report = self._report(**criteria)
        same = self.company.currency_id.compare_amounts
        charges = self.env["healthcare.charge"].search(report._charge_domain())
        lines = self.env["account.move.line"].search(
            [
                ("charge_id", "in", charges.ids),
                ("parent_state", "=", "posted"),
                ("date", "<=", report.as_of),
            ]
        )
        lines = lines.filtered(lambda line: line.account_id.internal_group in ("income", "expense"))
        self.assertFalse(report.gap)
        self.assertFalse(report.ledger_gap)
        self.assertFalse(same(sum(report[name] for name in STATUSES), report.delivered))
        ledger = -sum(lines.mapped("balance"))
        self.assertFalse(same(report.ledger, ledger), (report.ledger, ledger))
        self.assertFalse(same(report.invoiced - report.difference + report.exchange, report.ledger))
        self.assertEqual(report.row_ids.charge_id.filtered(lambda c: c not in charges).ids, [])
        told = report.row_ids.grouped("charge_id")
        for charge in charges:
            rows = told.get(charge)
            if rows is None:
                self.assertEqual(charge.billing_stage, "planned")
                self.assertGreaterEqual(charge.service_date, self.company._care_today())
                continue
            self.assertFalse(
                charge.currency_id.compare_amounts(sum(rows.mapped("amount")), charge.amount),
                charge.display_name,
            )
        if report.as_of >= self.today:
            self._check_against_plan(report, charges)
        return report

    def _check_against_plan(self, report, charges):
        """Ready is what the engine would bill now; blocked is what it tells as blocked."""
        plan = self._plan(charges & report.row_ids.charge_id, invoice_date=report.invoice_date)
        planned = {
            (part.charge_id, part.responsibility): part.amount
            for invoice in plan.invoices
            for part in invoice.parts
        }
        rows = report.row_ids
        ready = rows.filtered(lambda row: row.status == "ready")
        self.assertEqual(
            {(row.charge_id.id, row.responsibility): row.amount for row in ready}, planned
        )
        reasons = {
            reason.code: reason.id for reason in self.env["healthcare.block.reason"].search([])
        }
        for row in rows.filtered(lambda row: row.status in ("blocked", "not_billable")):
            self.assertEqual(row.reason_id.id, reasons[plan.blocked[row.charge_id.id][0]])
        for status, state in (("draft", "draft"), ("invoiced", "posted")):
            live = charges.invoice_line_ids.filtered(
                lambda line, state=state: line.charge_live and line.parent_state == state
            )
            told = rows.filtered(
                lambda row, s=status: (
                    row.status == s and (row.amount or row.cause not in ("credit", "exchange"))
                )
            )
            self.assertEqual(set(told.charge_id.ids), set(live.charge_id.ids), status)
            self.assertEqual(len(told), len(live), status)

    def _bill(self, charges, post=True, **options):
        run = self._execute(charges, post=post, **options)
        self.assertEqual(set(run.line_ids.mapped("state")), {"created"})
        return run.line_ids.move_id

    def _credit(self, moves, share=None, day=None):
        """Credit notes of these moves, posted; with a share, of so much of each line."""
        notes = moves._reverse_moves(
            [{"invoice_date": day or self.today, "date": day or self.today} for _move in moves]
        )
        if share is not None:
            for line in notes.invoice_line_ids.filtered(lambda l: l.display_type == "product"):
                line.price_unit = line.currency_id.round(line.price_unit * share)
        notes.action_post()
        return notes
