from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import SQL

from .common import CareCommon

# Ids and what a transaction writes of itself.
INCOMPARABLE = {"id", "move_id", "create_date", "write_date", "billing_run_id", "access_token"}


@tagged("post_install", "-at_install")
class TestEnginePaths(CareCommon):
    """The fast path books exactly what core would: every stored column of moves and lines."""

    def _rows(self, table, column, ids):
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "SELECT * FROM %s WHERE %s = ANY(%s)",
                SQL.identifier(table), SQL.identifier(column), list(ids),
            )
        )  # fmt: skip
        rows = self.env.cr.dictfetchall()
        if table == "account_move_line":
            for row in rows:
                line = self.env["account.move.line"].browse(row["id"])
                for name, field in line._fields.items():
                    if field.type == "many2many" and field.store:
                        row[name] = sorted(line[name].ids)
        return [
            {name: value for name, value in row.items() if name not in INCOMPARABLE} for row in rows
        ]

    def _book(self, charges, fast, post, **options):
        """Stored rows of the invoices as one path makes them, then everything is rolled back."""
        engine = self.registry["healthcare.billing.engine"]
        taken = []

        def choose(this, invoice):
            taken.append(invoice)
            return fast and self.can_use(this, invoice)

        self.can_use = engine._can_use_fast_path
        sequence = self.env.ref("healthcare_billing.sequence_healthcare_billing_ref")
        savepoint = self.env.cr.savepoint()
        with savepoint, self.subTest(fast=fast, post=post):
            self.env.cr.execute(SQL("SELECT setval(%s, 5000)", f"ir_sequence_{sequence.id:03d}"))
            original, engine._can_use_fast_path = engine._can_use_fast_path, choose
            try:
                run = self._execute(charges, post=post, **options)
            finally:
                engine._can_use_fast_path = original
            self.assertEqual(set(run.line_ids.mapped("state")), {"created"})
            self.assertTrue(taken)
            if fast:
                self.assertTrue(all(self.can_use(self._engine(), i) for i in taken))
            moves = run.line_ids.move_id
            self.env.flush_all()
            result = (
                sorted(self._rows("account_move", "id", moves.ids), key=lambda r: r["billing_ref"]),
                sorted(
                    self._rows("account_move_line", "move_id", moves.ids),
                    key=lambda r: (
                        r["partner_id"], r["charge_id"] or 0, r["display_type"], r["sequence"],
                        r["name"] or "",
                    ),
                ),
            )  # fmt: skip
            edited = self._edit(moves) if moves[0].state == "draft" else None
            savepoint.rollback()
        self.env.invalidate_all()
        return (*result, edited)

    def _edit(self, moves):
        """What a biller's later edit of a draft makes of it."""
        move = moves[0]
        line = move.invoice_line_ids.filtered("charge_id")[0]
        line.price_unit += 7.0
        line.tax_ids = self.tax_sale_a
        move.invoice_date_due = False
        move._post(soft=False)
        return sorted(
            (line.display_type, line.balance, line.amount_residual, line.date_maturity or False)
            for line in move.line_ids
        )

    def _assert_same(self, charges, **options):
        for post in (False, True):
            fast = self._book(charges, True, post, **options)
            plain = self._book(charges, False, post, **options)
            for fast_rows, plain_rows in zip(fast[:2], plain[:2], strict=True):
                self.assertEqual(len(fast_rows), len(plain_rows))
                for fast_row, plain_row in zip(fast_rows, plain_rows, strict=True):
                    self.assertEqual(fast_row, plain_row)
            self.assertEqual(fast[2], plain[2])

    def test_paths_agree(self):
        client = self._client("Self", lang="en_US")
        insured = self._insured_client("Insured", copay=15.25)
        charges = self.env["healthcare.charge"]
        for hour in range(4):
            charges |= self._charge(client, hour=8 + hour, product_id=self.service.id)
            charges |= self._charge(insured, hour=12 + hour)
        self._assert_same(charges)

    def test_paths_agree_on_tax_grids_of_services(self):
        """Core copies the grids of a product to its lines, taxed or not."""
        tag = self.env["account.account.tag"].create(
            {"name": "Care", "applicability": "taxes", "country_id": self.company.country_id.id}
        )
        service = self._service("Tagged", "T9", 40.0, account_tag_ids=[Command.set(tag.ids)])
        charges = self._charge(self._client(), product_id=service.id) | self._charge(self._client())
        run = self._execute(charges, post=True)
        lines = run.move_ids.invoice_line_ids.filtered("charge_id")
        self.assertEqual([line.tax_tag_ids.ids for line in lines], [tag.ids, []])
        reversal = run.move_ids[0]._reverse_moves()
        self.assertEqual(reversal.invoice_line_ids.filtered("charge_id").tax_tag_ids, tag)

    def test_paths_agree_with_everything_set(self):
        """Guarantor below a company, fiscal position, terms, reference, extra line, analytics."""
        household = self.env["res.partner"].create({"name": "Trust", "is_company": True})
        guarantor = self.env["res.partner"].create(
            {"name": "Trustee", "parent_id": household.id, "type": "invoice"}
        )
        accounts = self.company_data
        position = self.env["account.fiscal.position"].create(
            {
                "name": "Elsewhere",
                "account_ids": [
                    Command.create({
                        "account_src_id": accounts["default_account_revenue"].id,
                        "account_dest_id": accounts["default_account_revenue"].copy().id,
                    })
                ],
            }
        )  # fmt: skip
        guarantor.property_account_position_id = position
        household.property_account_position_id = position
        plan = self.env["account.analytic.plan"].create({"name": "Places"})
        analytic = self.env["account.analytic.account"].create(
            {"name": "Clinic", "plan_id": plan.id, "company_id": False}
        )
        self.env["account.analytic.distribution.model"].create(
            {"product_id": self.visit_service.id, "analytic_distribution": {analytic.id: 100},
             "company_id": False}
        )  # fmt: skip
        client = self._client(
            account={
                "guarantor_id": guarantor.id,
                "payment_term_id": self.env.ref(
                    "account.account_payment_term_end_following_month"
                ).id,
            }
        )
        charges = self._charge(client) | self._charge(client, hour=12)
        self._assert_same(
            charges,
            reference="PO 1",
            narration="Please pay",
            extra_lines=[{"name": "Copies", "price_unit": 3.5, "quantity": 2.0}],
            invoice_date=fields.Date.to_date("2025-10-31"),
        )

    def test_paths_agree_on_credit_notes(self):
        charge = self._charge(self._client())
        self._execute(charge, post=True)
        children = self.env["healthcare.charge"].create(
            [
                {"parent_id": charge.id, "kind": "adjustment", "price_unit": -15.0},
                {"parent_id": charge.id, "kind": "finance_charge", "price_unit": 4.0},
            ]
        )
        self._assert_same(children)

    def test_paths_agree_on_zero(self):
        free = self._service("Free", "H0031", 0.0)
        self._assert_same(self._charge(self._client(), product_id=free.id))

    def test_what_core_must_complete_takes_the_plain_path(self):
        engine = self._engine()
        term = self.env["account.payment.term"].create(
            {"name": "2/10 net 30", "early_discount": True, "discount_percentage": 2.0,
             "discount_days": 10, "line_ids": [Command.create({
                 "value": "percent", "value_amount": 100.0, "nb_days": 30})]}
        )  # fmt: skip
        taxed = self._service("Taxed", "S9999", 9.0, taxes_id=[Command.set(self.tax_sale_a.ids)])
        euro = self.setup_other_currency("EUR")
        cases = {
            "plain": (self._charge(self._client()), True),
            "early discount": (
                self._charge(self._client(account={"payment_term_id": term.id})), False,
            ),
            "tax": (self._charge(self._client(), product_id=taxed.id), False),
        }  # fmt: skip
        self._fee_schedule({self.visit_service: 5.0}, currency_id=euro.id)
        cases["currency"] = (self._charge(self._insured_client()), False)
        for name, (charge, expected) in cases.items():
            with self.subTest(name):
                (invoice,) = self._plan(charge).invoices
                self.assertEqual(engine._can_use_fast_path(invoice), expected)
        self.company.account_storno = True
        (invoice,) = self._plan(cases["plain"][0]).invoices
        self.assertFalse(engine._can_use_fast_path(invoice))
