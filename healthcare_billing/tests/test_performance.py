from datetime import timedelta

from odoo.models import BaseModel
from odoo.tests import Form, tagged

from .common import A_DAY, CareCommon


@tagged("post_install", "-at_install")
class TestPerformance(CareCommon):
    """Twice the care costs no more queries: nothing is asked or written record by record.

    The engine's own growth is pinned in ``test_engine_execute``.
    """

    NUMBER = 6

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._fee_schedule({cls.visit_service: 70.0})
        second = cls._payer("Second Insurance")
        cls.clients = cls.env["res.partner"]
        for number in range(2 * cls.NUMBER):
            client = cls._insured_client(f"Client {number}", copay=10.0)
            coverage = cls._coverage(client, second, sequence=20)
            client.billing_account_ids.coverage_ids += coverage
            cls.clients += client

    def _visits(self, number, **vals):
        return self.env["healthcare.appointment"].create(self._visit_values(number, **vals))

    def _visit_values(self, number, **vals):
        return [
            {
                "client_id": client.id,
                "start": self._local(A_DAY + timedelta(days=day % 3)),
                "employee_id": self.provider.id,
                "product_id": self.visit_service.id,
                "state": "completed",
            }
            | vals
            for day, client in enumerate(self.clients[:number])
        ]

    def assert_no_growth(self, prepare, act, slack=2):
        """``act(prepare(2N))`` needs no more queries than ``act(prepare(N))``.

        :param int slack: queries more that a longer list may cost, such as for a longer page
        """
        counts = []
        for number in (1, self.NUMBER, 2 * self.NUMBER):  # the first one fills caches
            given = prepare(number)
            self.env.flush_all()
            self.env.invalidate_all()
            if isinstance(given, BaseModel):  # read together, as by a request of its own
                given = given.browse(given.ids)
            before = self.env.cr.sql_log_count
            act(given)
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[2], counts[1] + slack, counts)

    # -- care -----------------------------------------------------------------------------------

    def test_setup_has_prices_and_parts_of_all_kinds(self):
        charges = self._visits(2).charge_ids
        self.assertEqual(charges.mapped("price_source"), ["fee_schedule"] * 2)
        self.assertEqual(charges.mapped("amount_client"), [10.0] * 2)

    def test_create_appointments(self):
        self.assert_no_growth(self._visit_values, self.env["healthcare.appointment"].create)

    def test_complete(self):
        self.assert_no_growth(
            lambda number: self._visits(number, state="scheduled"),
            lambda visits: visits.action_complete(),
        )

    def test_complete_in_qa(self):
        self.company.healthcare_qa_review = True
        self.assert_no_growth(
            lambda number: self._visits(number, state="scheduled"),
            lambda visits: visits.action_complete(),
        )
        self.assert_no_growth(self._visits, lambda visits: visits.action_qa_done())

    def test_miss_cancel_approve_park(self):
        for action in ("action_no_show", "action_late_cancel", "action_cancel"):
            with self.subTest(action=action):
                self.assert_no_growth(
                    lambda number: self._visits(number, state="scheduled"),
                    lambda visits, action=action: getattr(visits, action)(),
                )
        for action in ("action_approve", "action_reject", "_park", "action_sign_note"):
            with self.subTest(action=action):
                self.assert_no_growth(
                    self._visits, lambda visits, action=action: getattr(visits, action)()
                )

    def test_change_service(self):
        self.assert_no_growth(
            self._visits, lambda visits: visits.write({"product_id": self.service.id})
        )

    def test_find_prices_again(self):
        self.assert_no_growth(
            lambda number: self._visits(number).charge_ids, lambda charges: charges._apply_prices()
        )

    # -- why not billed -------------------------------------------------------------------------

    def test_block_reasons(self):
        def blocked(number):
            return self._visits(number, parked=True, diagnosis_ids=False, employee_id=False)

        self.assert_no_growth(blocked, lambda visits: visits.mapped("block_reason_ids.name"))
        self.assert_no_growth(
            lambda number: blocked(number).charge_ids,
            lambda charges: charges.mapped("block_reason_ids.name"),
        )
        parked = self.env["healthcare.block.reason"].search([("code", "=", "parked")])
        visits = self.env["healthcare.appointment"]
        for domain in (
            [("block_reason_ids", "in", parked.ids)],
            [("block_reason_ids", "=", False)],
            [("block_reason_ids.code", "=", "parked")],
        ):
            with self.subTest(domain=domain):
                self.assert_no_growth(
                    blocked, lambda _visits, domain=domain: visits.search(domain).mapped("name")
                )

    def test_lists_as_the_web_client_reads_them(self):
        for model in ("healthcare.appointment", "healthcare.charge"):
            records = self.env[model]
            fields = {
                name: {"fields": {"display_name": {}}} if "_id" in name else {}
                for name in records.get_view(view_type="list")["models"][model]
            }
            with self.subTest(model=model):
                self.assert_no_growth(
                    self._visits,
                    lambda _visits, records=records, fields=fields: records.web_search_read(
                        [("client_id", "in", self.clients.ids)], fields
                    ),
                )

    # -- runs -----------------------------------------------------------------------------------

    def _run_of(self, number):
        blocked = self._visits(number, parked=True)
        return self._plan((self._visits(number) | blocked).charge_ids).save()

    def test_preview(self):
        self.assert_no_growth(
            lambda number: self._visits(number).charge_ids, lambda c: self._plan(c).save()
        )

    def test_open_the_run(self):
        run = self._run_of(1)
        fields = Form(run)._view["fields_spec"]
        fields["line_ids"]["limit"] = 80
        self.assertIn("partner_id", fields["line_ids"]["fields"])
        self.assert_no_growth(self._run_of, lambda run: run.web_read(fields))
        self.assert_no_growth(
            lambda number: self._engine().execute(self._run_of(number)),
            lambda run: run.web_read(fields),
        )

    def test_select_all_and_none(self):
        self.assert_no_growth(self._run_of, lambda run: run.action_deselect_all())

        def deselected(number):
            run = self._run_of(number)
            run.action_deselect_all()
            return run

        self.assert_no_growth(deselected, lambda run: run.action_select_all())

    def test_search_again(self):
        def searched(number):
            run = self._run_of(number)
            run.sudo().charge_domain = [("id", "in", run.line_ids.charge_ids.ids)]
            return run

        self.assert_no_growth(searched, lambda run: run.action_search_again())
