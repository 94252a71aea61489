from datetime import date

from odoo.tests import tagged

from .production_common import ProductionCommon


@tagged("post_install", "-at_install")
class TestProductionPerformance(ProductionCommon):
    """Twice the bills cost no more queries: asking about reverting, doing it in place, deleting."""

    NUMBER = 4

    def _queries(self, act):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        act()
        self.env.flush_all()
        return self.env.cr.sql_log_count - before

    def _assert_no_growth(self, prepare, act, core=0):
        """``act(prepare(2N))`` needs no more queries than ``act(prepare(N))``.

        :param int core: queries per bill that core itself needs, whoever calls it
        """
        counts = []
        for number in (1, self.NUMBER, 2 * self.NUMBER):  # the first one fills caches
            given = prepare(number)
            given = given.browse(given.ids)  # as a request reads them: together
            counts.append(self._queries(lambda given=given: act(given)))
        self.assertLessEqual(counts[2], counts[1] + 2 + core * self.NUMBER, counts)

    def _many(self, number, make, **vals):
        return make(*(self._matter(f"Client {index}", **vals) for index in range(number)))

    def _plain(self, number):
        return self._many(number, self._bills)

    def _of_all_kinds(self, number):
        """As many unsent bills, sent ones, paid ones and ones with a draft credit note."""
        plain, paid, noted = self._plain(number), self._plain(number), self._plain(number)
        sent = self._many(number, self._bills, print_copies="1")
        sent._produce()
        for bill in paid:
            self.env["account.payment.register"].with_context(
                active_model="account.move", active_ids=bill.ids
            ).create({})._create_payments()
        noted._reverse_moves([{} for _bill in noted])
        return plain | sent | paid | noted

    def test_r25_asking_about_reverting(self):
        def ask(bills):
            dialog = self._dialog(self._as_biller(bills).action_revert_bills())
            self.assertEqual(len(dialog.note_ids.move_id), len(bills) // 2, "paid and noted")

        self._assert_no_growth(self._of_all_kinds, ask)

    def test_r25_asking_about_reverting_locked_books(self):
        def prepare(number):
            self.company.fiscalyear_lock_date = date(2024, 12, 31)
            bills = self._plain(number)
            self.company.fiscalyear_lock_date = date(2025, 3, 31)
            return bills

        self._assert_no_growth(prepare, lambda bills: self._as_biller(bills).action_revert_bills())

    def test_r25_reverting_in_place(self):
        def revert(bills):
            self.assertEqual(len(bills._revert().drafts), len(bills))

        self._assert_no_growth(self._plain, revert)

    def test_r25_deleting(self):
        def delete(bills):
            self.assertEqual(bills._delete_bills(), (len(bills), 0))

        self._assert_no_growth(lambda number: self._many(number, self._drafts), delete, core=2)

    def test_r25_deleting_what_was_approved_before(self):
        def prepare(number):
            bills = self._plain(number)
            bills._revert()
            return bills

        self._assert_no_growth(prepare, lambda bills: bills._delete_bills(), core=1)
