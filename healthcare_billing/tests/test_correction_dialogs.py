from datetime import timedelta

from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .test_adjudication import CorrectionCommon


@tagged("post_install", "-at_install")
class TestCorrectionDialogs(CorrectionCommon):
    """The dialogs show what is going to be booked, and book it once."""

    def _dialog(self, action):
        return self.env[action["res_model"]].browse(action["res_id"])

    # -- adjudicate ------------------------------------------------------------------------------
    def test_adjudicate(self):
        client = self._insured_client("Cora", copay=20.0)
        charge, _moves = self._posted_trip(client)
        charge._add_extra("finance_charge", {(charge, "primary"): 7.0})
        wizard = self._dialog(charge.action_adjudicate())
        line = wizard.line_ids
        self.assertRecordValues(
            line, [{"billed": 1507.0, "allowed": 1500.0, "client_part": 20.0, "has_payer": True}]
        )
        with Form(wizard) as form, form.line_ids.edit(0) as edited:
            edited.allowed = 360.0
            edited.sequestration = 5.0
            self.assertEqual(edited.client_part, 20.0)
            edited.client_part = 60.0
            self.assertEqual((edited.difference, edited.balance_then), (-1145.0, 362.0))
        wizard.action_confirm()
        wizard.action_confirm()
        self.assertEqual((charge.balance_client, charge.balance_payer), (60.0, 302.0))
        again = self._dialog(charge.action_adjudicate()).line_ids
        self.assertRecordValues(
            again,
            [{"allowed": 360.0, "sequestration": 5.0, "client_part": 60.0, "difference": 0.0}],
        )
        charge.action_unadjudicate()
        self.assertEqual(charge.amount_residual, 1507.0)
        with self.assertRaisesRegex(UserError, "None of this care"):
            charge.action_unadjudicate()
        self.assertProof()

    def test_adjudicate_what_is_ticked(self):
        charges = self._trip() | self._trip(hour=12)
        self._execute(charges, post=True)
        wizard = self._dialog(charges.appointment_id.action_adjudicate())
        wizard.line_ids.filtered(lambda line: line.charge_id == charges[0]).allowed = 100.0
        wizard.line_ids.filtered(lambda line: line.charge_id == charges[1]).is_decided = False
        wizard.action_confirm()
        self.assertEqual(charges.mapped("is_adjudicated"), [True, False])
        self.assertEqual(charges.mapped("amount_residual"), [100.0, 1500.0])
        with self.assertRaisesRegex(UserError, "Choose care that was given"):
            self._trip(hour=15, state="scheduled").action_adjudicate()

    # -- charges and discounts -------------------------------------------------------------------
    def _three(self):
        visits = self.env["healthcare.appointment"]
        for hour in (9, 11, 13):
            visits += self._appointment(self.anna, hour=hour)
        charges = visits.charge_ids
        move = self._execute(visits, post=True, invoice_date=self.today - timedelta(days=60))
        return charges, move.move_ids

    def test_fixed_amount_is_shared_to_the_cent(self):
        charges, _move = self._three()
        self._pay_item(charges[0], 80.0, "client")
        wizard = self._dialog(charges.action_add_extra())
        with Form(wizard) as form:
            form.kind = "discount"
            form.method = "fixed"
            form.amount = 10.01
            form.scope = "unpaid"
            self.assertEqual(form.total, 10.01)
        self.assertEqual(sorted(wizard.line_ids.mapped("amount")), [0.0, 5.0, 5.01])
        wizard.action_confirm()
        wizard.action_confirm()
        self.assertEqual(sum(charges.mapped("amount_residual")), 160.0 - 10.01)
        self.assertProof()

    def test_per_cent_of_ticked(self):
        charges, _move = self._three()
        wizard = self._dialog(charges.action_add_extra())
        wizard.write(
            {"kind": "service_charge", "method": "percent", "rate": 2.5, "scope": "ticked"}
        )
        with self.assertRaisesRegex(UserError, "Nothing would be added"):
            wizard.action_confirm()
        wizard.line_ids[1].is_ticked = True
        self.assertEqual(wizard.line_ids.mapped("amount"), [0.0, 2.0, 0.0])
        wizard.action_confirm()
        self.assertEqual(charges.mapped("amount_residual"), [80.0, 82.0, 80.0])

    def test_monthly_rate_charges_no_day_twice(self):
        """balance x rate x days / 30 since due; the next one counts from this one."""
        charges, move = self._three()
        self.assertEqual(move.invoice_date_due, self.today - timedelta(days=60))
        items = [(charge, "client") for charge in charges]
        amounts = charges._extra_amounts("finance_charge", "monthly", 1.5, items, self.today)
        self.assertEqual(set(amounts.values()), {2.4})
        half = self.today - timedelta(days=30)
        charges._add_extra(
            "finance_charge",
            charges._extra_amounts("finance_charge", "monthly", 1.5, items, half),
            date=half,
        )
        self.assertEqual(charges.mapped("amount_residual"), [81.2] * 3)
        amounts = charges._extra_amounts("finance_charge", "monthly", 1.5, items, self.today)
        self.assertEqual(set(amounts.values()), {1.2})  # no interest on interest
        self.assertProof()

    def test_monthly_rate_leaves_out_open_interest_only(self):
        """Interest that was paid isn't owed, and so takes nothing off the care that is."""
        charges, _move = self._three()
        item = (charges[0], "client")
        year = timedelta(days=365)
        fee = charges._add_extra("finance_charge", {item: 10.0})
        self.assertEqual(charges[0].balance_client, 90.0)

        def interest():
            return charges._extra_amounts(
                "finance_charge", "monthly", 1.5, [item], self.today + year
            )[item]

        self.assertEqual(interest(), 14.6)  # 80.00 x 1.5 % x 365 / 30
        self._pay(fee.invoice_line_ids.move_id, 4.0)
        self.assertEqual((charges[0].balance_client, interest()), (86.0, 14.6))
        self._pay(fee.invoice_line_ids.move_id, 6.0)
        self.assertEqual((charges[0].balance_client, interest()), (80.0, 14.6))
        self._pay_item(charges[0], 30.0, "client")
        self.assertEqual((charges[0].balance_client, interest()), (50.0, 9.13))
        self.assertProof()

    def test_per_cent_of_a_balance_with_taxes_is_taxed_once(self):
        tax = self.company_data["default_tax_sale"].copy({"amount": 15.0, "name": "Fifteen"})
        self.visit_service.taxes_id = tax
        for kind in ("service_charge", "discount"):
            self.company._extra_service(kind).taxes_id = tax
        charges, _move = self._three()
        statement = self.env["healthcare.statement"].create(
            {"partner_id": self.anna.id, "statement_type": "complete"}
        )
        statement._load_items()
        self.assertEqual(statement.line_ids.mapped("amount_due"), [92.0] * 3)
        for kind, untaxed, then in (("service_charge", 8.0, 101.2), ("discount", -8.8, 91.08)):
            wizard = self._dialog(statement.action_add_extra())
            wizard.write({"kind": kind, "method": "percent", "rate": 10.0})
            self.assertEqual(wizard.line_ids.mapped("balance_then"), [then] * 3)
            wizard.action_confirm()
            children = charges.child_ids.filtered(lambda child, kind=kind: child.kind == kind)
            self.assertEqual(children.mapped("amount"), [untaxed] * 3)
            self.assertEqual(charges.mapped("balance_client"), [then] * 3)
            self.assertEqual(statement.line_ids.mapped("amount_due"), [then] * 3)
        self.assertProof()

    def test_discount_of_all_that_is_owed_credits_no_cent_more(self):
        tax = self.company_data["default_tax_sale"].copy({"amount": 15.0, "name": "Fifteen"})
        self.company._extra_service("discount").taxes_id = tax
        charges, _move = self._three()
        self._pay_item(charges[0], 69.92, "client")
        charges._add_extra("discount", {(charges[0], "client"): 10.08})
        self.assertEqual(charges[0].balance_client, 0.01)  # 8.76 + 15 % is 10.07, 8.77 is 10.09
        self.assertProof()

    def test_added_before_the_invoice_is_untaxed_as_the_quote(self):
        tax = self.company_data["default_tax_sale"].copy({"amount": 15.0, "name": "Fifteen"})
        self.visit_service.taxes_id = self.company._extra_service("service_charge").taxes_id = tax
        charge = self._charge(self.anna)
        child = charge._add_extra("service_charge", {(charge, "client"): 10.0})
        self.assertEqual((child.amount, charge.balance_client), (10.0, 90.0))
        self._execute(charge | child, post=True)
        self.assertEqual(charge.balance_client, 103.5)
        self.assertProof()

    def test_monthly_is_for_what_is_overdue(self):
        charges, _move = self._three()
        fresh = self._charge(self.anna, hour=15)
        wizard = self._dialog((charges | fresh).action_add_extra())
        with Form(wizard) as form:
            form.method = "monthly"
            form.rate = 3.0
            self.assertEqual(form.scope, "overdue")
        self.assertEqual(sorted(wizard.line_ids.mapped("amount")), [0.0, 4.8, 4.8, 4.8])

    def test_discount_takes_at_most_what_is_owed(self):
        charges, _move = self._three()
        items = [(charge, "client") for charge in charges]
        amounts = charges._extra_amounts("discount", "per_item", 100.0, items, self.today)
        self.assertEqual(set(amounts.values()), {80.0})

    def test_adjudicated_is_left_out(self):
        charge, _move = self._posted_trip()
        self._adjudicate(charge, 360.0)
        wizard = self._dialog(charge.action_add_extra())
        wizard.write({"kind": "service_charge", "amount": 5.0})
        self.assertEqual((wizard.line_ids.amount, wizard.line_ids.is_void), (0.0, True))
        wizard.kind = "finance_charge"
        self.assertEqual(wizard.line_ids.amount, 5.0)

    def test_statement_tells_what_was_added(self):
        charges, _move = self._three()
        statement = self.env["healthcare.statement"].create(
            {
                "partner_id": self.anna.id,
                "line_ids": [
                    (0, 0, {"charge_id": charge.id, "responsibility": "client",
                            "price": 80.0, "amount_due": 80.0})
                    for charge in charges
                ],
            }
        )  # fmt: skip
        wizard = self._dialog(statement.action_add_extra())
        wizard.write({"kind": "discount", "method": "per_item", "amount": 5.0})
        wizard.action_confirm()
        self.assertEqual(statement.line_ids.mapped("amount_due"), [75.0] * 3)
        self.assertEqual(charges.mapped("amount_residual"), [75.0] * 3)

    # -- write off items, and the report ---------------------------------------------------------
    def test_write_off_items(self):
        charges, _move = self._three()
        sold = self.company._default_reason("sold")
        sold.account_id = self.company_data["default_account_expense"]
        rows = self.env["healthcare.receivable"].search([("charge_id", "in", charges.ids)])
        wizard = self._dialog(rows.action_write_off())
        with self.assertRaisesRegex(UserError, "Choose a reason"):
            wizard.action_confirm()
        wizard.reason_id = sold
        wizard.line_ids[0].amount = 0.0
        self.assertEqual((wizard.amount, wizard.account_id), (160.0, sold.account_id))
        wizard.action_confirm()
        with self.assertRaisesRegex(UserError, "at most"):
            wizard.action_confirm()
        self.assertEqual(charges.mapped("amount_residual"), [80.0, 0.0, 0.0])
        self.assertProof()

    def test_report_by_reason_client_and_payer(self):
        """The report's sums are those of the reasons' accounts, reversals included."""
        self.payer.invoicing_model = "payer_batched"
        otto = self._insured_client("Otto")
        charge, other = self._trip(), self._trip(otto)
        self._execute(charge | other, post=True)
        self._adjudicate(charge, 360.0)
        sold = self.company._default_reason("sold")
        sold.account_id = self.company_data["default_account_expense"]
        entry = charge._write_off_items([(other, "primary", 1500.0)], sold, self.today)
        charge._write_off_items([(charge, "primary", 60.0)], sold, self.today)
        report = self.env["healthcare.write.off.report"]
        domain = [("company_id", "=", self.company.id)]
        spec = ["kind", "client_id", "payer_id"]
        self.assertEqual(
            {
                tuple(keys): amount
                for *keys, amount in report._read_group(domain, spec, ["amount:sum"])
            },
            {
                ("contractual", self.ines, self.payer): 1140.0,
                ("sold", otto, self.payer): 1500.0,
                ("sold", self.ines, self.payer): 60.0,
            },
        )
        entry._take_back_write_off("bought back")
        sums = dict(report._read_group(domain, ["reason_id"], ["amount:sum"]))
        self.assertEqual(sums, {self.reason: 1140.0, sold: 60.0})
        accounts = self.env["account.move.line"]._read_group(
            [("account_id", "in", (self.contra | sold.account_id).ids)],
            ["account_id"], ["balance:sum"],
        )  # fmt: skip
        self.assertEqual(dict(accounts), {self.contra: 1140.0, sold.account_id: 60.0})
        accountant = self._user("accountant")
        rows = report.with_user(accountant).search(domain)
        self.assertEqual(sum(rows.mapped("amount")), 1200.0)
        self.assertTrue(rows.mapped("client_id.name"))
