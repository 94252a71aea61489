from datetime import timedelta

from odoo.fields import Command

from .common import A_DAY
from .test_superbill import SuperbillCommon


class ReceivableCommon(SuperbillCommon):
    def assertProof(self):
        for own in self.env["healthcare.receivable"]._proof(self.company).values():
            self.assertEqual(own["difference"], 0.0, own)

    def _three(self, client=None, **vals):
        """Charges of 80.00 on three days, the oldest first, and their invoice."""
        visits = self.env["healthcare.appointment"]
        for days in range(3):
            visits += self._appointment(
                client or self.anna, day=A_DAY + timedelta(days=days), **vals
            )
        return visits.charge_ids.sorted("service_date"), self._execute(visits, post=True).move_ids

    def _rows_of(self, charges):
        self.env.flush_all()
        self.env["healthcare.receivable"].invalidate_model()
        return self.env["healthcare.receivable"].search([("charge_id", "in", charges.ids)])

    def _statement(self, charge, partner, party="client", **vals):
        return self.env["healthcare.statement"].create(
            {
                "partner_id": partner.id,
                "line_ids": [
                    Command.create(
                        {
                            "charge_id": charge.id,
                            "responsibility": party,
                            "price": 80.0,
                            "amount_due": 80.0,
                        }
                    )
                ],
            }
            | vals
        )
