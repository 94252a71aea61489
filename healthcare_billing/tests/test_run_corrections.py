from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .common import A_DAY
from .run_preview_common import PreviewCommon


class RowForm:
    """A row in its dialog, as the web client handles it: ``Form`` edits no many2many lines."""

    SUMS = ("amount_now", "items_amount", "items_amount_client", "items_amount_payer")
    FIELDS = ("product_id", "quantity", "price_unit", "amount_client", "amount_payer")
    SHOWN = (*FIELDS, "amount", "amount_secondary", "parts_typed", "is_priced", "price_source")

    def __init__(self, row):
        self.row = row
        self.charges = row.charge_ids.with_context(healthcare_row=True)
        self.typed = {}
        self.sums = {name: row[name] for name in self.SUMS}

    def __getattr__(self, name):
        return self.sums[name]

    def correct(self, index=0, **vals):
        """Type into the columns of a charge, one after the other; the sums follow."""
        charge = self.charges[index]
        typed = self.typed.setdefault(charge.id, {})
        for name, value in vals.items():
            typed[name] = value
            answer = charge.onchange(typed, [name], {key: {} for key in self.SHOWN})
            typed.update(answer["value"])
        commands = [Command.update(id_, changes) for id_, changes in self.typed.items()]
        spec = {**{key: {} for key in self.SUMS}, "charge_ids": {"fields": {}}}
        answer = self.row.onchange({"charge_ids": commands}, ["charge_ids"], spec)
        self.sums.update((k, v) for k, v in answer["value"].items() if k in self.SUMS)
        return self

    def save(self):
        """Send what is not read-only, as the web client does."""
        commands = [
            Command.update(id_, {n: v for n, v in changes.items() if n in self.FIELDS})
            for id_, changes in self.typed.items()
        ]
        return self.row.web_save({"charge_ids": commands}, {})


@tagged("post_install", "-at_install")
class TestCorrection(PreviewCommon):
    """A row is opened, its charges corrected; rows and totals are true afterwards."""

    def _correct(self, row, index=0, **vals):
        RowForm(row).correct(index, **vals).save()

    def test_units_and_fee(self):
        """The row's sums follow before it is saved, all others after."""
        form = RowForm(self._row(self.alice))
        self.assertEqual((form.amount_now, form.items_amount), (160.0, 160.0))
        form.correct(quantity=2.0)
        self.assertEqual((form.amount_now, form.items_amount), (240.0, 240.0))
        form.correct(1, price_unit=100.0)
        self.assertEqual(form.amount_now, 260.0)
        form.save()
        self.assertEqual(self._row(self.alice).amount, 260.0)
        self.assertEqual(self.run.amount_total, 420.0)
        first, second = form.charges
        self.assertEqual((second.price_unit, second.price_source), (100.0, "typed"))
        self.assertEqual((first.quantity_typed, first.price_source), (True, "practice_default"))
        self.assert_as_planned()

    def test_responsibility_moves_to_the_other_row(self):
        form = RowForm(self._row(self.ivy))
        self.assertEqual((form.items_amount_client, form.items_amount_payer), (20.0, 60.0))
        form.correct(amount_client=50.0)
        self.assertEqual((form.amount_now, form.items_amount), (50.0, 80.0))
        self.assertEqual((form.items_amount_client, form.items_amount_payer), (50.0, 30.0))
        self.assertEqual(form.typed[form.charges[0].id]["amount_payer"], 30.0)
        form.save()
        self.assertEqual(
            self._amounts(), {"Alice Adams": 160, "Ivy Insured": 50, self.payer.name: 110}
        )
        self.assertEqual(self.run.amount_total, 320.0)
        self.assert_as_planned()

    def test_responsibility_empties_a_row(self):
        """0.00 moves all of it to the other: the row that has nothing left is gone."""
        self._correct(self._row(self.ivy), amount_client=0.0)
        self.assertEqual(self._amounts(), {"Alice Adams": 160, self.payer.name: 160})
        self.assert_as_planned()

    def test_responsibility_makes_a_row(self):
        """A part that another addressee owes from now on gets a row, selected like its origin."""
        for selected in (True, False):
            with self.subTest(selected=selected):
                self._correct(self._row(self.ivy), amount_client=0.0)
                row = self._row(self.payer)
                self.run.set_selected(row.ids, selected)
                sequence = row.sequence
                self._correct(row, amount_payer=70.0)
                row = self._row(self.ivy)
                self.assertEqual((row.amount, row.selected), (10.0, selected))
                self.assertEqual(row.sequence, sequence)
                self.assert_as_planned()

    def test_row_that_is_gone_can_be_saved(self):
        """The web client saves, and reads what it saved."""
        row = self._row(self.ivy)
        charge = row.charge_ids[0]
        vals = {"charge_ids": [Command.update(charge.id, {"amount_client": 0.0})]}
        self.assertEqual(row.web_save(vals, {"amount": {}}), [])
        self.assertFalse(row.exists())

    def test_correction_may_block(self):
        """A payer without coverage can't be billed: the item is left out, with the reason."""
        self.ivy.coverage_ids.write({"date_to": A_DAY})
        self.run.action_search_again()
        self.assertEqual(self.run.excluded_count, 2)
        charge = self.run.exclusion_ids.charge_id[:1].with_env(self.run.env)
        charge.write({"amount_client": 80.0})
        self.run.action_search_again()
        self.assertEqual((self._row(self.ivy).amount, self.run.excluded_count), (80.0, 1))
        self._correct(self._row(self.ivy), amount_client=0.0)
        self.assertFalse(self._row(self.ivy))
        self.assertEqual(self.run.excluded_count, 2)
        self.assert_as_planned()

    def test_units_that_use_up_an_authorization_block_others(self):
        authorization = self.env["healthcare.authorization"].create(
            {
                "client_id": self.ivy.id,
                "payer_id": self.payer.id,
                "number": "A-1",
                "units": 3,
                "date_from": A_DAY,
                "date_to": self.today,
            }
        )
        visits = self.visits.filtered(lambda visit: visit.client_id == self.ivy)
        visits.authorization_id = authorization
        self.run.action_search_again()
        self.assertEqual(self.run.excluded_count, 0)
        self._correct(self._row(self.payer), quantity=3.0)
        self.assertEqual(self.run.exclusion_ids.charge_id, visits[1].charge_ids)
        self.assert_as_planned()

    def test_service_brings_its_fee(self):
        form = RowForm(self._row(self.alice))
        form.correct(product_id=self.service)
        self.assertEqual(form.amount_now, 110.0)
        form.save()
        charge = form.charges[0]
        self.assertEqual((charge.product_id, charge.price_unit), (self.service, 30.0))
        self.assertEqual(charge.price_source, "practice_default")
        self.assert_as_planned()

    def test_service_with_a_typed_fee(self):
        form = RowForm(self._row(self.alice))
        form.correct(product_id=self.service)
        form.correct(price_unit=31.0)
        form.save()
        charge = form.charges[0]
        self.assertEqual((charge.price_unit, charge.price_source), (31.0, "typed"))

    def test_modifiers(self):
        modifier = self.env["healthcare.modifier"].search([], limit=1)
        row = self._row(self.alice)
        vals = {"modifier_ids": [Command.link(modifier.id)]}
        row.write({"charge_ids": [Command.update(row.charge_ids[0].id, vals)]})
        self.assertEqual(row.charge_ids[0].modifier_ids, modifier)
        self.assertEqual(self._row(self.alice).amount, 160.0)

    def test_wrong_parts_are_refused(self):
        with self.assertRaises(ValidationError):
            self._correct(self._row(self.payer), amount_payer=500.0)

    def test_typed_parts_and_units_together(self):
        form = RowForm(self._row(self.ivy))
        form.correct(amount_client=30.0)
        form.correct(quantity=2.0)
        self.assertEqual(form.items_amount_client, 30.0)
        form.save()
        charge = self.visits[2].charge_ids
        self.assertEqual((charge.amount_client, charge.amount_payer), (30.0, 130.0))
        self.assert_as_planned()

    def test_note_and_claim_of_one_row(self):
        with Form(self._row(self.alice)) as form:
            form.group_single_claim = True
            form.narration = "<p>Thank you</p>"
        self.run.action_execute()
        move = self._row(self.alice).move_id
        self.assertEqual((str(move.narration), move.group_single_claim), ("<p>Thank you</p>", True))
        other = self._row(self.ivy).move_id
        self.assertEqual((other.narration, other.group_single_claim), (False, False))

    def test_result_of_the_row_is_what_was_corrected(self):
        self._correct(self._row(self.alice), quantity=3.0)
        self.run.action_execute()
        self.assertEqual(self._row(self.alice).state, "created")
        self.assertEqual(self._row(self.alice).move_id.amount_total, 320.0)

    def test_rpc_links_and_writes_nothing_else(self):
        row, foreign = self._row(self.alice), self.visits[2].charge_ids
        own = row.charge_ids[0]
        for commands in (
            [Command.link(foreign.id)],
            [Command.set(foreign.ids)],
            [Command.set(own.ids)],
            [Command.clear()],
            [Command.unlink(own.id)],
            [Command.delete(own.id)],
            [Command.create({"client_id": self.alice.id})],
            [Command.update(foreign.id, {"quantity": 9.0})],
            [Command.update(own.id, {"client_id": self.ivy.id})],
            [Command.update(own.id, {"billing_stage": "finished"})],
            [Command.update(own.id, {"service_date": A_DAY})],
        ):
            with self.subTest(commands=commands), self.assertRaises(AccessError):
                row.write({"charge_ids": commands})
        for vals in (
            {"amount": 1.0},
            {"amount_company": 1.0},
            {"state": "created"},
            {"move_id": False},
            {"plan_key": "x"},
            {"partner_id": self.ivy.id},
            {"selected": False, "values": {}},
        ):
            with self.subTest(vals=vals), self.assertRaises(AccessError):
                row.write(vals)
        with self.assertRaises(AccessError):
            self.run.line_ids.write({"charge_ids": [Command.update(own.id, {"quantity": 9.0})]})
        self.assertEqual((own.quantity, row.amount, row.selected), (1.0, 160.0, True))

    def test_rows_that_were_billed_stay(self):
        row = self._row(self.alice)
        own = row.charge_ids[0]
        self.run.action_execute()
        for vals in (
            {"selected": False},
            {"narration": "x"},
            {"charge_ids": [Command.update(own.id, {"quantity": 9.0})]},
        ):
            with self.subTest(vals=vals), self.assertRaises(AccessError):
                row.write(vals)

    def test_charges_are_written_with_the_users_rights(self):
        """Whoever may not write charges corrects none through a row."""
        row = self._row(self.alice)
        own = row.charge_ids[0]
        charges = type(self.env["healthcare.charge"])
        with (
            patch.object(charges, "write", side_effect=AccessError("no")) as write,
            self.assertRaises(AccessError),
        ):
            row.write({"charge_ids": [Command.update(own.id, {"quantity": 9.0})]})
        self.assertEqual(write.call_count, 1)
        self.assertFalse(row.env.su)


@tagged("post_install", "-at_install")
class TestApplyToAll(PreviewCommon):
    def _apply(self, **vals):
        lines = vals.pop("lines", None)
        Apply = self.run.env["healthcare.billing.run.apply"]
        with Form(Apply.with_context(default_run_id=self.run.id)) as form:
            for name, value in vals.items():
                setattr(form, name, value)
            if lines is not None:
                while len(form.line_ids):
                    form.line_ids.remove(0)
            for line in lines or ():
                with form.line_ids.new() as extra:
                    for name, value in line.items():
                        setattr(extra, name, value)
        form.record.action_apply()

    def test_note_and_claim_on_all(self):
        self._apply(narration="<p>Office closed on Mondays</p>", claim="single")
        rows = self.run.line_ids
        self.assertEqual(
            set(map(str, rows.mapped("narration"))), {"<p>Office closed on Mondays</p>"}
        )
        self.assertEqual(rows.mapped("group_single_claim"), [True] * 3)
        self._visit(self._client("Nora New"))
        self.run.action_search_again()
        self.assertEqual(self.run.line_ids.mapped("group_single_claim"), [True] * 4)
        self.run.action_execute()
        for move in self.run.move_ids:
            self.assertEqual(str(move.narration), "<p>Office closed on Mondays</p>")
            self.assertTrue(move.group_single_claim)

    def test_only_on_selected_rows(self):
        self.run.set_selected(self._row(self.alice).ids, False)
        self._apply(narration="<p>Hello</p>", scope="selected")
        self.assertFalse(self._row(self.alice).narration)
        self.assertEqual(str(self._row(self.ivy).narration), "<p>Hello</p>")
        self.assertFalse(self.run.options.get("narration"))
        self.run.action_deselect_all()
        with self.assertRaisesRegex(UserError, "No invoice is selected"):
            self._apply(claim="single", scope="selected")

    def test_what_is_not_said_stays(self):
        self._row(self.alice).write({"narration": "<p>Own</p>", "group_single_claim": True})
        self._apply(lines=[{"name": "Copies", "price_unit": 5.0}])
        row = self._row(self.alice)
        self.assertEqual((str(row.narration), row.group_single_claim), ("<p>Own</p>", True))

    def test_note_can_be_taken_back(self):
        self._apply(narration="<p>Hello</p>")
        self._apply(narration=False)
        self.assertFalse(any(self.run.line_ids.mapped("narration")))

    def test_same_note_again_also_counts_for_rows_that_differ(self):
        self._apply(narration="<p>Hello</p>")
        self._row(self.alice).narration = "<p>Other</p>"
        self._apply()  # what it begins with is what is applied
        self.assertEqual(set(map(str, self.run.line_ids.mapped("narration"))), {"<p>Hello</p>"})

    def test_notes_of_rows_can_be_kept(self):
        self._apply(narration="<p>Hello</p>")
        self._row(self.alice).narration = "<p>Other</p>"
        self._apply(narration_choice="keep", claim="single")
        self.assertEqual(str(self._row(self.alice).narration), "<p>Other</p>")
        self.assertTrue(self._row(self.alice).group_single_claim)
        self.assertEqual(self.run.options["narration"], "<p>Hello</p>")

    def test_notes_of_rows_can_be_removed(self):
        """Also where nothing was said for all."""
        self._row(self.alice).narration = "<p>Alice</p>"
        self._row(self.ivy).narration = "<p>Ivy</p>"
        self.run.set_selected(self._row(self.alice).ids, False)
        self._apply(narration_choice="clear", scope="selected")
        self.assertEqual(self.run.line_ids.filtered("narration"), self._row(self.alice))
        self._apply(narration_choice="clear")
        self.assertFalse(self.run.line_ids.filtered("narration"))

    def test_note_needs_a_text(self):
        with self.assertRaisesRegex(UserError, "Type the text"):
            self._apply(narration_choice="write")

    def test_extra_line_follows_in_all_sums(self):
        self.run.set_selected(self._row(self.alice).ids, False)
        self._apply(lines=[{"name": "Copies", "quantity": 2.0, "price_unit": 5.0}])
        self.assertEqual(
            self._amounts(), {"Alice Adams": 170, "Ivy Insured": 30, self.payer.name: 150}
        )
        self.assertEqual((self.run.amount_total, self.run.amount_selected), (350.0, 180.0))
        self.assertIn("Copies", self.run.extra_line_names)
        self.assert_as_planned()
        form = RowForm(self._row(self.ivy))
        self.assertEqual((form.amount_now, form.items_amount), (30.0, 80.0))
        self.run.action_select_all()
        self.run.action_execute()
        self.assertEqual(self.run.line_ids.mapped("state"), ["created"] * 3)
        self.assertEqual(sum(self.run.move_ids.mapped("amount_untaxed")), 350.0)

    def test_extra_line_of_a_service_is_removable(self):
        self._apply(lines=[{"product_id": self.service}])
        self.assertEqual(self.run.amount_total, 410.0)
        self._apply(claim="single")
        self.assertEqual(self.run.amount_total, 410.0)
        self._apply(lines=[])
        self.assertEqual(self.run.amount_total, 320.0)
        self.assertFalse(self.run.extra_line_names)

    def test_extra_line_needs_a_text(self):
        with self.assertRaisesRegex(UserError, "needs a text"):
            self._apply(lines=[{"price_unit": 5.0}])

    def test_only_in_a_preview(self):
        self.run.action_execute()
        with self.assertRaisesRegex(UserError, "Only a preview"):
            self._apply(claim="single")
