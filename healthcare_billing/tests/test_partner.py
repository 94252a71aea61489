from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .common import A_DAY, CareCommon

CLIENT_FIELDS = (
    "is_healthcare_client",
    "birth_date",
    "sex",
    "legal_name",
    "billing_account_ids",
    "coverage_ids",
    "authorization_ids",
    "appointment_count",
)


@tagged("post_install", "-at_install")
class TestPartner(CareCommon):
    """Clients and payers; that somebody is a client is itself protected."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client = cls._client("Carla Client", legal_name="Carla C. Client")
        cls.users = cls._users("no_group", "care_staff", "accountant", "portal", "coordinator")

    # -- own commercial partner -----------------------------------------------------------------

    def test_client_below_a_company_is_refused(self):
        employer = self.env["res.partner"].create({"name": "Employer", "is_company": True})
        with self.assertRaisesRegex(ValidationError, "care client"):
            self._client("Other", parent_id=employer.id)
        with self.assertRaisesRegex(ValidationError, "care client"):
            self.client.parent_id = employer
        contact = self.env["res.partner"].create({"name": "Contact", "parent_id": employer.id})
        with self.assertRaisesRegex(ValidationError, "care client"):
            contact.is_healthcare_client = True
        contact.is_company = True  # a commercial partner of its own
        contact.is_healthcare_client = True
        with self.assertRaisesRegex(ValidationError, "care client"):
            contact.is_company = False

    def test_client_is_kept_from_companies_by_whoever_moves_it(self):
        """The one who edits contacts may not even know that it is a client."""
        self.users["no_group"].group_ids = [
            Command.link(self.env.ref("base.group_partner_manager").id)
        ]
        employer = self.env["res.partner"].create({"name": "Employer", "is_company": True})
        with self.assertRaises(ValidationError):
            self.client.with_user(self.users["no_group"]).parent_id = employer
        with self.assertRaises(ValidationError):
            employer.with_user(self.users["no_group"]).child_ids = [Command.link(self.client.id)]

    def test_users_without_care_groups_make_and_edit_contacts(self):
        user = self.users["no_group"]
        user.group_ids = [Command.link(self.env.ref("base.group_partner_manager").id)]
        contact = self.env["res.partner"].with_user(user).create({"name": "Supplier"})
        contact.write({"name": "Other Supplier", "is_company": True})
        contact.copy()
        with self.assertRaises(AccessError):
            contact.is_healthcare_client = True
        with self.assertRaises(AccessError):
            contact.create({"name": "Client", "is_healthcare_client": True})

    # -- billing accounts -----------------------------------------------------------------------

    def test_each_new_client_gets_a_self_pay_account(self):
        one, two, other = self.env["res.partner"].create(
            [
                {"name": "One", "is_healthcare_client": True},
                {"name": "Two", "is_healthcare_client": True},
                {"name": "Other"},
            ]
        )
        self.assertEqual(len(one.billing_account_ids), 1)
        self.assertEqual(len(two.billing_account_ids), 1)
        self.assertFalse(other.billing_account_ids)
        account = one.billing_account_ids
        self.assertEqual(account.company_id, self.company)
        self.assertFalse(account.payer_id)
        self.assertEqual(account.billing_status, "active")
        self.assertIn("One", account.name)

    def test_client_made_by_a_menus_default_gets_an_account(self):
        """Menus of clients and payers say so in the context only."""
        partners = self.env["res.partner"]
        client = partners.with_context(default_is_healthcare_client=True).create({"name": "One"})
        self.assertEqual(len(client.billing_account_ids), 1)
        payer = partners.with_context(default_is_payer=True).create({"name": "Two"})
        self.assertEqual(
            (payer.payer_type, payer.invoicing_model), ("insurance", "payer_individual")
        )

    def test_contact_that_becomes_a_client_gets_an_account_once(self):
        partner = self.env["res.partner"].create({"name": "Later"})
        partner.is_healthcare_client = True
        self.assertEqual(len(partner.billing_account_ids), 1)
        partner.is_healthcare_client = False
        partner.is_healthcare_client = True
        self.assertEqual(len(partner.billing_account_ids), 1)

    def test_copy_of_a_client_is_no_client(self):
        copy = self.client.copy()
        self.assertFalse(copy.is_healthcare_client)
        self.assertFalse(copy.legal_name)
        self.assertFalse(copy.billing_account_ids)

    def test_coordinator_makes_clients(self):
        env = self._act_as(self.users["coordinator"])
        client = env["res.partner"].create({"name": "New", "is_healthcare_client": True})
        self.assertEqual(len(client.billing_account_ids), 1)

    def test_appointment_takes_the_clients_first_active_account(self):
        account = self.client.billing_account_ids
        second = self.env["healthcare.billing.account"].create(
            {"client_id": self.client.id, "payer_id": self.payer.id, "sequence": 20}
        )
        self.assertEqual(self._appointment(self.client).billing_account_id, account)
        account.billing_status = "closed"
        appointment = self._appointment(self.client)
        self.assertEqual(appointment.billing_account_id, second)
        self.assertEqual(appointment.payer_id, self.payer)
        self.assertEqual(self._appointment(self._client("Other")).payer_id.ids, [])

    def test_account_of_another_client_is_refused(self):
        other = self._client("Other").billing_account_ids
        with self.assertRaisesRegex(ValidationError, "another client"):
            self._appointment(self.client, billing_account_id=other.id)

    def test_account_with_anothers_coverage_is_refused(self):
        coverage = self._coverage(self._client("Other"), self.payer)
        with self.assertRaisesRegex(ValidationError, "own client's coverages"):
            self.client.billing_account_ids.coverage_ids = coverage

    def test_used_account_keeps_its_client(self):
        self._appointment(self.client)
        with self.assertRaisesRegex(UserError, "Charges were made"):
            self.client.billing_account_ids.client_id = self._client("Other")

    def test_only_clients_have_accounts_and_appointments(self):
        partner = self.env["res.partner"].create({"name": "Nobody"})
        with self.assertRaisesRegex(ValidationError, "not a care client"):
            self.env["healthcare.billing.account"].create({"client_id": partner.id})
        with self.assertRaisesRegex(ValidationError, "not a care client"):
            self._appointment(partner)

    def test_appointment_number_tells_nothing_clinical(self):
        appointment = self._appointment(self.client)
        for record in (appointment, appointment.charge_ids):
            for word in ("Carla", "Client", "T1001", "Nursing"):
                self.assertNotIn(word, record.display_name)

    # -- payers ---------------------------------------------------------------------------------

    def test_payer_has_type_and_invoicing_model(self):
        payer = self.env["res.partner"].create({"name": "Payer", "is_payer": True})
        later = self.env["res.partner"].create({"name": "Payer", "payer_type": "facility"})
        self.assertFalse(later.invoicing_model)
        later.is_payer = True
        self.assertEqual(
            (payer.payer_type, payer.invoicing_model), ("insurance", "payer_individual")
        )
        self.assertEqual(
            (later.payer_type, later.invoicing_model), ("facility", "payer_individual")
        )

    def test_payer_requires_nothing_by_default(self):
        payer = self.env["res.partner"].create({"name": "Payer", "is_payer": True})
        for name in payer._fields:
            if name.startswith("requires_"):
                self.assertFalse(payer[name], name)

    def test_only_payers_pay(self):
        partner = self.env["res.partner"].create({"name": "Nobody"})
        with self.assertRaisesRegex(ValidationError, "not a payer"):
            self.client.billing_account_ids.payer_id = partner
        with self.assertRaisesRegex(ValidationError, "not a payer"):
            self._coverage(self.client, partner)

    def test_timely_filing_days_are_never_negative(self):
        with self.assertRaises(ValidationError):
            self.payer.timely_filing_days = -1

    # -- who may know ---------------------------------------------------------------------------

    def test_users_without_care_groups_cannot_read_who_is_a_client(self):
        for kind in ("no_group", "accountant"):
            client = self.client.with_user(self.users[kind])
            self.assertEqual(client.name, "Carla Client")  # partners are everybody's
            for name in CLIENT_FIELDS:
                with self.subTest(user=kind, field=name):
                    with self.assertRaises(AccessError):
                        client.read([name])
                    with self.assertRaises(AccessError):
                        client.mapped(name)
            self.assertFalse(set(client.fields_get()) & set(CLIENT_FIELDS))

    def test_users_without_care_groups_cannot_find_clients(self):
        for kind in ("no_group", "accountant"):
            partners = self.env["res.partner"].with_user(self.users[kind])
            for domain in (
                [("is_healthcare_client", "=", True)],
                [("birth_date", "!=", False)],
                [("legal_name", "ilike", "Carla")],
                [("billing_account_ids", "!=", False)],
                [("coverage_ids.member_id", "=", "M-1")],
                [("child_ids.is_healthcare_client", "=", True)],
            ):
                with self.subTest(user=kind, domain=domain), self.assertRaises(AccessError):
                    partners.search(domain)
            with self.assertRaises(AccessError):
                partners._read_group([], ["is_healthcare_client"], ["__count"])
            with self.assertRaises(AccessError):
                partners.search([], order="is_healthcare_client")

    def test_users_without_care_groups_cannot_reach_care_records(self):
        self._appointment(self.client)
        for kind in ("no_group", "portal"):
            for model in (
                "healthcare.appointment",
                "healthcare.charge",
                "healthcare.billing.account",
                "healthcare.coverage",
                "healthcare.authorization",
            ):
                with self.subTest(user=kind, model=model), self.assertRaises(AccessError):
                    self.env[model].with_user(self.users[kind]).search([])

    def test_users_without_care_groups_cannot_see_clients_in_the_chatter(self):
        """Messages of a contact are for whoever reads it: none of them names care."""
        client = self._client("Tracked", birth_date=A_DAY, legal_name="Legal Name")
        client.write({"birth_date": "2000-01-01", "legal_name": "Other Legal Name"})
        client.flush_recordset()
        values = client.message_ids.sudo().tracking_value_ids
        self.assertFalse(values.field_id.filtered(lambda f: f.name in CLIENT_FIELDS))

    def test_care_staff_may_know(self):
        client = self.client.with_user(self.users["care_staff"])
        self.assertTrue(client.is_healthcare_client)
        self.assertEqual(client.legal_name, "Carla C. Client")
        self.assertIn(
            client,
            client.search([("is_healthcare_client", "=", True)]),
        )

    def test_everybody_internal_may_know_payers(self):
        payer = self.payer.with_user(self.users["no_group"])
        self.assertTrue(payer.is_payer)
        self.assertIn(payer, payer.search([("is_payer", "=", True)]))

    # -- portal ---------------------------------------------------------------------------------

    def _portal_invoice(self):
        """A posted invoice of care that the portal user may read."""
        portal = self.users["portal"]
        client = portal.partner_id
        client.is_healthcare_client = True
        client.billing_account_ids.write(
            {
                "payer_id": self.payer.id,
                "diagnosis_ids": [Command.set(self.diagnosis.ids)],
            }
        )
        self.payer.invoicing_model = "client_individual"
        run = self._execute(self._charge(client), post=True)
        return run.line_ids.move_id.with_user(portal)

    def test_portal_user_reads_the_invoice_and_none_of_our_fields(self):
        move = self._portal_invoice()
        self.assertTrue(move.has_access("read"))
        self.assertEqual(move.amount_total, 80.0)
        lines = move.invoice_line_ids
        self.assertTrue(lines.mapped("name"))
        for records in (move, lines[-1]):
            ours = [n for n, f in records._fields.items() if f._module == "healthcare_billing"]
            self.assertTrue(ours)
            for name in ours:
                with self.subTest(model=records._name, field=name), self.assertRaises(AccessError):
                    records.read([name])
            for name in ours:
                field = records._fields[name]
                if field.store:
                    with self.subTest(field=name), self.assertRaises(AccessError):
                        records.search([(name, "!=", False)])

    def test_portal_user_reads_nothing_of_ours_on_himself(self):
        move = self._portal_invoice()
        partner = move.partner_id
        self.assertEqual(partner, self.users["portal"].partner_id)
        partner.check_access("read")
        for name, field in partner._fields.items():
            if field._module == "healthcare_billing":
                with self.subTest(field=name), self.assertRaises(AccessError):
                    partner.read([name])

    def test_portal_user_reads_no_invoice_of_another_client(self):
        self._portal_invoice()
        other = self._execute(self._charge(self._client("Other")), post=True).line_ids.move_id
        with self.assertRaises(AccessError):
            other.with_user(self.users["portal"]).read(["amount_total"])

    def test_who_was_a_client_stays_one(self):
        client = self._client("Once")
        self._appointment(client)
        with self.assertRaisesRegex(UserError, "stays a care client"):
            client.is_healthcare_client = False
        mistake = self._client("Mistake")
        mistake.is_healthcare_client = False
        self.assertFalse(mistake.is_healthcare_client)

    def test_a_client_made_by_mistake_can_be_deleted(self):
        client = self._client("Mistake").with_user(self._user("coordinator", login="coord_2"))
        client.unlink()
        self.assertFalse(client.exists())
        used = self._client("Used")
        self._appointment(used)
        with self.assertRaisesRegex(UserError, "Archive"):
            used.unlink()
