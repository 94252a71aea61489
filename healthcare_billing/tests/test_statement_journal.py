from odoo.fields import Date
from odoo.tests import tagged

from .statement_common import StatementCommon


@tagged("post_install", "-at_install")
class TestStatementJournal(StatementCommon):
    """Whatever is changed on a statement's header is told in its journal, with old and new."""

    def _tracked(self, partner):
        """A draft statement with its items, of which changes are told."""
        statement = self._statement(partner)
        return statement.with_context(tracking_disable=False, mail_notrack=False)

    def _changes(self, statement):
        """``{field: [(old, new), ...]}`` of the journal, as it is shown; the oldest first."""
        self.env.flush_all()
        self.env.cr.flush()  # tracked values are written at the end of a transaction
        changes = {}
        # sudo: tracked values are kept from users, who read them through messages
        for value in statement.message_ids.sudo().tracking_value_ids.sorted("id"):
            shown = value._tracking_value_format()[0]
            changes.setdefault(value.field_id.name, []).append(
                (shown["oldValue"], shown["newValue"])
            )
        return changes

    def test_header_is_journaled(self):
        self._charge(self.anna)
        ben = self._patient("Ben Brown")
        schedule = self._fee_schedule({self.visit_service: 70.0})
        statement = self._tracked(self.anna)
        self._changes(statement)  # what creating it did
        statement.write(
            {
                "partner_id": ben.id,
                "statement_type": "custom",
                "custom_ref": "A-17",
                "date": "2025-04-01",
                "date_from": "2025-03-01",
                "date_to": "2025-04-02",
                "fee_schedule_id": schedule.id,
                "overrides_quotes": True,
                "with_qa": True,
                "with_drafts": True,
                "settles_ledger": True,
                "ledger_amount": 12.5,
                "comment": "Please pay by May",
            }
        )
        changes = self._changes(statement)
        self.assertEqual(changes["partner_id"][-1], ("Anna Adams", "Ben Brown"))
        self.assertEqual(changes["statement_type"], [("Differential", "Custom")])
        self.assertEqual(changes["custom_ref"], [(False, "A-17")])
        self.assertEqual(changes["fee_schedule_id"][-1][1], schedule.display_name)
        self.assertEqual(changes["ledger_amount"][-1][1], 12.5)
        self.assertEqual(changes["comment"], [(False, "Please pay by May")])
        for name in ("overrides_quotes", "settles_ledger", "with_qa", "with_drafts"):
            self.assertEqual(changes[name], [(False, True)], name)
        self.assertLessEqual({"date", "date_from", "date_to"}, set(changes))
        self.assertEqual(Date.to_date(changes["date"][-1][1]), Date.to_date("2025-04-01"))

    def test_states_are_journaled(self):
        self._charge(self.anna)
        statement = self._tracked(self.anna)
        self._changes(statement)
        statement._commit()
        self._changes(statement)
        statement._close_unpaid()
        changes = self._changes(statement)
        self.assertEqual(
            changes["state"], [("Draft", "Committed"), ("Committed", "Closed: Unpaid")]
        )
        for name in ("committed_on", "closed_on"):
            self.assertEqual(len(changes[name]), 1, name)
