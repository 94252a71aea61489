from datetime import timedelta

from odoo.exceptions import UserError
from odoo.tests import tagged

from .statement_close_common import StatementCloseCommon


@tagged("post_install", "-at_install")
class TestRebilling(StatementCloseCommon):
    """The worklist of the weekly or monthly cycle: what is to do with each open item."""

    def _steps(self, charges):
        self.env.flush_all()
        rows = self.env["healthcare.rebilling"].search([("charge_id", "in", charges.ids)])
        rows.invalidate_recordset()
        return {row.charge_id: row.step for row in rows}

    def _rows(self, charges):
        self.env.flush_all()
        return self.env["healthcare.rebilling"].search([("charge_id", "in", charges.ids)])

    def test_each_step(self):
        self.company.write({"healthcare_collections_count": 2, "healthcare_collections_days": 0})
        charge = self._charge(self.anna)
        self.assertEqual(self._steps(charge), {charge: "bill"})
        self._execute(charge, post=True)
        self.assertEqual(self._steps(charge), {charge: "untold"})
        statement = self._statement()
        self.assertEqual(self._steps(charge), {charge: "wait"})
        self.assertFalse(statement.is_due)
        statement.sudo().committed_on = self.today - timedelta(days=30)
        self.assertEqual(self._steps(charge), {charge: "close"})
        self.assertTrue(statement.is_due)
        statement._close_unpaid()
        self.assertEqual(self._steps(charge), {charge: "bill"})
        self._statement(statement_type="differential")._close_unpaid()
        self.assertEqual(self._steps(charge), {charge: "collect"})
        rows = self._rows(charge)
        self.assertEqual((rows.statement_count, rows.balance), (2, 80.0))
        action = rows.action_make_collections()
        collections = self.env["healthcare.statement"].search(action["domain"])
        self.assertEqual(
            (collections.statement_type, collections.line_ids.charge_id), ("collections", charge)
        )
        collections._commit()
        collections._close_sold(self.sold, self.today)
        self.assertEqual(self._steps(charge), {})
        self.assertProof()

    def test_for_collections_by_its_age(self):
        charge = self._charge(self.anna)  # of a day long ago
        self._statement()._close_unpaid()
        self.assertEqual(self._steps(charge), {charge: "collect"})
        self.company.healthcare_collections_days = 0
        self.assertEqual(self._steps(charge), {charge: "bill"})

    def test_r17_for_collections_is_what_such_a_statement_takes_in(self):
        """Old care that was told, and came back short, not unpaid; what was never told isn't."""
        self.company.write({"healthcare_collections_count": 3, "healthcare_collections_days": 30})
        charges, _move = self._three()
        self.assertEqual(set(self._steps(charges).values()), {"untold"})
        self._close(self._statement(), 100.0)
        self.assertEqual(self._steps(charges), dict.fromkeys(charges[1:], "collect"))
        taken = self._statement(statement_type="collections", commit=False).line_ids.charge_id
        self.assertEqual(taken, charges[1:])

    def _to_collect(self):
        """Two charges each of Anna and Ben that are for collections, and one that isn't yet."""
        ben = self._patient("Ben Brown")
        charges = self._charge(self.anna, hour=8) + self._charge(self.anna, hour=11)
        charges += self._charge(ben, hour=8) + self._charge(ben, hour=11)
        (self._statement() | self._statement(ben))._close_unpaid()
        early = self._charge(self.anna, day=self.today, hour=0)
        self.assertEqual(self._steps(charges), dict.fromkeys(charges, "collect"))
        self.assertEqual(self._steps(early), {early: "bill"})
        return charges, early

    def _made(self, action):
        return self.env["healthcare.statement"].search(action["domain"])

    def test_collections_take_just_what_was_ticked(self):
        charges, _early = self._to_collect()
        ticked = charges[0] | charges[2] | charges[3]
        statements = self._made(self._rows(ticked).action_make_collections())
        self.assertEqual(
            {statement.partner_id: statement.line_ids.charge_id for statement in statements},
            {self.anna: charges[0], charges[2].client_id: charges[2:]},
        )
        self.assertEqual(set(statements.mapped("statement_type")), {"collections"})
        self.assertEqual(statements.line_ids.mapped("amount_due"), [80.0] * 3)
        for statement in statements:
            self.assertIn("Added", statement.message_ids[0].body)
        # loaded again, it takes in the others, too, and keeps what was ticked
        own = statements.filtered(lambda statement: statement.partner_id == self.anna)
        own.action_load_items()
        self.assertEqual(own.line_ids.charge_id, charges[:2])
        self.assertProof()

    def test_collections_tell_what_they_leave_out(self):
        charges, early = self._to_collect()
        # nothing makes this: kept by the databases of practices whose contacts were merged
        self.env.cr.execute(
            "UPDATE healthcare_charge SET client_debtor_id = NULL WHERE id = %s", [charges[1].id]
        )
        self.env.invalidate_all()
        action = self._rows(charges[:2] | early).action_make_collections()
        message = action["params"]["message"]
        self.assertIn(f"left out: {early.display_name}.", message)
        self.assertIn(f"first: {charges[1].display_name}.", message)
        self.assertEqual(self._made(action["params"]["next"]).line_ids.charge_id, charges[0])
        with self.assertRaisesRegex(UserError, "Nobody is known who owes this"):
            self._rows(charges[1]).action_make_collections()

    def test_a_row_opens_its_appointment(self):
        charge = self._charge(self.anna)
        action = self._rows(charge).action_open()
        self.assertEqual(
            (action["res_model"], action["res_id"]),
            ("healthcare.appointment", charge.appointment_id.id),
        )

    def test_due_statements_are_found(self):
        self._three()
        statement = self._statement()
        due = self.env["healthcare.statement"].search([("is_due", "=", True)])
        self.assertNotIn(statement, due)
        self.company.healthcare_rebilling_days = 0
        due = self.env["healthcare.statement"].search([("is_due", "=", True)])
        self.assertIn(statement, due)
        self.assertNotIn(
            statement, self.env["healthcare.statement"].search([("is_due", "=", False)])
        )

    def test_close_the_statements_of_rows(self):
        charges, _move = self._three()
        rows = self._rows(charges)
        with self.assertRaisesRegex(UserError, "nothing to close"):
            rows.action_close_statements()
        with self.assertRaisesRegex(UserError, "for collections"):
            rows.action_make_collections()
        statement = self._statement()
        rows.invalidate_recordset()
        bulk = self.env["healthcare.statement.bulk"].browse(
            rows.action_close_statements()["res_id"]
        )
        self.assertEqual(bulk.line_ids.statement_id, statement)
        bulk.action_run()
        self.assertEqual(statement.state, "unpaid")

    def test_r9_parked_care_is_nobodys_work_now(self):
        charge = self._charge(self.anna)
        charge.appointment_id.parked = True
        self.assertEqual(self._steps(charge), {})

    def test_worklist_by_count_and_age(self):
        charges, _move = self._three()
        self._statement()._close_unpaid()
        self._rows(charges)
        groups = self.env["healthcare.rebilling"]._read_group(
            [("charge_id", "in", charges.ids)],
            ["statement_count", "age_bucket"],
            ["balance:sum", "__count"],
        )
        self.assertEqual(groups, [(1, "90_plus", 240.0, 3)])
