from dateutil.relativedelta import relativedelta

from odoo.fields import Command
from odoo.tests import HttpCase, tagged

from .test_superbill import SuperbillCommon


class SuperbillScreenCommon(SuperbillCommon, HttpCase):
    """A client with two visits last month, one of them without a diagnosis."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.ref("base.group_user").implied_ids |= cls.env.ref(
            "healthcare_billing.group_use_superbills"
        )
        cls.biller = cls._user("billing_user", tz="America/New_York")
        day = cls.company._care_today().replace(day=1) - relativedelta(days=3)
        cls.visit = cls._appointment(cls.anna, day=day)
        cls.bare = cls._appointment(cls.anna, day=day, hour=11)
        cls.bare.diagnosis_ids = [Command.clear()]

    def _superbills(self):
        return self.env["healthcare.superbill"].search([("client_id", "=", self.anna.id)])


@tagged("post_install", "-at_install")
class TestSuperbillTours(SuperbillScreenCommon):
    def test_preview_mend_issue_void(self):
        """From the client: dates, what is missing, mending it, issuing, voiding."""
        self.anna.write({"birth_date": False, "legal_name": False})
        self.start_tour(
            f"/odoo/care-clients/{self.anna.id}",
            "healthcare_billing_superbill_tour",
            login=self.biller.login,
        )
        superbill = self._superbills()
        self.assertEqual((superbill.state, superbill.void_reason), ("void", "Wrong dates"))
        self.assertEqual(superbill.client_name, "Annabel Adams")
        self.assertEqual(superbill.line_ids.mapped("pointers"), ["A", "A"])

    def test_portal(self):
        self._issue(self.visit)
        user = self._user("portal", login="portal_tour")
        user.partner_id = self.anna
        self.start_tour("/my/home", "healthcare_billing_superbill_portal_tour", login="portal_tour")

    def test_station(self):
        """Off: no menu and no button. On: the menu for coordinators, buttons for billers."""
        station = self.env.ref("healthcare_billing.group_use_superbills")
        menu = self.env.ref("healthcare_billing.healthcare_superbill_menu")
        coordinator, staff = self._user("coordinator"), self._user("care_staff")
        cases = (
            ("healthcare.appointment", "form", "healthcare_appointment_view_form"),
            ("healthcare.appointment", "list", "healthcare_appointment_view_list"),
            ("res.partner", "form", None),
            ("account.move", "form", None),
        )

        def buttons(user):
            env = self._act_as(user)
            return {
                "action_superbill"
                in env[model].get_view(
                    view and self.env.ref(f"healthcare_billing.{view}").id, kind
                )["arch"]
                for model, kind, view in cases
                if env[model].has_access("read")
            }

        for on in (True, False):
            if not on:
                self.env.ref("base.group_user").implied_ids -= station
            self.assertEqual(buttons(self.biller), {on})
            self.assertEqual(buttons(coordinator), {False})
            self.assertEqual(buttons(staff), {False})
            for user, sees in ((self.biller, on), (coordinator, on), (staff, False)):
                visible = self.env["ir.ui.menu"].with_user(user)._visible_menu_ids()
                self.assertEqual(menu.id in visible, sees, user.login)


@tagged("post_install", "-at_install")
class TestSuperbillPhoneTours(SuperbillScreenCommon):
    browser_size = "390x844"
    touch_enabled = True

    def test_superbill_on_the_phone(self):
        self.start_tour(
            f"/odoo/care-appointments/{self.bare.id}",
            "healthcare_billing_superbill_phone_tour",
            login=self.biller.login,
        )
        self.assertEqual(self._superbills().line_ids.charge_id, self.bare.charge_ids)
