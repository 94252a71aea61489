from odoo import fields
from odoo.fields import Command

from .test_superbill import SuperbillCommon

# Nothing of this is ever told on a statement, by paper, page, file or e-mail.
CONFIDENTIAL = {
    "diagnosis": "Secret condition",
    "diagnosis code": "QQ7.77",
    "billing note": "Secret billing note",
    "dispatcher's note": "Secret dispatcher note",
    "pre-authorization note": "Secret authorization note",
    "parking reason": "Secret parking reason",
    "legal name": "Secret Legal Name",
    "memo": "Secret memo",
}


class StatementPrintCommon(SuperbillCommon):
    """Statements as a commit leaves them, made of what parties owe."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.diagnosis.write(
            {"code": CONFIDENTIAL["diagnosis code"], "name": CONFIDENTIAL["diagnosis"]}
        )
        cls.anna.write(
            {
                "name": "Anna Portal",
                "legal_name": CONFIDENTIAL["legal name"],
                "email": "anna@example.com",
            }
        )
        cls.ben = cls._patient("Ben Portal", email="ben@example.com")

    @classmethod
    def _statement(cls, partner, charges=None, state="committed", **vals):
        """A statement of all that a partner owes of these charges, default of all.

        Items are invoiced and posted before, as a commit does.
        """
        domain = [("partner_id", "=", partner.id), ("company_id", "=", cls.company.id)]
        if charges is not None:
            domain.append(("charge_id", "in", charges.ids))
        receivables = cls.env["healthcare.receivable"].search(domain)
        # sudo: state and dates are written by the buttons alone
        statement = (
            cls.env["healthcare.statement"]
            .sudo()
            .create(
                {
                    "partner_id": partner.id,
                    "company_id": cls.company.id,
                    "line_ids": [
                        Command.create(
                            {
                                "charge_id": row.charge_id.id,
                                "responsibility": row.responsibility,
                                "price": row.balance,
                                "amount_due": row.balance,
                                "distance": row.appointment_id.distance,
                                "waiting_minutes": row.appointment_id.waiting_minutes,
                            }
                        )
                        for row in receivables
                    ],
                    **vals,
                }
            )
        )
        today = fields.Date.context_today(statement)
        statement.write(
            {
                "state": state,
                "committed_on": today if state != "draft" else False,
                "committed_by_id": cls.env.uid if state != "draft" else False,
            }
        )
        return statement.sudo(False)

    def _html(self, statements, report="report_statement"):
        """What is printed, as HTML."""
        html, _kind = self.env["ir.actions.report"]._render_qweb_html(
            f"healthcare_billing.{report}", statements.ids
        )
        return html.decode()

    def assertNothingConfidential(self, text):
        for kind, secret in CONFIDENTIAL.items():
            self.assertNotIn(secret, text, kind)

    def assertProof(self):
        for own in self.env["healthcare.receivable"]._proof(self.company).values():
            self.assertEqual(own["difference"], 0.0, own)
