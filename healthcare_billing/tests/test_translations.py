from odoo.tests import TransactionCase, tagged
from odoo.tools.misc import file_path
from odoo.tools.translate import TranslationModuleReader, translation_file_reader

ADDON = "healthcare_billing"


@tagged("post_install", "-at_install")
class TestTranslations(TransactionCase):
    def test_template_has_all_terms(self):
        """``odoo i18n export healthcare_billing`` makes it again."""
        used = {
            source for _module, _kind, _name, _id, source, *_rest in
            TranslationModuleReader(self.env.cr, modules=[ADDON])
        }  # fmt: skip
        path = file_path(f"{ADDON}/i18n/{ADDON}.pot")
        with open(path, "rb") as template:
            known = {row["src"] for row in translation_file_reader(template, fileformat="po")}
        self.assertGreater(len(used), 1000)
        self.assertEqual(used - known, set())
