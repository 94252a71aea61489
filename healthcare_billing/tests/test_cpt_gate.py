from datetime import date

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .test_cpt_license import LicenseCommon

NOW = "2025-03-12 15:00:00"
JANUARY = "2026-01-08 15:00:00"


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestCptGate(LicenseCommon):
    """R8: no CPT-coded care of a rendering provider without a paid license, through any door."""

    def _draft(self, **vals):
        """A draft of CPT-coded care, made while its provider was licensed."""
        charge = self._cpt_charge(**vals)
        cpt_license = self.licenses._holders(self.provider, 2025) or self._license()
        cpt_license.action_mark_paid()
        run = self._execute(charge)
        cpt_license.action_mark_unpaid()
        return run.move_ids, cpt_license

    def test_r8_blocks_until_paid(self):
        charge = self._cpt_charge()
        self.assertEqual(self._codes(charge), {"missing_license"})
        self.assertEqual(charge.block_reason_ids.code, "missing_license")
        cpt_license = self._license()
        self.assertEqual(self._codes(charge), {"missing_license"})
        cpt_license.action_mark_paid()
        self.assertFalse(self._codes(charge))
        cpt_license.action_cancel()
        self.assertEqual(self._codes(charge), {"missing_license"})

    def test_r8_search_agrees(self):
        charge, free = self._cpt_charge(), self._charge(self._client("Other"))
        both = ("id", "in", (charge + free).ids)
        reason = self.env.ref("healthcare_billing.block_reason_missing_license")
        Charge = self.env["healthcare.charge"]
        self.assertEqual(Charge.search([both, ("block_reason_ids", "in", reason.ids)]), charge)
        self.assertEqual(Charge.search([both, ("block_reason_ids", "=", False)]), free)

    def test_r8_not_rendering_or_no_cpt_needs_none(self):
        self.assertFalse(self._codes(self._charge(self._client())))
        local = self._service("Local", "00009", 10.0, code_system="local")
        self.assertFalse(self._codes(self._charge(self._client(), product_id=local.id)))
        aide = self._provider("Aide", is_rendering_provider=False)
        self.assertFalse(self._codes(self._cpt_charge(employee_id=aide.id)))
        run = self._execute(self._cpt_charge(employee_id=aide.id, hour=12), post=True)
        self.assertEqual(run.move_ids.state, "posted")

    def test_r8_whatever_the_kind_of_the_charge(self):
        """A CPT-coded service entered as a premium or an expense is the same service."""
        visit = self._appointment(self._client())
        for kind in ("premium", "expense"):
            with self.subTest(kind=kind):
                charge = self.env["healthcare.charge"].create(
                    {
                        "appointment_id": visit.id,
                        "kind": kind,
                        "product_id": self.cpt_service.id,
                        "price_unit": 30.0,
                    }
                )
                self.assertEqual(charge.employee_id, self.provider)
                self.assertEqual(self._codes(charge), {"missing_license"})
                cpt_license = self.licenses._holders(self.provider, 2025) or self._license()
                cpt_license.action_mark_paid()
                move = self._execute(charge).move_ids
                cpt_license.action_mark_unpaid()
                with self.assertRaisesRegex(UserError, "CPT license"), self.cr.savepoint():
                    move.action_post()

    def test_r8_license_of_march_covers_all_invoices_of_the_year(self):
        self._license(paid=True)
        charge = self._cpt_charge(day=date(2025, 1, 7))
        for invoice_date in (date(2025, 1, 10), date(2025, 3, 12)):
            self.assertFalse(self._codes(charge, invoice_date=invoice_date))

    def test_r8_year_of_the_invoice_date(self):
        """December's care, invoiced in January: by default January's license."""
        self._license(paid=True)
        charge = self._cpt_charge(day=date(2024, 12, 30))
        self.assertFalse(self._codes(charge))
        self.assertEqual(self._codes(charge, invoice_date=date(2024, 12, 31)), {"missing_license"})

    def test_r8_year_of_the_date_of_service(self):
        self.company.healthcare_license_date = "service"
        self._license(paid=True)
        december = self._cpt_charge(day=date(2024, 12, 30))
        march = self._cpt_charge(day=date(2025, 3, 3))
        self.assertEqual(self._codes(december), {"missing_license"})
        self.assertFalse(self._codes(march))
        self._license(year=2024, paid=True)
        self.assertFalse(self._codes(december))
        run = self._execute(december + march, post=True)
        self.assertEqual(set(run.move_ids.mapped("state")), {"posted"})

    def test_r8_expired_license_covers_its_own_year(self):
        """Posted in January with an invoice date of December."""
        self._license(paid=True)
        charge = self._cpt_charge()
        with freeze_time(JANUARY):
            self.licenses._expire(self.company, date(2026, 1, 8))
            self.assertEqual(self.licenses._holders(self.provider, 2025).state, "expired")
            self.assertEqual(self._codes(charge), {"missing_license"})
            run = self._execute(charge, post=True, invoice_date=date(2025, 12, 31))
            self.assertEqual(run.move_ids.state, "posted")

    def test_r8_one_unlicensed_provider_stops_no_run(self):
        free = self._charge(self._client("Free"))
        run = self._execute(self._cpt_charge() + free, post=True)
        self.assertEqual(run.line_ids.charge_ids, free)
        self.assertEqual(run.exclusion_ids.reason_id.code, "missing_license")

    # -- posting --------------------------------------------------------------------------------

    def test_r8_post_by_any_door(self):
        move, cpt_license = self._draft()
        doors = {
            "confirm": lambda: move.action_post(),
            "mass validation": lambda: (
                self.env["validate.account.move"]
                .with_context(active_model="account.move", active_ids=move.ids)
                .create({})
                .validate_move()
            ),
            "engine": lambda: self._engine()._post_moves(move),
            "server": lambda: move._post(),
        }
        for door, post in doors.items():
            with (
                self.subTest(door=door),
                self.assertRaisesRegex(UserError, r"paid CPT license.*\n.*Pat Provider, 2025"),
            ):
                post()
            self.assertEqual(move.state, "draft")
        cpt_license.action_mark_paid()
        move.action_post()
        self.assertEqual(move.state, "posted")

    def test_r8_one_message_names_all_invoices(self):
        moves = self.env["account.move"]
        for name in ("One", "Two"):
            moves += self._draft(client=self._client(name))[0]
        with self.assertRaises(UserError) as caught:
            moves._post()
        for move in moves:
            self.assertIn(move.billing_ref, str(caught.exception))

    def test_r8_post_of_a_run_fails_row_by_row(self):
        move, cpt_license = self._draft()
        run = move.billing_run_id
        run.action_post_drafts()
        self.assertEqual(move.state, "draft")
        self.assertIn("paid CPT license", run.line_ids.message)
        cpt_license.action_mark_paid()
        run.action_post_drafts()
        self.assertEqual(move.state, "posted")

    def test_r8_never_stops_a_credit_note(self):
        move, cpt_license = self._draft()
        cpt_license.action_mark_paid()
        move.action_post()
        cpt_license.action_mark_unpaid()
        refund = move._reverse_moves(cancel=True)
        self.assertEqual(refund.state, "posted")

    def test_r8_other_invoices_ask_no_license(self):
        move = self.init_invoice("out_invoice", amounts=[10.0])
        move.action_post()
        self.assertEqual(move.state, "posted")

    def test_r8_product_changed_by_hand(self):
        """A code that was typed over on the draft counts as well as the charge's own."""
        run = self._execute(self._charge(self._client()))
        line = run.move_ids.invoice_line_ids.filtered("charge_id")
        line.product_id = self.cpt_service
        with self.assertRaisesRegex(UserError, "paid CPT license"):
            run.move_ids.action_post()

    def test_r8_future_invoice_is_asked_on_its_day(self):
        move, cpt_license = self._draft()
        move.write({"invoice_date": date(2025, 3, 20), "date": date(2025, 3, 20)})
        move.with_context(check_move_validity=False)._post(soft=True)
        self.assertEqual((move.state, move.auto_post), ("draft", "at_date"))
        with freeze_time("2025-03-21 12:00:00"), self.assertRaises(UserError):
            move._post()
        cpt_license.action_mark_paid()
        with freeze_time("2025-03-21 12:00:00"):
            move._post()
        self.assertEqual(move.state, "posted")

    def test_r8_holds_with_the_station_off(self):
        self.env["res.config.settings"].create({"group_use_cpt_licenses": False}).execute()
        charge = self._cpt_charge()
        self.assertEqual(self._codes(charge), {"missing_license"})
        self.assertEqual(self._mend(charge)["res_model"], "healthcare.cpt.license.assign")

    # -- told at save ---------------------------------------------------------------------------

    def test_r8_told_on_the_draft(self):
        move, cpt_license = self._draft()
        alert = move.alerts["healthcare_missing_license"]
        self.assertIn("Pat Provider (2025)", alert["message"])
        self.assertEqual(alert["action"]["res_id"], cpt_license.id)
        cpt_license.action_mark_paid()
        move.invalidate_recordset(["alerts"])
        self.assertNotIn("healthcare_missing_license", move.alerts or {})

    def test_r8_told_without_a_button_to_those_who_assign_none(self):
        move, _license = self._draft()
        for kind in ("billing_user", "accountant"):
            alert = move.with_env(self._act_as(self._user(kind))).alerts
            self.assertIn("message", alert["healthcare_missing_license"])
            self.assertNotIn("action", alert["healthcare_missing_license"])

    def test_r8_cpt_service_by_hand_is_told_but_not_stopped(self):
        """No appointment, no charge: nobody knows who gave the care."""
        move = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.partner_a.id,
                "invoice_line_ids": [Command.create({"product_id": self.cpt_service.id})],
            }
        )
        self.assertEqual(move.alerts["healthcare_cpt_without_provider"]["level"], "info")
        move.action_post()
        self.assertFalse(move.alerts)

    # -- mending --------------------------------------------------------------------------------

    def _mend(self, charge, user=None, **context):
        reason = self.env.ref("healthcare_billing.block_reason_missing_license")
        if user:
            charge = charge.with_env(self._act_as(user))
        return charge.with_context(**context)._mend_action(reason.with_env(charge.env))

    def test_r8_mend_leads_to_assigning(self):
        charge = self._cpt_charge()
        action = self._mend(charge)
        wizard = self.env[action["res_model"]].with_context(**action["context"]).create({})
        self.assertEqual(wizard.employee_ids.ids, self.provider.ids)
        self.assertEqual(wizard.year, 2025)
        wizard.action_assign()
        action = self._mend(charge)
        self.assertEqual(action["res_model"], "healthcare.cpt.license")
        self.licenses.browse(action["res_id"]).action_mark_paid()
        self.assertFalse(self._codes(charge))

    def test_r8_mend_of_the_year_that_is_needed(self):
        charge = self._cpt_charge(day=date(2024, 12, 30))
        run = self._plan(charge, invoice_date=date(2024, 12, 31)).save()
        action = run.exclusion_ids.action_mend()
        self.assertEqual(action["context"]["default_year"], 2024)
        self.assertEqual(self._mend(charge)["context"]["default_year"], 2025)
        self.company.healthcare_license_date = "service"
        self.assertEqual(self._mend(charge)["context"]["default_year"], 2024)

    def test_r8_mend_by_others_names_who_can(self):
        charge = self._cpt_charge()
        with self.assertRaisesRegex(UserError, "Ask a billing manager"):
            self._mend(charge, self._user("billing_user"))
        action = self._mend(charge, self._user("billing_manager"))
        self.assertEqual(action["context"]["default_employee_ids"], self.provider.ids)

    # -- growth ---------------------------------------------------------------------------------

    def test_gate_is_one_query_for_all_moves(self):
        self._license(paid=True)

        def drafts(number):
            return self._execute(
                self.env["healthcare.charge"].union(
                    *(self._cpt_charge(self._client(f"C{number}-{i}")) for i in range(number))
                )
            ).move_ids

        for number in (1, 6, 12):
            moves = drafts(number)
            self.env.flush_all()
            self.env.invalidate_all()
            moves.mapped("move_type")
            moves.mapped("state")
            with self.assertQueryCount(1):
                self.assertFalse(moves._missing_cpt_licenses())

    def test_posting_cpt_costs_no_more_than_other_care(self):
        self._license(paid=True)

        def count(service, number=12):
            charges = self.env["healthcare.charge"].union(
                *(
                    self._charge(self._client(f"{service.name} {i}"), product_id=service.id)
                    for i in range(number)
                )
            )
            plan = self._plan(charges)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            moves = self._engine().execute(plan, post=True).move_ids
            self.env.flush_all()
            self.assertEqual(set(moves.mapped("state")), {"posted"})
            return self.env.cr.sql_log_count - before

        count(self.visit_service)  # fills caches
        self.assertLessEqual(count(self.cpt_service), count(self.visit_service) + 3)

    # -- the yearly report ----------------------------------------------------------------------

    def _users_of(self, year):
        self.env.flush_all()
        self.env.invalidate_all()
        return self.env["healthcare.cpt.user"].search(
            [("year", "=", year), ("company_id", "=", self.company.id)]
        )

    def test_report_counts_distinct_users(self):
        unlicensed, unused, aide = (
            self._provider("Unlicensed"),
            self._provider("Unused"),
            self._provider("Aide", is_rendering_provider=False),
        )
        self._license(paid=True)
        self._license(unused)
        for hour in (8, 10):
            self._cpt_charge(hour=hour)
        self._cpt_charge(employee_id=unlicensed.id, hour=12)
        self._cpt_charge(employee_id=aide.id, hour=13)
        self._cpt_charge(state="scheduled", employee_id=self._provider("Planned").id, hour=14)
        self._charge(self._client(), employee_id=self._provider("No CPT").id, hour=15)
        rows = {row.employee_id.name: row for row in self._users_of(2025)}
        self.assertEqual(set(rows), {"Pat Provider", "Unlicensed", "Unused", "Aide"})
        self.assertEqual(rows["Pat Provider"].charge_count, 2)
        self.assertEqual(rows["Pat Provider"].date_from, date(2025, 3, 12))
        self.assertEqual(rows["Pat Provider"].fee, 20.0)
        self.assertEqual(rows["Unlicensed"].action_view_license()["context"]["default_year"], 2025)
        [totals] = self.env["healthcare.cpt.user"]._read_group(
            [("year", "=", 2025), ("company_id", "=", self.company.id)],
            [],
            ["user_count:sum", "licensed_count:sum", "unlicensed_count:sum", "__count"],
        )
        self.assertEqual(totals, (3, 1, 2, 4))

    def test_report_by_year_of_care_and_of_invoice(self):
        """December's care, invoiced in March: a user of both years."""
        self._license(paid=True)
        charge = self._cpt_charge(day=date(2024, 12, 30))
        self._execute(charge, post=True)
        before, after = self._users_of(2024), self._users_of(2025)
        self.assertEqual((before.charge_count, before.invoiced_count), (1, 0))
        self.assertEqual((after.charge_count, after.invoiced_count), (0, 1))
        self.assertEqual((before.unlicensed_count, after.unlicensed_count), (1, 0))

    def test_r8_billed_again_needs_the_license_of_the_first_invoice(self):
        """Corrected in January: the provider who was licensed in December isn't renewed."""
        self._license(paid=True)
        charge = self._cpt_charge()
        old = self._execute(charge, post=True).move_ids
        with freeze_time(JANUARY):
            other = self._cpt_charge(hour=12)
            self.assertEqual(self._codes(other), {"missing_license"})
            for fee in (95.0, 85.0):  # however often
                old = old._credit_and_rebill({charge: {"price_unit": fee}})
                self.assertEqual((old.state, old.invoice_date.year), ("posted", 2026))
            draft = old._credit_and_rebill({charge: {"price_unit": 75.0}}, post=False)
            draft.action_post()
            self.assertEqual(draft.state, "posted")
            self.licenses._holders(self.provider, 2025).action_cancel()
            with self.assertRaisesRegex(UserError, "CPT"), self.cr.savepoint():
                draft._credit_and_rebill({charge: {"price_unit": 65.0}})
