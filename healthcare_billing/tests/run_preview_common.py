from .test_batch_invoicing import BatchCommon


class PreviewCommon(BatchCommon):
    """A preview with rows of a self-payer and of an insured client with a co-pay."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.visits = (
            cls._visit(cls.alice)
            | cls._visit(cls.alice, hour=0.5)
            | cls._visit(cls.ivy)
            | cls._visit(cls.ivy, hour=0.5)
        )
        cls.visits[3].charge_ids.amount_client = 0.0

    def setUp(self):
        super().setUp()
        self.run = self._search()

    def _row(self, partner, run=None):
        return (run or self.run).line_ids.filtered(lambda line: line.partner_id == partner)

    def _amounts(self, run=None):
        """``{addressee: sum}`` of the rows."""
        return {line.partner_id.name: line.amount for line in (run or self.run).line_ids}

    def assert_as_planned(self, run=None):
        """Rows and what is left out are what a search would find now."""
        run = run or self.run
        plan = run._engine().plan(
            self.env["healthcare.charge"].search(run.charge_domain).with_env(run.env),
            **run._plan_options(),
        )
        self.env.invalidate_all()
        self.assertEqual(
            {line.plan_key: (line.amount, set(line.charge_ids.ids)) for line in run.line_ids},
            {invoice.key: (invoice.amount, set(invoice.charge_ids)) for invoice in plan.invoices},
        )
        self.assertEqual(
            {line.plan_key: line.values["amounts"] for line in run.line_ids},
            {invoice.key: dict(invoice.amounts) for invoice in plan.invoices},
        )
        self.assertEqual(
            {line.charge_count for line in run.line_ids},
            {len(line.charge_ids) for line in run.line_ids},
        )
        self.assertEqual(
            {(e.charge_id.id, e.reason_id.code) for e in run.exclusion_ids},
            {(charge, code) for charge, codes in plan.blocked.items() for code in codes},
        )
        self.assertEqual(run.amount_total, sum(i.amount for i in plan.invoices))
