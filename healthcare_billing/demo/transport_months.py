"""The transport company's months: insurers by invoice and claim, all others by statements."""

from datetime import timedelta

from . import transport_data as data
from .books import Books


class TransportMonths(Books):
    """What the company's office does in five months, in the order in which it does it.

    :param carrier: :class:`~.transport.TransportCompany`, without trips
    :param env: of a billing manager of the company
    """

    def __init__(self, carrier, env):
        super().__init__(env)
        self.carrier = carrier
        self.claims = self.env["healthcare.claim"]
        self.invoiced = self.env["account.move"]  # to insurers and, of the same care, to clients

    def work(self):
        """Everything.

        :return: self
        """
        for month in range(1, 6):
            trips = self.carrier.drive(month)
            self._compare_prices(month, trips)
            self.bill_insurers(month)
        self.carrier.schedule()
        self.compare_proof()
        return self

    def _appointments(self, trips):
        return self.env["healthcare.appointment"].browse(trip.appointment.id for trip in trips)

    @staticmethod
    def _worth(trips):
        """What trips have to come to, by the tables."""
        return round(sum(trip.amount for trip in trips), 2)

    def _compare_prices(self, month, trips):
        """Contract prices and retail, worked out apart."""
        charged = sum(self._appointments(trips).mapped("amount_total"))
        self._equal(f"Trips of month {month} by the contracts", self._worth(trips), "charges", charged)

    # -- insurers --------------------------------------------------------------------------------
    def bill_insurers(self, month):
        """Invoices and claims of insured clients, posted and submitted."""
        trips = self.carrier.trips_of(*data.INSURERS, months=[month])
        if not trips:
            return
        first, after = self.carrier.first_days[month], self.carrier.first_days[month + 1]
        dialog = self.env["healthcare.batch.invoicing"].create(
            {
                "payer_ids": [self.carrier.payers[key].id for key in data.INSURERS],
                "date_from": first,
                "date_to": after - timedelta(days=1),
                "invoice_date": after,
            }
        )
        run = self.env["healthcare.billing.run"].browse(dialog.action_search()["res_id"])
        run.action_execute()
        run.move_ids.action_post()
        self._equal(f"Insured trips of month {month}", self._worth(trips), "invoices",
                    self._untaxed(run.move_ids))  # fmt: skip
        self.invoiced |= run.move_ids
        builder = self.env["healthcare.claim.builder"]
        claims = builder.create_claims(builder.plan(run.move_ids))
        self.claims |= claims
        claims.action_submit()

    def _claims_of(self, client, month):
        """Claims of a client's trips of a month."""
        trips = self.carrier.trips_of(client, months=[month])
        charges = self._appointments(trips).charge_ids
        return self.claims.filtered(lambda claim: claim.line_ids.item_ids.charge_id & charges)

    # -- what must be equal ----------------------------------------------------------------------
    def compare_proof(self):
        """Charges and ledger agree: what is owed of trips is what is open in the books."""
        proof = self.env["healthcare.receivable"]._proof(self.company)[self.currency]
        told = proof["charges"] + proof["pseudo"] + proof["unapplied"]
        self._equal("Balances of charges", told, "ledger", proof["ledger"])
