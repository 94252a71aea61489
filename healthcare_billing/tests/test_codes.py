from stdnum import luhn

from odoo.tests import BaseCase, tagged

from ..tools.codes import (
    is_valid_npi,
    is_valid_taxonomy_code,
    suggest_code_system,
)


@tagged("post_install", "-at_install")
class TestCodes(BaseCase):
    """The shapes of codes. The five-character codes that look like CPT are invented."""

    def assertSuggested(self, system, *codes):
        for code in codes:
            with self.subTest(code=code):
                self.assertEqual(suggest_code_system(code), system)

    def test_r8_cpt_is_four_digits_and_a_digit_or_one_of_five_letters(self):
        self.assertSuggested("cpt", "00000", "0000F", "0000T", "0000U", "0000M", "0000A")
        self.assertSuggested("local", "0000B", "0000Z", "0000", "000000", "000F0", "F0000F")

    def test_r8_hcpcs_is_a_letter_of_its_ranges_and_four_digits(self):
        for letter in "ABCEFGHJKLMPQRSTUV":
            self.assertSuggested("hcpcs", f"{letter}0000")
        for letter in "DINOWXYZ":
            self.assertSuggested("local", f"{letter}0000")
        self.assertSuggested("local", "A000", "A00000", "AA000", "A000A")

    def test_r8_shape_ignores_case_and_blanks_around(self):
        self.assertSuggested("hcpcs", "t1019", " T1019 ")
        self.assertSuggested("cpt", "0000t")

    def test_r8_other_scripts_are_local(self):
        self.assertSuggested("local", "THERAPY-60", "Sitzung", "Ä0000")

    def test_r8_no_code_no_suggestion(self):
        self.assertSuggested(False, "", "   ", None, False)

    def test_npi_check_digit(self):
        self.assertTrue(is_valid_npi("1234567893"))  # the example of the NPI standard
        for wrong in range(10):
            self.assertEqual(is_valid_npi(f"123456789{wrong}"), wrong == 3)

    def test_npi_shape(self):
        for prefix in ("123456789", "234567890"):
            npi = prefix + luhn.calc_check_digit("80840" + prefix)
            self.assertTrue(is_valid_npi(npi))
            self.assertFalse(is_valid_npi(npi[:-1]))
            self.assertFalse(is_valid_npi(npi + "0"))
            self.assertFalse(is_valid_npi(f" {npi}"))
        third = "334567890"
        self.assertFalse(is_valid_npi(third + luhn.calc_check_digit("80840" + third)))
        for junk in ("", None, False, "12345678AB", "１２３４５６７８９３"):
            self.assertFalse(is_valid_npi(junk))

    def test_taxonomy_code_shape(self):
        for code in ("1041C0700X", "251E00000X", "343900000X"):
            self.assertTrue(is_valid_taxonomy_code(code))
        for code in (
            "",
            None,
            "1041C0700",
            "1041c0700x",
            "1041C0700XX",
            "A041C0700X",
            "1041C07000",
        ):
            self.assertFalse(is_valid_taxonomy_code(code))
