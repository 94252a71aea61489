from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from .statement_close_common import StatementCloseCommon


@tagged("post_install", "-at_install")
class TestStatementGuard(StatementCloseCommon):
    """Read-only in a view isn't read-only: nobody types what became of a statement."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.biller = cls._user("billing_user")

    def _as_biller(self, record):
        return record.with_env(self._act_as(self.biller))

    def test_what_became_of_a_statement_is_not_typed(self):
        self._three()
        statement = self._statement()
        move = statement.line_ids.charge_id.invoice_line_ids.move_id[:1]
        theirs = self._as_biller(statement)
        for vals in (
            {"state": "sold"},
            {"state": "unpaid"},
            {"state": "draft"},
            {"committed_on": "2020-01-01"},
            {"committed_by_id": self.biller.id},
            {"closed_on": "2020-01-01"},
            {"name": "ST1"},
            {"access_token": "abc"},
            {"write_off_ids": [Command.link(move.id)]},
            {"payment_ids": [Command.set([])]},
        ):
            with self.subTest(vals=vals), self.assertRaises(AccessError):
                theirs.write(vals)
        self.assertEqual(statement.state, "committed")

    def test_whom_it_is_for_stays_once_it_is_committed(self):
        self._three()
        statement = self._statement()
        theirs = self._as_biller(statement)
        other = self._client("Berta")
        for vals in (
            {"partner_id": other.id},
            {"statement_type": "custom"},
            {"date": "2020-01-01"},
        ):
            with self.subTest(vals=vals), self.assertRaises(UserError):
                theirs.write(vals)
        theirs.write({"partner_id": self.anna.id, "comment": "Please pay by card."})
        theirs.write({"settles_ledger": True, "ledger_amount": 3.0})
        theirs._close_unpaid()
        for vals in ({"comment": "x"}, {"ledger_amount": 4.0}, {"settles_ledger": False}):
            with self.subTest(vals=vals), self.assertRaises(UserError):
                theirs.write(vals)
        theirs.custom_ref = "PO 7"

    def test_nobody_begins_with_a_committed_one(self):
        statements = self._as_biller(self.env["healthcare.statement"])
        vals = {"partner_id": self.anna.id}
        for record in ({"state": "committed"}, {"committed_by_id": self.env.uid}):
            with self.subTest(record=record), self.assertRaises(AccessError):
                statements.create(vals | record)
        made = statements.with_context(default_state="committed").create(vals)
        self.assertEqual((made.state, made.committed_on), ("draft", False))

    def test_what_became_of_an_item_is_not_typed(self):
        self._three()
        line = self._as_biller(self._statement()).line_ids[0]
        for vals in (
            {"outcome": "sold"},
            {"amount_paid": 1.0},
            {"amount_lost": 999.0},
            {"waits_for_qa": True},
        ):
            with self.subTest(vals=vals), self.assertRaises(AccessError):
                line.write(vals)

    def test_what_is_back_at_the_billing_office_is_not_typed(self):
        charges, _move = self._three()
        coordinator = self._act_as(self._user("coordinator"))
        with self.assertRaises(UserError):
            charges[0].with_env(coordinator).returned_client = True
        charges[0].with_env(coordinator).returned_client = False  # as it is: a form may send it
        made = (
            self.env["healthcare.charge"]
            .with_env(coordinator)
            .with_context(default_returned_client=True)
            .create({"client_id": self.anna.id, "product_id": self.visit_service.id})
        )
        self.assertFalse(made.returned_client)

    def test_reopening_takes_back_only_what_the_statement_wrote_off(self):
        """Links that somebody else's code put there are no write-offs of its items."""
        charges, _move = self._three()
        statement = self._statement()
        foreign = self._plain_invoice(self.anna, 500.0)
        statement._close_unpaid()
        statement.sudo().write_off_ids = [Command.link(foreign.id)]
        statement._reopen()
        self.assertEqual((foreign.payment_state, foreign.amount_residual), ("not_paid", 500.0))
        self.assertEqual(charges.mapped("amount_residual"), [80.0] * 3)
        self.assertProof()
