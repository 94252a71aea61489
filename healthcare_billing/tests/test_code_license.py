from datetime import date

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import CareCommon

NOW = "2025-03-12 15:00:00"
FIELDS = ["name", "default_code", "code_system", "list_price", "unit_rule"]


@tagged("post_install", "-at_install")
@freeze_time(NOW)
class TestCodeLicense(CareCommon):
    """CPT codes come in only with the practice's own license; the codes here are invented."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.services = cls.env["product.template"].with_context(default_is_healthcare_service=True)

    def _code_license(self, **vals):
        return self.env["healthcare.code.license"].create(
            {
                "number": "L-1",
                "holder": "Practice",
                "release_year": 2025,
                "date_from": date(2025, 1, 1),
                "date_to": date(2025, 12, 31),
            }
            | vals
        )

    def _load(self, *rows, fields=None, services=None):
        return (self.services if services is None else services).load(
            list(fields or FIELDS), [list(row) for row in rows]
        )

    def assertRefused(self, result, rows, pattern="has no license that is valid today"):
        self.assertFalse(result["ids"])
        errors = [m for m in result["messages"] if m["type"] == "error"]
        self.assertEqual([m["rows"]["from"] for m in errors if "rows" in m], rows)
        for message in errors:
            self.assertRegex(message["message"], pattern)

    def test_import_without_license_tells_each_row(self):
        result = self._load(
            ("Invented", "0000X", "CPT", "100", "Per visit"),
            ("Public", "H0004", "", "30", "Per visit"),
            ("Invented too", "0001X", "cpt", "120", "Per visit"),
        )
        self.assertRefused(result, [0, 2])
        self.assertIn("Code Set Licenses", result["messages"][0]["message"])
        self.assertFalse(self.services.search([("name", "like", "Invented")]))

    def test_import_with_license(self):
        self._code_license()
        result = self._load(("Invented", "0000X", "CPT", "100", "Per visit"))
        self.assertFalse(result["messages"])
        service = self.services.browse(result["ids"])
        self.assertTrue(service.is_healthcare_service)
        self.assertEqual((service.code_system, service.list_price), ("cpt", 100.0))
        self.assertFalse(service.taxes_id)

    def test_import_by_the_look_of_the_code(self):
        fields = ["name", "default_code", "list_price"]
        self.assertRefused(self._load(("Lookalike", "00000", "5"), fields=fields), [0])
        result = self._load(("Lookalike", "00000", "Local", "5", ""))
        self.assertTrue(result["ids"])

    def test_import_of_other_codes_needs_no_license(self):
        result = self._load(
            ("Public", "H0004", "", "30", "Per visit"), ("Own", "GROUP", "Local", "3", "Flat")
        )
        self.assertEqual(len(result["ids"]), 2)

    def test_import_of_variants(self):
        variants = self.env["product.product"].with_context(default_is_healthcare_service=True)
        row = ("Invented", "0000X", "CPT", "100", "Per visit")
        self.assertRefused(self._load(row, services=variants), [0])
        self._code_license()
        self.assertTrue(self._load(row, services=variants)["ids"])

    def test_license_must_be_valid_today_and_of_the_company(self):
        row = ("Invented", "0000X", "CPT", "100", "Per visit")
        old = self._code_license(date_from=date(2024, 1, 1), date_to=date(2024, 12, 31))
        self._code_license(company_id=self.env["res.company"].create({"name": "Else"}).id)
        archived = self._code_license(active=False)
        self.assertRefused(self._load(row), [0])
        archived.active = True
        self.assertTrue(self._load(row)["ids"])
        archived.unlink()
        old.date_to = date(2025, 3, 12)
        self.assertTrue(self._load(row)["ids"])

    def test_update_by_import(self):
        """Fees of services that are there already may be updated; new codes may not come in."""
        service = self._service("Invented", "0000X", 100.0, code_system="cpt").product_tmpl_id
        fields = [".id", "default_code", "list_price"]
        result = self._load((str(service.id), "0000X", "130"), fields=fields)
        self.assertFalse(result["messages"])
        self.assertEqual(service.list_price, 130.0)
        result = self._load((str(service.id), "0001X", "130"), fields=fields)
        self.assertRefused(result, [0])
        self.assertEqual(service.default_code, "0000X")
        self._code_license()
        self.assertTrue(self._load((str(service.id), "0001X", "1"), fields=fields)["ids"])

    def test_update_that_makes_a_code_cpt(self):
        service = self._service("Own", "0000X", 100.0, code_system="local").product_tmpl_id
        fields = [".id", "code_system"]
        self.assertRefused(self._load((str(service.id), "CPT"), fields=fields), [0])

    def test_import_screen(self):
        """The way of the import screen: a test run and the import itself."""
        importer = self.env["base_import.import"].create(
            {
                "res_model": "product.template",
                "file": b"Name,Internal Reference,Code System\nInvented,0000X,CPT\n",
                "file_type": "text/csv",
            }
        )
        importer = importer.with_context(default_is_healthcare_service=True)
        options = {"quoting": '"', "separator": ",", "has_headers": True}
        columns = ["Name", "Internal Reference", "Code System"]

        def run(dryrun):
            return importer.execute_import(
                ["name", "default_code", "code_system"], columns, dict(options), dryrun=dryrun
            )

        self.assertRefused(run(True), [0])
        self._code_license()
        self.assertFalse(run(True)["messages"])
        result = run(False)
        self.assertTrue(self.services.browse(result["ids"]).is_healthcare_service)

    def test_typing_a_single_code_is_no_import(self):
        service = self._service("Invented", "0000X", 100.0, code_system="cpt")
        self.assertEqual(service.code_system, "cpt")

    def test_import_template(self):
        [template] = self.services.get_import_templates()
        self.assertIn("care_services.csv", template["template"])
        plain = self.env["product.template"].get_import_templates()
        self.assertNotIn("care_services", str(plain))

    def test_dates_and_users(self):
        code_license = self._code_license(users_paid=1)
        self.assertEqual(code_license.display_name, "CPT 2025 L-1")
        self.assertEqual(code_license.users_licensed, 0)
        self.env["healthcare.cpt.license"].create({"employee_id": self.provider.id, "year": 2025})
        code_license.invalidate_recordset(["users_licensed"])
        self.assertEqual(code_license.users_licensed, 1)
        form = Form(self.env["healthcare.code.license"])
        self.assertEqual(form.date_from, date(2025, 1, 1))
        self.assertEqual(form.date_to, date(2025, 12, 31))

    def test_rights(self):
        code_license = self._code_license()
        env = self._act_as(self._user("billing_user"))
        code_license.with_env(env).read(["number"])
        with self.assertRaises(AccessError):
            code_license.with_env(env).number = "L-2"
        code_license.unlink()
        with self.assertRaises(AccessError):
            env["healthcare.code.license"].create({"number": "L", "holder": "H"})

    def test_error_is_a_user_error(self):
        """A script that imports sees the same words."""
        with self.assertRaisesRegex(UserError, "Local in the column Code System"):
            self.env["healthcare.code.license"]._check_import(self.company, ["cpt"])
