from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.mail.tests.common import mail_new_test_user

from ..models import account_move_production_report as report
from .common import A_DAY
from .production_common import ProductionCommon


@tagged("post_install", "-at_install")
class TestDraftBills(ProductionCommon):
    """Draft bills: approved, deleted, previewed (R25)."""

    def test_r25_bills_are_drafts_then_in_production(self):
        account = self._matter(work=(100.0,))
        draft = self._drafts(account)
        self.assertEqual((draft.state, draft.production_state), ("draft", "draft"))
        self._as_biller(draft).action_approve_bills()
        self.assertEqual(draft.production_state, "draft", "the dialog only asks")
        dialog = self._dialog(self._as_biller(draft).action_approve_bills())
        self.assertTrue(dialog.can_confirm)
        dialog.action_confirm()
        self.assertEqual((draft.state, draft.production_state), ("posted", "production"))
        self.assertEqual(draft.invoice_date, A_DAY)

    def test_r25_a_bill_of_nothing_stops_at_a_draft_too(self):
        account = self._matter(work=(100.0,), billing_basis="quote", quote_amount=100.0)
        self._bills(account)
        self._record(account, work=(50.0,))
        row = self._row(self._mass_run(), account)
        row.bill_again = True
        draft = self._bill(row.run_id, account)
        self.assertEqual((draft.amount_total, draft.production_state), (0.0, "draft"))
        draft._approve_bills()
        self.assertEqual(draft.production_state, "production")

    def test_r25_other_invoices_are_in_neither_list(self):
        move = self._execute(self._charge(self._client("Other")), post=True).move_ids
        self.assertFalse(move.production_state)

    def test_r25_approving_twice_changes_nothing(self):
        draft = self._drafts(self._matter())
        draft._approve_bills()
        name = draft.name
        posted, waiting, left = draft._approve_bills()
        self.assertFalse(posted | waiting | left)
        self.assertEqual(draft.name, name)
        dialog = self._dialog(draft._open_bill_dialog("approve", "draft"))
        self.assertFalse(dialog.can_confirm)

    def test_r25_nothing_moves_a_date(self):
        due, future = self._drafts(self._matter("Due"), self._matter("Future"))
        tomorrow = fields.Date.context_today(future) + timedelta(days=1)
        future.invoice_date = tomorrow
        dialog = self._dialog((due | future).action_approve_bills())
        self.assertEqual(dialog.note_ids.move_id, future, "told before")
        self.assertIn("in the future", dialog.note_ids.filtered("move_id").name)
        self.assertEqual(
            dialog.note_ids.filtered("reference").mapped("reference"), [future.billing_ref]
        )
        result = dialog.action_confirm()
        self.assertEqual(result["res_id"], dialog.id, "what stays is told")
        self.assertEqual((due.state, future.state), ("posted", "draft"))
        self.assertIn("in the future", future.delivery_message)
        self.assertEqual(future.invoice_date, tomorrow)
        future.invoice_date = A_DAY
        future._approve_bills()
        self.assertEqual(future.state, "posted")
        self.assertFalse(future.delivery_message)

    def test_r25_locked_books_are_told(self):
        draft = self._drafts(self._matter())
        self.company.fiscalyear_lock_date = A_DAY
        _posted, _waiting, left = draft._approve_bills()
        self.assertEqual(left, draft)
        self.assertEqual(draft.date, A_DAY)
        self.assertIn("locked", draft.delivery_message)
        self.assertFalse(draft.is_manually_modified, "a reason is no edit")

    def test_r28_one_bad_bill_never_stops_the_others(self):
        good, bad = self._drafts(self._matter("Good"), self._matter("Bad"))
        bad.partner_id = False
        _posted, _waiting, left = (good | bad)._approve_bills()
        self.assertEqual(left, bad)
        self.assertEqual(good.production_state, "production")
        self.assertTrue(bad.delivery_message)

    def test_r25_many_are_approved_in_the_background(self):
        drafts = self._drafts(*(self._matter(f"M{n}") for n in range(3)))
        self.company.healthcare_background_rows = 2
        drafts[0].invoice_date = fields.Date.context_today(drafts) + timedelta(days=3)
        _posted, waiting, left = self._as_biller(drafts)._approve_bills()
        self.assertEqual((len(waiting), len(left)), (3, 0))
        self._run_cron(self.env.ref("healthcare_billing.ir_cron_invoice_posting"))
        self.assertEqual(drafts.mapped("production_state"), ["draft", "production", "production"])
        self.assertIn("future", drafts[0].delivery_message)
        self.assertFalse(drafts.posting_user_id)

    # -- delete ----------------------------------------------------------------------------------
    def test_r25_delete_returns_to_mass_billing(self):
        account = self._matter(work=(100.0,), expenses=(7.0,))
        draft = self._drafts(account)
        self.assertFalse(self._row(self._mass_run(), account))
        dialog = self._dialog(self._as_biller(draft).action_delete_bills())
        self.assertIn("mass billing", dialog.note_ids.name)
        dialog.action_confirm()
        self.assertFalse(draft.exists())
        self.assertEqual(self._row(self._mass_run(), account).amount, 107.0)

    def test_r25_a_bill_that_was_posted_keeps_its_number_when_deleted(self):
        account = self._matter(work=(100.0,), billing_basis="fixed", quote_amount=60.0)
        bill = self._bills(account)
        name = bill.name
        bill._revert()
        self.assertEqual(bill._delete_bills(), (1, 0))
        self.assertEqual((bill.state, bill.name), ("cancel", name))
        self.assertFalse(bill.production_state)
        row = self._row(self._mass_run(), account)
        self.assertEqual((row.amount_wip, row.amount, row.needs_tick), (100.0, 60.0, False))
        again = self._bill(row.run_id, account)
        self.assertEqual(again.amount_untaxed, 60.0)

    def test_r25_what_is_being_approved_is_not_deleted(self):
        drafts = self._drafts(self._matter(), self._matter("Two"))
        self.company.healthcare_background_rows = 1
        drafts._approve_bills()
        self.assertEqual(drafts._delete_bills(), (0, 2))
        self.assertEqual(len(drafts.exists()), 2)

    # -- nothing selected ------------------------------------------------------------------------
    def test_r30_nothing_selected_is_all_that_the_search_finds(self):
        one, two, three = self._drafts(
            *(self._matter(f"Account {n}", work=(100.0 + n,)) for n in range(3))
        )
        moves = self.env["account.move"].with_context(
            active_domain=[("production_state", "=", "draft"), ("id", "in", (one | two).ids)]
        )
        dialog = self._dialog(moves.action_approve_bills())
        self.assertFalse(dialog.is_chosen)
        self.assertEqual(dialog.bill_count, 2)
        dialog.action_confirm()
        self.assertEqual(
            (one | two | three).mapped("production_state"), ["production", "production", "draft"]
        )
        with self.assertRaises(UserError):
            self.env["account.move"].with_context(
                active_domain=[("id", "=", one.id)]
            ).action_approve_bills()

    def test_r30_totals_are_of_all_bills(self):
        drafts = self._drafts(*(self._matter(f"A{n}", work=(100.0,)) for n in range(3)))
        totals = self.env["account.move"].get_bill_totals([("id", "in", drafts.ids)])
        self.assertEqual(
            totals,
            [{"count": 3, "amount": 300.0, "currency_id": self.company.currency_id.id}],
        )
        dialog = self._dialog(drafts.action_approve_bills())
        self.assertIn("300.00", dialog.amount_text)

    # -- preview ---------------------------------------------------------------------------------
    def test_r25_preview_is_one_pdf_in_the_order_of_the_list(self):
        one, two = self._drafts(self._matter("One"), self._matter("Two"))
        action = self._as_biller(two | one).action_preview_draft_bills()
        self.assertEqual(action["report_name"], "healthcare_billing.report_bills")
        self.assertEqual(action["context"]["active_ids"], [two.id, one.id])
        self.assertEqual((one.state, two.state), ("draft", "draft"))

    def test_r25_a_preview_of_many_comes_in_parts(self):
        drafts = self._drafts(*(self._matter(f"P{n}") for n in range(3)))
        with patch.object(report, "PDF_PART", 2):
            dialog = self._dialog(drafts.action_preview_draft_bills())
        self.assertEqual([len(part.page_ids) for part in dialog.part_ids], [2, 1])
        action = dialog.part_ids[1].action_download()
        self.assertEqual(action["context"]["active_ids"], drafts[2].ids)

    def test_r25_each_bill_is_printed_by_its_template(self):
        one, two = self._drafts(self._matter("One"), self._matter("Two"))
        plain = self.env.ref("account.account_invoices").copy(
            {"name": "Plain", "report_name": "account.report_invoice"}
        )
        two.invoice_template_id = plain
        asked = []
        reports = self.env["ir.actions.report"]
        original = type(reports)._render_qweb_html

        def render(records, report_ref, docids, data=None):
            asked.append((str(report_ref), list(docids)))
            return original(records, report_ref, docids, data=data)

        with patch.object(type(reports), "_render_qweb_html", render):
            streams = reports.with_context(
                force_report_rendering=True
            )._render_qweb_pdf_prepare_streams(
                "healthcare_billing.report_bills", {}, [two.id, one.id, two.id]
            )
        self.assertEqual(
            [key[0] for key in streams], [two.id, one.id, two.id], "in order, with copies"
        )
        self.assertEqual(
            sorted(asked),
            [
                ("account.report_invoice", [two.id]),
                ("account.report_invoice_with_payments", [one.id]),
            ],
        )
        contents = [stream["stream"].getvalue() for stream in streams.values()]
        self.assertTrue(all(content.startswith(b"%PDF") for content in contents))
        self.assertEqual(contents[0], contents[2])

    def test_r25_the_template_counts_in_mail_portal_and_print(self):
        bill = self._bills(self._matter())
        plain = self.env.ref("account.account_invoices").copy(
            {"name": "Plain", "report_name": "account.report_invoice"}
        )
        send = self.env["account.move.send"]
        self.assertNotEqual(send._get_default_pdf_report_id(bill), plain)
        bill.invoice_template_id = plain
        self.assertEqual(send._get_default_pdf_report_id(bill), plain)
        self.assertEqual(
            bill._print_documents("invoice")["report_name"], "healthcare_billing.report_bills"
        )
        html = self.env["ir.actions.report"]._render_qweb_html(
            "healthcare_billing.report_bills", bill.ids
        )[0]
        self.assertIn(bill.name, str(html))

    # -- who -------------------------------------------------------------------------------------
    def test_r25_rights(self):
        draft = self._drafts(self._matter())
        for kind in ("coordinator", "accountant"):
            user = self._user(kind)
            moves = draft.with_env(self._act_as(user))
            for name in ("action_approve_bills", "action_delete_bills", "action_produce_bills",
                         "action_revert_bills", "action_preview_draft_bills"):  # fmt: skip
                with self.assertRaises(AccessError, msg=f"{kind} {name}"):
                    getattr(moves, name)()
            for name in ("_approve_bills", "_delete_bills", "_produce", "_revert"):
                with self.assertRaises(AccessError, msg=f"{kind} {name}"):
                    getattr(moves, name)()
        accountant = draft.with_env(self._act_as(self._user("accountant", login="reader")))
        values = accountant.read(
            ["production_state", "delivery_email", "print_copies", "bill_accounts", "bill_edited"]
        )
        self.assertEqual(values[0]["production_state"], "draft")
        self.assertEqual(draft.production_state, "draft")
        with self.assertRaises(AccessError):
            draft.with_env(self._act_as(self.biller)).produced_on = fields.Datetime.now()

    def test_rights_nobody_says_by_hand_which_bills_are_those_of_mass_billing(self):
        """Neither a biller nor who only has Odoo's invoicing; nor how it was produced."""
        bill = self._drafts(self._matter())
        self.assertTrue(bill.is_mass_bill)
        other = self._matter("Other").client_id
        invoicing = mail_new_test_user(
            self.env,
            "invoicing_only",
            groups="account.group_account_invoice",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        forged = {
            "is_mass_bill": True,
            "produced_on": fields.Datetime.now(),
            "production_by_email": True,
        }
        for user in (self.biller, invoicing):
            moves = bill.with_env(self._act_as(user))
            invoice = {"move_type": "out_invoice", "partner_id": other.id}
            for name, value in forged.items():
                with self.subTest(user=user.login, name=name):
                    with self.assertRaises(AccessError):
                        moves.write({name: value})
                    with self.assertRaises(AccessError):
                        moves.write({name: False})
                    with self.assertRaises(AccessError):
                        moves.create({**invoice, name: value})
                    default = moves.with_context(**{f"default_{name}": value})
                    self.assertFalse(default.create(invoice)[name])
        self.assertTrue(bill.is_mass_bill)

    def test_r25_bills_of_other_companies_are_not_all(self):
        mine = self._drafts(self._matter())
        other = self.setup_other_company()["company"]
        moves = (
            self.env["account.move"].with_company(other).with_context(allowed_company_ids=other.ids)
        )
        with self.assertRaises(UserError):
            moves.action_approve_bills()
        self.assertEqual(mine.state, "draft")
