from datetime import timedelta
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import A_DAY, CareCommon

NO_LICENSE = "Pat Provider has no CPT license for 2025. Assign one."


@tagged("post_install", "-at_install")
class TestFaults(CareCommon):
    """R28: a bad row says in a biller's words what is wrong, and never stops the others."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.setup_other_company(name="Sister Practice")["company"]
        cls.other.healthcare_tz = "America/New_York"
        cls.env = cls.env(
            context={**cls.env.context, "allowed_company_ids": [cls.company.id, cls.other.id]}
        )
        cls.company = cls.env["res.company"].browse(cls.company.id)
        cls.clients = {
            name: cls._client(name)
            for name in ("Ann", "Ben", "Cora", "Dan", "Eve", "Finn", "Gus", "Hal")
        }
        cls.charges = {name: cls._charge(client) for name, client in cls.clients.items()}

    def setUp(self):
        super().setUp()
        self.charges = dict(self.charges)  # tests exchange some

    def _preview(self, *names, post=False, **options):
        charges = self.env["healthcare.charge"].union(*(self.charges[name] for name in names))
        run = self._plan(charges, **options).save()
        run.post = post
        return run

    def _row(self, run, name):
        return run.line_ids.filtered(lambda line: line.client_id == self.clients[name])

    def _assert_only_fails(self, run, name, message, state="failed"):
        """Execute: all rows are created but one, which says why."""
        run.action_execute()
        bad = self._row(run, name)
        self.assertEqual(bad.state, state, bad.message)
        self.assertRegex(bad.message, message)
        self.assertFalse(bad.move_id)
        others = run.line_ids - bad
        self.assertEqual(set(others.mapped("state")), {"created"}, others.mapped("message"))
        self.assertEqual(self.charges[name].billing_stage, "billing_office")

    def _assert_retry_mends(self, run, name):
        """Retry touches the failed row only."""
        before = {line: (line.move_id, line.move_id.write_date) for line in run.line_ids}
        run.action_retry()
        self.assertEqual(set(run.line_ids.mapped("state")), {"created"})
        self.assertEqual(run.created_count, len(run.move_ids))
        for line in run.line_ids - self._row(run, name):
            self.assertEqual((line.move_id, line.move_id.write_date), before[line])

    def _foreign_charge(self):
        """Care of the sister practice, for Hal."""
        env = self.env(context={"allowed_company_ids": [self.other.id, self.company.id]})
        service = self._service("Elsewhere", "E1", 50.0, property_account_income_id=False)
        account = env["healthcare.billing.account"].create(
            {"client_id": self.clients["Hal"].id, "company_id": self.other.id}
        )
        appointment = env["healthcare.appointment"].create(
            {
                "client_id": self.clients["Hal"].id,
                "billing_account_id": account.id,
                "company_id": self.other.id,
                "start": self._local(A_DAY),
                "product_id": service.id,
                "state": "completed",
            }
        )
        return appointment.charge_ids.with_env(self.env)

    # -- faults ----------------------------------------------------------------------------------

    def test_r28_refused_when_posting(self):
        """Such as a provider without a license: said by whatever extends ``_post``."""
        run = self._preview("Ann", "Ben", "Cora", "Dan", "Eve", post=True)
        original = self.registry["account.move"]._post

        def refuse(moves, soft=True):
            if self.clients["Cora"] in moves.partner_id:
                raise ValidationError(NO_LICENSE)
            return original(moves, soft)

        with patch.object(self.registry["account.move"], "_post", refuse):
            self._assert_only_fails(run, "Cora", NO_LICENSE)
        self._assert_retry_mends(run, "Cora")
        self.assertEqual(set(run.move_ids.mapped("state")), {"posted"})

    def test_r28_books_locked_since_the_preview(self):
        self.charges["Hal"] = self._foreign_charge()
        run = self._preview("Ann", "Ben", "Hal")
        self.other.sale_lock_date = self.today
        self._assert_only_fails(run, "Hal", "locked", state="skipped")
        self.other.sale_lock_date = self.today - timedelta(days=1)
        self._assert_retry_mends(run, "Hal")
        self.assertEqual(self._row(run, "Hal").move_id.company_id, self.other)

    def test_r28_archived_journal(self):
        self.charges["Hal"] = self._foreign_charge()
        run = self._preview("Ann", "Ben", "Hal")
        journals = self.env["account.journal"].search(
            [("company_id", "=", self.other.id), ("type", "=", "sale")]
        )
        journals.active = False
        self._assert_only_fails(run, "Hal", "journal|account", state="skipped")
        journals.active = True
        self._assert_retry_mends(run, "Hal")

    def test_r28_service_of_another_company(self):
        service = self._service("Moved", "M1", 40.0)
        self.charges["Dan"].product_id = service
        run = self._preview("Ann", "Ben", "Dan")
        # it was given to the sister practice behind the addon's back
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE product_template SET company_id = %s WHERE id = %s",
            [self.other.id, service.product_tmpl_id.id],
        )
        self.env.invalidate_all()
        self._assert_only_fails(run, "Dan", "compan")
        self.env.cr.execute(
            "UPDATE product_template SET company_id = NULL WHERE id = %s",
            [service.product_tmpl_id.id],
        )
        self.env.invalidate_all()
        self._assert_retry_mends(run, "Dan")

    def test_r28_income_account_out_of_use(self):
        service = self._service("Old account", "O1", 40.0)
        account = self.company_data["default_account_revenue"].copy({"code": "OLD1"})
        service.property_account_income_id = account
        self.charges["Dan"].product_id = service
        run = self._preview("Ann", "Ben", "Dan", post=True)
        account.active = False
        self._assert_only_fails(run, "Dan", "account|archived|deprecated")
        account.active = True
        self._assert_retry_mends(run, "Dan")

    def test_r28_rivals_invoice(self):
        run = self._preview("Ann", "Ben", "Cora")
        rival = self._execute(self.charges["Ben"]).move_ids
        run.action_execute()
        bad = self._row(run, "Ben")
        self.assertEqual(bad.state, "skipped")
        self.assertEqual(bad.message, f"Already invoiced on {rival.billing_ref}")
        self.assertEqual(run.created_count, 2)
        run.action_retry()
        self.assertEqual(bad.state, "skipped")
        self.assertEqual(run.created_count, 2)
        rival.unlink()
        run.action_retry()
        self.assertEqual(bad.state, "created")

    def test_r28_service_of_the_extra_line_deleted(self):
        extra = self._service("Form", "X1", 5.0)
        line = {"name": "Form", "price_unit": 5.0, "product_id": extra.id}
        run = self._preview("Ann", "Ben", extra_lines=[line])
        extra.unlink()
        run.action_execute()
        self.assertEqual(set(run.line_ids.mapped("state")), {"failed"})
        self.assertIn("extra line", run.line_ids[0].message)
        self.assertFalse(run.move_ids)

    def test_r28_extra_line_with_taxes_in_its_price(self):
        tax = self.tax_sale_a.copy({"name": "Inside", "price_include_override": "tax_included"})
        extra = self._service("Form", "X1", 115.0, taxes_id=[Command.set(tax.ids)])
        line = {"name": "Form", "price_unit": 115.0, "product_id": extra.id}
        run = self._preview("Ann", "Ben", extra_lines=[line])
        run.action_execute()
        self.assertEqual(set(run.line_ids.mapped("state")), {"failed"})
        self.assertIn("includes taxes", run.line_ids[0].message)

    def test_branch_is_blocked_by_taxes_of_its_parent(self):
        tax = self.tax_sale_a.copy({"name": "Inside", "price_include_override": "tax_included"})
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id, "healthcare_tz": "America/New_York"}
        )
        self.env.user.company_ids += branch
        env = self.env(context={"allowed_company_ids": [branch.id, self.company.id]})
        service = self._service("Inside", "I1", 120.0, taxes_id=[Command.set(tax.ids)])
        account = env["healthcare.billing.account"].create(
            {"client_id": self.clients["Hal"].id, "company_id": branch.id}
        )
        charge = (
            env["healthcare.appointment"]
            .create(
                {
                    "client_id": self.clients["Hal"].id,
                    "billing_account_id": account.id,
                    "company_id": branch.id,
                    "start": self._local(A_DAY),
                    "product_id": service.id,
                    "state": "completed",
                }
            )
            .charge_ids
        )
        plan = env["healthcare.billing.engine"].plan(charge)
        self.assertIn("included_tax", plan.blocked[charge.id])
        tax.active = False
        self.assertFalse(env["healthcare.billing.engine"].plan(charge).blocked)

    def test_r28_booked_sum_differs_from_the_one_shown(self):
        """Another addon changes the price on the way: nothing but what was shown is booked."""
        run = self._preview("Ann", "Ben", "Cora")
        engine = self.registry["healthcare.billing.engine"]
        original = engine._prepare_charge_line

        def dearer(this, charge, part, invoice, lang):
            line = original(this, charge, part, invoice, lang)
            if charge.client_id == self.clients["Ben"]:
                line["price_unit"] += 1
            return line

        with patch.object(engine, "_prepare_charge_line", dearer):
            self._assert_only_fails(run, "Ben", r"81\.00, not")
        self._assert_retry_mends(run, "Ben")

    def test_service_with_charges_cant_be_deleted(self):
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
            self.visit_service.unlink()

    @mute_logger("odoo.addons.healthcare_billing.models.billing_engine_execution")
    def test_r28_many_faults_at_once(self):
        """Every second row is at fault, each in its own way; the others are billed."""
        run = self._preview(*self.clients, post=True)
        self._execute(self.charges["Ben"])
        self.clients["Dan"].billing_account_ids.billing_status = "on_hold"
        self.charges["Finn"].price_unit = 81.0
        original = self.registry["account.move"]._post

        def refuse(moves, soft=True):
            if self.clients["Hal"] in moves.partner_id:
                raise ZeroDivisionError("division by zero")
            return original(moves, soft)

        with patch.object(self.registry["account.move"], "_post", refuse):
            run.action_execute()
        self.assertEqual(
            {name: self._row(run, name).state for name in self.clients},
            {
                "Ann": "created", "Ben": "skipped", "Cora": "created", "Dan": "skipped",
                "Eve": "created", "Finn": "skipped", "Gus": "created", "Hal": "failed",
            },
        )  # fmt: skip
        messages = {name: self._row(run, name).message for name in ("Ben", "Dan", "Finn", "Hal")}
        self.assertIn("Already invoiced on", messages["Ben"])
        self.assertIn("hold", messages["Dan"])
        self.assertIn("81.00 instead of", messages["Finn"].replace("\N{NO-BREAK SPACE}", " "))
        self.assertIn("Nothing was booked for this row", messages["Hal"])
        self.assertEqual(self.env["account.move"].search_count([
            ("billing_run_id", "=", run.id), ("state", "=", "posted")
        ]), 4)  # fmt: skip

    def test_fault_is_found_by_halving(self):
        """One bad row among many costs a few bookings more, not one per row."""
        charges = self.env["healthcare.charge"]
        for number in range(32):
            charges |= self._charge(self._client(f"More {number}"))
        run = self._plan(charges).save()
        bad = run.line_ids[11].client_id
        engine = self.registry["healthcare.billing.engine"]
        original = engine._create_moves
        booked = []

        def refuse(this, planned, run):
            booked.append(len(planned))
            if bad.id in {invoice.client_id for invoice in planned}:
                raise UserError(NO_LICENSE)
            return original(this, planned, run)

        with patch.object(engine, "_create_moves", refuse):
            run.action_execute()
        self.assertEqual((run.created_count, run.failed_count), (31, 1))
        self.assertEqual(sorted(booked), [1, 1, 2, 2, 4, 4, 8, 8, 16, 16, 32])

    def test_queries_of_skipped_rows_do_not_grow(self):
        counts = []
        for number in (5, 20, 40):
            charges = self.env["healthcare.charge"]
            for index in range(number):
                charges |= self._charge(self._client(f"Skipped {index}"))
            run = self._plan(charges).save()
            half = charges[: number // 2]
            self._execute(charges - half)
            half.billing_account_id.billing_status = "on_hold"
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._engine().execute(run)
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(run.skipped_count, number)
            self.assertTrue(all(run.line_ids.mapped("message")))
        self.assertLessEqual(counts[2], counts[1] + 3, counts)

    def test_queries_of_a_retry_do_not_grow(self):
        counts = []
        for number in (5, 20, 40):
            charges = self.env["healthcare.charge"]
            for index in range(number):
                charges |= self._charge(self._client(f"Retried {index}"))
            run = self._plan(charges).save()
            charges.billing_account_id.billing_status = "on_hold"
            self._engine().execute(run)
            charges[: number // 2].billing_account_id.billing_status = "active"
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            run.action_retry()
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual((run.created_count, run.skipped_count), (number // 2, -(-number // 2)))
        self.assertLessEqual(counts[2], counts[1] + 5, counts)
