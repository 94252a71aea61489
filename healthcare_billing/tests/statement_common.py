from datetime import timedelta

from .common import A_DAY
from .test_superbill import SuperbillCommon


class StatementCommon(SuperbillCommon):
    """Statements of a practice, with what proves that charges and ledger agree."""

    @classmethod
    def _statement(cls, partner, load=True, **vals):
        """A draft statement with the items that it takes in."""
        statement = cls.env["healthcare.statement"].create({"partner_id": partner.id} | vals)
        if load:
            statement._load_items()
        return statement

    @classmethod
    def _visits(cls, client, number=2, **vals):
        """Charges of 80.00 on consecutive days, the oldest first."""
        visits = cls.env["healthcare.appointment"]
        for days in range(number):
            visits += cls._appointment(client, day=A_DAY + timedelta(days=days), **vals)
        return visits.charge_ids.sorted("service_date")

    @classmethod
    def _receivables(cls, charges, party=None):
        """What is owed of charges, as it is in the database now."""
        cls.env.flush_all()
        domain = [("charge_id", "in", charges.ids)]
        if party:
            domain.append(("responsibility", "=", party))
        rows = cls.env["healthcare.receivable"].search(domain)
        rows.invalidate_recordset()
        return rows

    def _stages(self, charges):
        return self._receivables(charges).sorted("service_date").mapped("stage")

    def assertProof(self):
        """Charges and ledger agree to the cent."""
        for own in self.env["healthcare.receivable"]._proof(self.company).values():
            self.assertEqual(own["difference"], 0.0, own)
