from odoo.tests import tagged

from .claim_common import ClaimCommon


@tagged("post_install", "-at_install")
class TestSuperbillOfClaimedCare(ClaimCommon):
    """The superbill says whether the practice claims the care itself."""

    def _draft(self, charges):
        return charges._superbill_drafts()[0]

    def test_submitted_care(self):
        visit = self._visit()
        charges = visit.charge_ids
        self.assertNotIn("claimed", [p.code for p in self._draft(charges).problems])
        superbill = self.env["healthcare.superbill"]._issue([self._draft(charges)])
        claim = self._claims(self._invoices(visit))
        self.assertIn("claimed", [p.code for p in self._draft(charges).problems])
        self.assertFalse(self._draft(charges).values["is_submitted"])
        claim.action_submit()
        self.assertTrue(superbill.has_changed)
        new = superbill._reissue()
        self.assertEqual((superbill.is_submitted, new.is_submitted), (False, True))
        html, _kind = self.env["ir.actions.report"]._render_qweb_html(
            "healthcare_billing.healthcare_superbill_report", new.ids
        )
        self.assertIn(b"were submitted to insurance by the practice", html)
