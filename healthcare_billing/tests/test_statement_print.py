from datetime import date, timedelta

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import A_DAY
from .statement_print_common import CONFIDENTIAL, StatementPrintCommon


@tagged("post_install", "-at_install")
class TestStatementPrint(StatementPrintCommon):
    """What statements say on paper, and what they never say."""

    def _activity(self, charge):
        return charge._activities()[charge.id]

    def assertAddsUp(self, charges):
        """What is told of charges adds up to what is open on them."""
        for charge_id, activities in charges._activities().items():
            charge = charges.browse(charge_id)
            told = sum(activity.amount or 0.0 for activity in activities)
            self.assertAlmostEqual(told, charge.amount_residual, 2, activities)

    # -- R21 -------------------------------------------------------------------------------------
    def test_r21_only_bang_lines_are_printed(self):
        dispatchers = "dispatcher's note"
        visit = self._appointment(
            self.anna,
            billing_note=f"{CONFIDENTIAL['billing note']}\n!Facility agreed to pay\n"
            " ! not at the beginning",
            dispatcher_note=f"!Second crew was needed\r\n{CONFIDENTIAL[dispatchers]}",
            preauthorization_note=CONFIDENTIAL["pre-authorization note"]
            + "\u2028!concealed\v!concealed too\n!\n!  ",
            parked_reason=CONFIDENTIAL["parking reason"],
        )
        self.assertEqual(
            visit._printed_comments(), ["Second crew was needed", "Facility agreed to pay"]
        )
        self._execute(visit, post=True)
        html = self._html(self._statement(self.anna))
        self.assertIn("Facility agreed to pay", html)
        self.assertIn("Second crew was needed", html)
        for text in ("not at the beginning", "concealed"):
            self.assertNotIn(text, html)
        self.assertNothingConfidential(html)

    def test_r21_comments_are_text_and_never_markup(self):
        self._execute(
            self._appointment(self.anna, billing_note="!<script>alert(1)</script>"), post=True
        )
        html = self._html(self._statement(self.anna))
        self.assertNotIn("<script>alert", html)
        self.assertIn("&lt;script&gt;alert", html)

    # -- the whole statement ---------------------------------------------------------------------
    def test_items_with_legal_numbers_and_print_only_values(self):
        visit = self._appointment(self.anna, distance=12.5, waiting_minutes=15)
        move = self._execute(visit, post=True).move_ids
        statement = self._statement(self.anna, custom_ref="THEIRS-7", comment="Please pay")
        html = self._html(statement)
        for text in (statement.name, move.name, "THEIRS-7", "Please pay", "12.5", "80.00", "T1001"):
            self.assertIn(text, html)
        self.assertIn("15 minutes of waiting", " ".join(html.split()).replace("</t>", ""))
        statement.line_ids.write({"distance": 3.0, "waiting_minutes": 0})
        html = self._html(statement)
        self.assertIn("3.0", html)
        self.assertNotIn("12.5", html)
        self.assertEqual(visit.distance, 12.5)
        self.assertNothingConfidential(html)

    def test_who_signed_the_notice_of_non_coverage(self):
        visit = self._appointment(
            self.anna, abn_signed_by="Gertrude Signer", abn_signed_on=date(2025, 1, 2)
        )
        self._execute(visit, post=True)
        self.assertIn("Gertrude Signer", self._html(self._statement(self.anna)))
        self.assertFalse(visit.copy().abn_signed_by)

    def test_a_draft_says_so_and_takes_no_payment(self):
        self._execute(self._charge(self.anna), post=True)
        html = self._html(self._statement(self.anna, state="draft"))
        self.assertIn("Draft: not committed yet", html)
        self.assertNotIn("Pay online", html)

    def test_an_empty_statement_is_printed(self):
        html = self._html(self._statement(self.ben))
        self.assertIn("There are no items", html)

    def test_ages_add_up_to_the_items(self):
        for days in (0, 40, 75, 200):
            self._execute(self._charge(self.anna, day=self.today - timedelta(days=days)), post=True)
        document = self._statement(self.anna)._printed()[0]
        self.assertEqual([amount for _label, amount in document.ages], [80.0] * 4)
        self.assertEqual(document.due, 320.0)

    def test_care_of_others_names_them(self):
        """A parent's statement, or a payer's, says whose care it is."""
        self.anna.billing_account_ids.guarantor_id = self.ben
        self._execute(self._charge(self.anna), post=True)
        self.assertIn("Anna Portal", self._html(self._statement(self.ben)))
        own = self._charge(self.ben, hour=15)
        self._execute(own, post=True)
        self.assertNotIn("Anna Portal", self._html(self._statement(self.ben, own)))

    def test_in_the_language_of_the_addressee(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.anna.lang = "fr_FR"
        self._execute(self._charge(self.anna, day=date(2025, 3, 31)), post=True)
        self.assertIn("31/03/2025", self._html(self._statement(self.anna)))

    # -- activity --------------------------------------------------------------------------------
    def test_activity_of_invoice_payment_credit_and_write_off(self):
        charges = self._charge(self.anna) | self._charge(self.anna, day=A_DAY + timedelta(days=1))
        move = self._execute(charges, post=True).move_ids
        self._pay(move, 100.0, communication=CONFIDENTIAL["memo"])
        first, second = charges.sorted("service_date")
        self.assertEqual(
            [(row.text, row.party, row.amount) for row in self._activity(first)],
            [(f"Invoice {move.name}", "Client", 80.0), ("Payment", "Client", -80.0)],
        )
        self.assertEqual(
            [row.amount for row in self._activity(second)], [80.0, -20.0], "R5: oldest first"
        )
        note = self._credit(move, second, 10.0)
        self.assertIn((f"Credit note {note.name}", -10.0), self._told(second))
        reason = self.env["healthcare.adjustment.reason"].search(
            [("kind", "in", ("courtesy", "bad_debt", "small_balance"))], limit=1
        )
        if not reason.account_id:
            reason.account_id = self.company_data["default_account_expense"]
        move._write_off(reason, self.today, {move: 5.0})
        self.assertIn(("Write-off", -5.0), self._told(second))
        self.assertAddsUp(charges)
        statement = self._statement(self.anna)
        self.assertNothingConfidential(self._html(statement))
        self.assertProof()

    def _told(self, charge):
        return [(row.text, row.amount) for row in self._activity(charge)]

    def test_activity_of_all_parties_adds_up(self):
        client = self._insured_client("Ines", copay=20.0)
        charge = self._charge(client)
        self.assertAddsUp(charge)
        moves = self._execute(charge, post=True).move_ids
        self._pay(moves.filtered(lambda move: move.partner_id == self.payer), 45.0)
        child = self.env["healthcare.charge"].create(
            {"parent_id": charge.id, "kind": "adjustment", "price_unit": -7.0}
        )
        self.assertAddsUp(charge)
        self._execute(child, post=True)
        self.assertAddsUp(charge)
        parties = {row.party for row in self._activity(charge)}
        self.assertEqual(parties, {"Client", "Primary Payer"})
        self.assertProof()

    def test_activity_of_credit_set_off_elsewhere(self):
        charge, other = self._charge(self.anna), self._charge(self.anna, hour=15)
        first, second = self._execute(charge, post=True), self._execute(other, post=True)
        note = self._credit(first.move_ids, charge, 30.0)
        note.line_ids.remove_move_reconcile()
        lines = (note | second.move_ids).line_ids
        lines.filtered(lambda line: line.account_type == "asset_receivable").reconcile()
        self.assertAddsUp(charge | other)
        self.assertIn((f"Set off {note.name}", -30.0), self._told(other))

    def test_activity_of_claims_denials_and_appeals(self):
        self.company.street = "1 Main Street"
        client = self._insured_client("Ines", copay=20.0, birth_date="1980-01-01")
        charge = self._charge(client)
        move = self._execute(charge, post=True).move_ids.filtered(
            lambda move: move.partner_id == self.payer
        )
        claim = self._claim(charge, move)
        claim.write({"date_submitted": date(2025, 4, 1), "date_rejected": date(2025, 4, 9)})
        claim.reject_reason = CONFIDENTIAL["memo"]
        told = [(row.text, row.party) for row in self._activity(charge)]
        self.assertIn((f"Claim {claim.name} sent", self.payer.name), told)
        self.assertIn((f"Claim {claim.name} denied", self.payer.name), told)
        claim.frequency = "7"
        html = self._html(self._statement(client))
        self.assertIn("Appeal: replacement claim", html)
        self.assertNothingConfidential(html)

    def _claim(self, charge, move):
        """A claim as far as statements look at it."""
        claim = (
            self.env["healthcare.claim"]
            .sudo()
            .create(
                {
                    "name": "C-77",
                    "company_id": self.company.id,
                    "currency_id": self.company.currency_id.id,
                    "client_id": charge.client_id.id,
                    "payer_id": self.payer.id,
                    "responsibility": "primary",
                }
            )
        )
        line = (
            self.env["healthcare.claim.line"]
            .sudo()
            .create(
                {
                    "claim_id": claim.id,
                    "service_date": charge.service_date,
                    "product_id": charge.product_id.id,
                    "item_ids": [
                        (
                            0,
                            0,
                            {"charge_id": charge.id, "responsibility": "primary", "amount": 80.0},
                        )
                    ],
                }
            )
        )
        self.assertEqual(line.item_ids.charge_id, charge)
        return claim

    def test_activity_tells_statements_of_the_same_addressee_only(self):
        client = self._insured_client("Ines", copay=20.0)
        self._execute(self._charge(client), post=True)
        earlier = self._statement(client, state="unpaid")
        theirs = self._statement(self.payer)
        html = self._html(self._statement(client))
        self.assertIn(f"Statement {earlier.name}", html)
        self.assertNotIn(theirs.name, html)

    # -- R22 -------------------------------------------------------------------------------------
    def test_r22_singletons_are_numbered_by_statement_and_appointment(self):
        visits = self._appointment(self.anna) | self._appointment(self.anna, hour=13)
        self._execute(visits, post=True)
        statement = self._statement(self.anna)
        documents = statement._printed(singletons=True)
        self.assertEqual(
            sorted(document.number for document in documents),
            sorted(f"{statement.name}-{visit.name}" for visit in visits),
        )
        self.assertEqual([document.due for document in documents], [80.0, 80.0])
        self.assertFalse(any(document.pay_url for document in documents))
        html = self._html(statement, "report_statement_singletons")
        for visit in visits:
            self.assertIn(f"{statement.name}-{visit.name}", html)
        self.assertEqual(sum(d.due for d in documents), statement.amount_total)

    def test_r22_what_has_no_appointment_comes_last(self):
        visit = self._appointment(self.anna)
        loose = self.env["healthcare.charge"].create(
            {
                "client_id": self.anna.id,
                "billing_account_id": self.anna.billing_account_ids[:1].id,
                "product_id": self.visit_service.id,
                "service_date": A_DAY,
                "kind": "expense",
                "price_unit": 12.0,
                "is_priced": True,
            }
        )
        self._execute(visit.charge_ids | loose, post=True)
        statement = self._statement(self.anna)
        self.assertEqual(statement.line_count, 2)
        numbers = [d.number for d in statement._printed(singletons=True)]
        self.assertEqual(numbers, [f"{statement.name}-{visit.name}", statement.name])

    def test_r22_an_empty_statement_is_one_document(self):
        statement = self._statement(self.ben)
        self.assertEqual([d.number for d in statement._printed(singletons=True)], [statement.name])

    # -- rights and growth -----------------------------------------------------------------------
    def test_accountants_print_without_rights_on_care(self):
        self._execute(self._charge(self.anna), post=True)
        statement = self._statement(self.anna)
        env = self._act_as(self._user("accountant"))
        self.assertEqual(len(statement.with_env(env)._printed()), 1)
        for kind in ("coordinator", "care_staff", "portal"):
            env = self._act_as(self._user(kind))
            with self.assertRaises(AccessError):
                statement.with_env(env)._printed()

    def test_queries_of_many_statements(self):
        """What is told of charges is read at once; a statement costs three, however many items."""

        def statements(number, hour):
            found = self.env["healthcare.statement"]
            for n in range(number):
                client = self._patient(f"Client {hour} {n}")
                self._execute(self._charge(client, hour=hour), post=True)
                found |= self._statement(client)
            return found

        few, many = statements(3, 8), statements(6, 14)
        few._printed()  # warm up
        counts = []
        for own in (few, many):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            own._printed()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0] + 3 * len(few), counts)
