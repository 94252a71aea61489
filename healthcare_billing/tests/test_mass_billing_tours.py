from datetime import timedelta

from odoo.tests import HttpCase, tagged

from .mass_common import MassCommon

LIST = "/odoo/care-mass-billing"


class MassScreenCommon(MassCommon, HttpCase):
    """A biller in front of five accounts with something to bill, and one without."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.ref("base.group_user").implied_ids |= cls.env.ref(
            "healthcare_billing.group_use_mass_billing"
        ) | cls.env.ref("healthcare_billing.group_use_billing_accounts")
        cls.biller = cls._user("billing_user", tz="America/New_York")
        today = cls.company._care_today()
        day = today - timedelta(days=1)
        cls.template = cls.env["ir.actions.report"].create(
            {
                "name": "Bill of Tests",
                "model": "account.move",
                "report_name": "account.report_invoice",
                "is_invoice_report": True,
            }
        )
        cls.anna = cls._matter("Anna Adams", day=day)
        cls.ben = cls._matter(
            "Ben Brown", work=(200.0,), day=day, billing_basis="quote", quote_amount=500.0
        )
        cls.cora = cls._matter("Cora Clark", work=(300.0,), expenses=(20.0,), day=day)
        cls.dora = cls._matter("Dora Dunn", work=(400.0,), day=today)
        cls.eve = cls._matter("Eve Evans", day=day, exclude_from_mass_billing=True)
        cls.bea = cls._matter("Bea Brown", work=())
        cls.bea.active = False
        cls.fay = cls._matter(
            "Fay Fisher", work=(10.0,), day=day, billing_basis="fixed", quote_amount=250.0
        )
        cls._bill(cls._mass_run(today), cls.fay).action_post()
        cls._record(cls.fay, work=(60.0,), day=day)

    def _runs(self):
        return self.env["healthcare.billing.run"].search([("user_id", "=", self.biller.id)])


@tagged("post_install", "-at_install")
class TestMassBillingTours(MassScreenCommon):
    def test_r24_bill_what_is_ticked(self):
        """Dates, why an account isn't there, two ticks, the question, the drafts."""
        self.start_tour(LIST, "healthcare_billing_mass_billing_tour", login=self.biller.login)
        run = self._runs()
        self.assertEqual(run.state, "done")
        self.assertEqual(run.date_up_to, self.company._care_today() - timedelta(days=1))
        self.assertEqual(run.invoice_date, self.company._care_today(), "only the cut-off changed")
        self.assertEqual(
            {move.partner_id.name: move.amount_untaxed for move in run.move_ids},
            {"Anna Adams": 100.0, "Ben Brown": 500.0},
        )
        self.assertEqual(set(run.move_ids.mapped("state")), {"draft"})

    def test_r24_bill_all_that_a_filter_finds(self):
        """Bill All takes the search, and a favorite works on the next list."""
        self.start_tour(
            LIST, "healthcare_billing_mass_billing_filter_tour", login=self.biller.login
        )
        done, draft = self._runs().sorted("id")
        self.assertEqual(done.move_ids.partner_id, self.ben.client_id)
        self.assertEqual((draft.state, draft.line_count), ("draft", 4))
        favorite = self.env["ir.filters"].search([("name", "=", "Quotes only")])
        self.assertEqual(
            favorite.action_id.id,
            self.env.ref("healthcare_billing.healthcare_mass_billing_action_list").id,
        )
        self.assertNotIn("run", favorite.domain + favorite.context)

    def test_r24_correct_a_row_first(self):
        """Template for all, another fee, an expense more, what is billed again, and why not."""
        self.start_tour(LIST, "healthcare_billing_mass_billing_row_tour", login=self.biller.login)
        run = self._runs()
        self.assertEqual(run.line_ids.invoice_template_id, self.template)
        row = self._row(run, self.anna)
        self.assertEqual((row.amount_time, row.amount_expense, row.amount), (150.0, 25.0, 175.0))
        self.assertTrue(self._row(run, self.fay).bill_again)


@tagged("post_install", "-at_install")
class TestMassBillingPhoneTours(MassScreenCommon):
    browser_size = "390x844"
    touch_enabled = True

    def test_r24_bill_on_the_phone(self):
        self.start_tour(LIST, "healthcare_billing_mass_billing_phone_tour", login=self.biller.login)
        self.assertEqual(sum(self._runs().move_ids.mapped("amount_untaxed")), 600.0)
