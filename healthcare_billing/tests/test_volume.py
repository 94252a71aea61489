from odoo.fields import Command
from odoo.tests import Form, tagged

from .test_batch_invoicing import BatchCommon


@tagged("post_install", "-at_install")
class TestVolume(BatchCommon):
    """A preview of 600 rows takes the queries of one of 300: nothing is done row by row."""

    NUMBER = 300

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clients = cls.env["res.partner"].create(
            [
                {"name": f"Client {number:03}", "is_healthcare_client": True}
                for number in range(2 * cls.NUMBER)
            ]
        )
        start = cls._local(cls.today, 0.25)
        values = {
            "start": start,
            "employee_id": cls.provider.id,
            "product_id": cls.visit_service.id,
            "state": "completed",
        }
        create = cls.env["healthcare.appointment"].create
        create([{**values, "client_id": client.id} for client in cls.clients])
        # left out, all of them
        create([{**values, "client_id": client.id, "parked": True} for client in cls.clients])

    def _wizard(self, number):
        clients = self.clients[:number]
        env = self._act_as(self.biller)
        return env["healthcare.batch.invoicing"].create({"client_ids": [Command.set(clients.ids)]})

    def _run(self, number):
        return (
            self.env["healthcare.billing.run"]
            .browse(self._wizard(number).action_search()["res_id"])
            .with_env(self._act_as(self.biller))
        )

    def assert_same_queries(self, prepare, act, slack=4):
        """``act(prepare(2N))`` needs hardly more queries than ``act(prepare(N))``."""
        counts = []
        for number in (1, self.NUMBER, 2 * self.NUMBER):  # the first one fills caches
            given = prepare(number)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            act(given)
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[2], counts[1] + slack, counts)
        return counts[2]

    def test_search(self):
        self.assert_same_queries(self._wizard, lambda wizard: wizard.action_search())
        run = self._run(2 * self.NUMBER)
        self.assertEqual(
            (run.line_count, run.selected_charge_count, run.excluded_count), (600, 600, 600)
        )
        self.assertEqual(run.amount_total, 48000.0)

    def test_open(self):
        """One page of rows, one line per reason, and totals, whatever the size of the run."""
        spec = Form(self._run(1))._view["fields_spec"]
        names = ("selected", "partner_id", "client_id", "charge_count", "amount", "state")
        spec["line_ids"] = {"fields": {name: {} for name in names}, "limit": 80}
        self.assert_same_queries(self._run, lambda run: run.web_read(spec))
        [values] = self._run(2 * self.NUMBER).web_read(spec)
        self.assertEqual(len(values["line_ids"]), 600)
        self.assertEqual(len([row for row in values["line_ids"] if "amount" in row]), 80)
        self.assertEqual([reason["item_count"] for reason in values["left_out_ids"]], [600])
        self.assertNotIn("exclusion_ids", spec)

    def test_select_one_page_and_all(self):
        for act in (
            lambda run: run.set_selected(run.line_ids.ids[:1], False),
            lambda run: run.set_selected(run.line_ids.ids[:80], False),
            lambda run: run.action_deselect_all(),
            lambda run: run.line_ids.action_deselect(),
        ):
            self.assertLess(self.assert_same_queries(self._run, act), 20)

    def test_confirmation(self):
        def ask(run):
            wizard = run.env["healthcare.billing.run.confirm"].create({"run_id": run.id})
            wizard.read(["invoice_count", "item_count", "amount", "in_background"])

        self.assertLess(self.assert_same_queries(self._run, ask), 30)

    def test_search_again(self):
        self.assert_same_queries(self._run, lambda run: run.action_search_again())

    def test_search_again_after_changes(self):
        """Half of the rows are new, and others have other sums."""

        def changed(number):
            run = self._run(number)
            visits = self.env["healthcare.appointment"].search(
                [("client_id", "in", self.clients[:number].ids)]
            )
            visits.filtered("parked")[: number // 2].action_unpark()
            return run

        self.assert_same_queries(changed, lambda run: run.action_search_again())

    def test_correct_a_row(self):
        def correct(run):
            row = run.line_ids[:1]
            charge = row.charge_ids[:1]
            row.web_save({"charge_ids": [Command.update(charge.id, {"quantity": 2.0})]}, {})

        self.assertLess(self.assert_same_queries(self._run, correct), 80)

    def test_apply_to_all(self):
        def apply(**vals):
            def act(run):
                Apply = run.env["healthcare.billing.run.apply"]
                Apply.with_context(default_run_id=run.id).create(vals).action_apply()

            return act

        note = apply(narration="<p>Thank you</p>", claim="single")
        self.assertLess(self.assert_same_queries(self._run, note), 40)
        self.assert_same_queries(
            self._run, apply(line_ids=[Command.create({"name": "Copies", "price_unit": 5.0})])
        )
