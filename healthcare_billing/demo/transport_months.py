"""The transport company's months: insurers by invoice and claim, all others by statements."""

from datetime import timedelta

from ..models.account_payment_charge import CareMoney
from ..models.healthcare_charge_adjudication import Adjudication
from . import transport_data as data
from .transport import MONTHS
from .transport_statements import TransportStatements


class TransportMonths(TransportStatements):
    """What the company's office does in five months, in the order in which it does it."""

    def __init__(self, carrier, env):
        super().__init__(carrier, env)
        self.claims = self.env["healthcare.claim"]
        self.invoiced = self.env["account.move"]  # to insurers and, of the same care, to clients
        self.payments = self.env["account.payment"]  # of insurers

    def work(self):
        """Everything.

        :return: self
        """
        for month in range(1, MONTHS + 1):
            if month > 1:
                self.settle(month - 1)
                self.decide(month - 1)
            self.drive(month)
            self.bill_insurers(month)
            if month == data.SOLD_MONTH:
                self.sell(month)
            if month == MONTHS:
                self.take_cash()
                self.take_prepayment()
            self.state(month)
        self.close_prepaid()
        self.carrier.schedule()
        self.compare_owed()
        self.compare_proof()
        self.compare_losses()
        self.compare_collections()
        return self

    # -- trips -----------------------------------------------------------------------------------
    def drive(self, month):
        """Trips of a month, at contract prices and retail as worked out apart."""
        trips = self.carrier.drive(month)
        charged = sum(self._appointments(trips).mapped("amount_total"))
        self._equal(
            f"Trips of month {month} by the contracts", self._worth(trips), "charges", charged
        )
        for trip in trips:
            insured = trip.client.payer in data.INSURERS
            if not insured and not trip.values.get("parked"):
                self.owed[trip.client.payer or trip.client.key] += trip.amount

    def _appointments(self, trips):
        return self.env["healthcare.appointment"].browse(trip.appointment.id for trip in trips)

    @staticmethod
    def _worth(trips):
        """What trips have to come to, by the tables."""
        return round(sum(trip.amount for trip in trips), 2)

    def _charges(self, *key):
        """The ride of a trip, and its miles."""
        charges = self._appointments([self.carrier.trips[key]]).charge_ids
        roots = charges.filtered(lambda charge: not charge.parent_id).sorted("id")
        return roots[0], roots[1:]

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
        run.move_ids.group_single_claim = True
        self._equal(
            f"Insured trips of month {month}", self._worth(trips),
            "invoices", self._untaxed(run.move_ids),
        )  # fmt: skip
        self.invoiced |= run.move_ids
        builder = self.env["healthcare.claim.builder"]
        claims = builder.create_claims(builder.plan(run.move_ids))
        self.claims |= claims
        claims.action_submit()

    def decide(self, month):
        """What insurers answered to a month's claims, and what they and their clients paid."""
        charges = {key: self._charges(*key) for key in data.DECISIONS if key[0] == month}
        if month == data.DENIED[0]:
            self.ask_client_instead()
        if not charges:
            return
        paid = {}
        reasons = {
            reason.code: reason for reason in self.env["healthcare.adjustment.reason"].search([])
        }
        day = self.pay_day(month)
        for key, (ride, miles) in charges.items():
            allowed, for_miles, kept, client_part = data.DECISIONS[key]
            reason = reasons["45" if allowed else "50"]
            ride._adjudicate({ride: Adjudication(allowed, kept, client_part, reason, day)})
            miles._adjudicate({miles: Adjudication(for_miles, 0.0, 0.0, reason, day)})
            payer = self.carrier.trips[key].client.payer
            items = paid.setdefault(payer, [])
            for charge, amount in ((ride, allowed - kept - client_part), (miles, for_miles)):
                if amount:
                    items.append(CareMoney(charge, "primary", round(amount, 2)))
        for payer, items in paid.items():
            payment = self.env["account.payment"]._receive_for_care(
                self.party(payer), self.bank, day, items, memo=f"EFT {month}0{payer[:3].upper()}"
            )
            expected = sum(item.amount for item in items)
            self._equal(f"{payer} allowed, month {month}", expected, "paid", payment.amount)
            self.payments |= payment
        self._claims_of(charges).action_mark_paid()
        self._pay_copays(month, day)

    def ask_client_instead(self):
        """A claim is denied: the client owes what the plan doesn't pay, as she signed before."""
        key = data.DENIED
        charges = self.env["healthcare.charge"].union(*self._charges(*key))
        claim = self._claims_of({key: charges})
        claim._reject(data.DENIAL)
        transfers = charges.browse()
        for charge in charges:
            transfers |= charge._transfer(
                charge.amount_payer, from_party="primary", to_party="client", reason=data.DENIAL
            )
        transfers._bill_transfers()
        transfers._log_transfers()
        charges._set_returned("client")
        self.owed[key[1]] += self._worth([self.carrier.trips[key]])

    def _claims_of(self, charges):
        """Claims of trips.

        :param dict charges: rides and miles per key of the trip
        """
        care = self.env["healthcare.charge"]
        for parts in charges.values():
            care = care.union(*parts)
        return self.claims.filtered(lambda claim: claim.line_ids.item_ids.charge_id & care)

    def _pay_copays(self, month, day):
        """Clients pay the invoices of their co-pays by themselves; what a plan left to them comes
        on their next statement.
        """
        for key in [key for key in data.DECISIONS if key[0] == month]:
            copay = self.carrier.trips[key].client.copay
            left = data.DECISIONS[key][3]
            if not copay:
                continue
            ride = self._charges(*key)[0]
            if left:
                self.env["account.payment"]._receive_for_care(
                    self.party(key[1]), self.bank, day, [CareMoney(ride, "client", copay)]
                )
            if left > copay:
                self.owed[key[1]] += left - copay

    # -- without statements ----------------------------------------------------------------------
    def _receive(self, trip, journal_type, day):
        """*Receive Payment* on a trip: all of it.

        :return: ``account.payment``
        """
        action = self._appointments([trip]).action_receive_payment()
        dialog = self.env["healthcare.receive.payment"].browse(action["res_id"])
        dialog.write({"journal_id": self._journal(journal_type).id, "date": day})
        dialog.action_receive()
        self._equal(f"{trip.client.name} paid", trip.amount, "payment", dialog.payment_id.amount)
        self.owed[trip.client.key] -= trip.amount
        return dialog.payment_id

    def take_cash(self):
        """A trip is paid at the door: invoiced, booked and finished, without a statement."""
        [trip] = self.carrier.trips_of(data.CASH)
        self.cash = self._receive(trip, "cash", trip.day)
        stages = self._appointments([trip]).charge_ids.mapped("billing_stage")
        self._count("A trip that is paid is", set(stages), "is", {"finished"})

    def take_prepayment(self):
        """Money for a trip that is to come, on account of its appointment; then it is driven."""
        [trip] = self.carrier.trips_of(data.PREPAID)
        self.prepayment = self._receive(trip, "bank", trip.day - timedelta(days=3))
        self._count("Paid before the trip", self.prepayment.move_id.line_ids.matched_debit_ids.ids,
                    "applied", [])  # fmt: skip
        self._appointments([trip]).write({"state": "completed", "qa_state": "done"})

    def close_prepaid(self):
        """What was paid before is applied when the statement is committed: it closes by nothing."""
        statement = self.statements[MONTHS, data.PREPAID]
        self._equal("Paid before the trip", statement.amount_due_now, "open", 0.0)
        statement._close_paid(0.0, self.bank, self.statement_day(MONTHS))

    # -- collections -----------------------------------------------------------------------------
    def sell(self, month):
        """What was billed three times and never paid goes to an agency."""
        key = data.SOLD
        statement = self.env["healthcare.statement"].create(
            {
                "partner_id": self.party(key).id,
                "statement_type": "collections",
                "date": self.statement_day(month),
            }
        )
        statement._load_items()
        self._commit(statement)
        self._equal("Never paid", round(self.owed[key], 2), "to sell", statement.amount_total)
        self.agency = self.env["res.partner"].create(
            {"name": data.AGENCY, "is_company": True, "company_id": self.company.id}
        )
        statement._close_sold(
            self._reason("sold"), self.statement_day(month),
            proceeds=data.SOLD_FOR, journal=self.bank, agency=self.agency,
        )  # fmt: skip
        self.sold = statement
        self.sold_amount = self.owed.pop(key)

    # -- what must be equal ----------------------------------------------------------------------
    def compare_owed(self):
        """Our own book, party by party, against charges and what is on account."""
        rows = self.env["healthcare.receivable"].search([("company_id", "=", self.company.id)])
        rows = rows.filtered(lambda row: not row.parked)
        told = {
            partner: sum(own.mapped("balance"))
            for partner, own in rows.grouped("partner_id").items()
        }
        for key in (*data.OUTCOMES, data.CASH):
            self._equal(
                f"{self.party(key).name} by our book", round(self.owed[key], 2),
                "receivables", told.get(self.party(key), 0.0),
            )  # fmt: skip

    def compare_proof(self):
        """Charges and ledger agree: what is owed of trips is what is open in the books."""
        proof = self.env["healthcare.receivable"]._proof(self.company)[self.currency]
        told = proof["charges"] + proof["pseudo"] + proof["unapplied"]
        self._equal("Balances of charges", told, "ledger", proof["ledger"])
        aged = self.env["healthcare.aged.receivables"].create({})
        aged.action_compute()
        self._equal("Aged receivables", aged.total, "their accounts", aged.ledger)
        self.open = proof["ledger"]

    def compare_losses(self):
        """What isn't collected stands on accounts of its own, by reason."""
        changes = self._charges_of_kind("adjustment")
        contractual = sum(
            self.carrier.trips[key].amount - ride - miles + kept
            for key, (ride, miles, kept, _client_part) in data.DECISIONS.items()
        )
        self._equal("Not allowed by insurers", round(contractual, 2),
                    "adjustments", -sum(changes.mapped("amount")))  # fmt: skip
        in_books = sum(self._loss(kind) for kind in ("contractual", "sequestration", "denial"))
        self._equal("Not allowed by insurers", round(contractual, 2), "ledger", in_books)
        self._equal("Courtesy", round(self.written_off, 2), "ledger", self._loss("courtesy"))
        self._equal("Sold, less what the agency paid", round(self.sold_amount - data.SOLD_FOR, 2),
                    "ledger", self._loss("sold"))  # fmt: skip

    def _charges_of_kind(self, kind):
        return self.env["healthcare.charge"].search(
            [("company_id", "=", self.company.id), ("kind", "=", kind)]
        )

    def _loss(self, kind):
        """Balance of the account of a kind of reasons."""
        code, _name = data.LOSSES[kind]
        [(balance,)] = self.env["account.move.line"]._read_group(
            [
                ("company_id", "=", self.company.id),
                ("account_id.code", "=", code),
                ("parent_state", "=", "posted"),
            ],
            [],
            ["balance:sum"],
        )
        return balance or 0.0

    def compare_collections(self):
        """The agency's file has each trip once, and what was sold."""
        rows = self.sold._collections_rows()
        self._equal("Sold", round(self.sold_amount, 2), "collections file",
                    sum(row["amount_sold"] for row in rows))  # fmt: skip
        keys = [(row["appointment"], row["amount_billed"]) for row in rows]
        self._count("Rows of the collections file", len(keys), "items sold", len(set(keys)))

    # -- what is printed -------------------------------------------------------------------------
    def table(self):
        """What became of statements, and where the money is.

        :return: str
        """
        carrier = self.carrier
        counts = map(len, (carrier.clients, carrier.staff, carrier.payers, carrier.trips))
        title = "{}: {} clients, {} crew, {} payers, {} trips".format(self.company.name, *counts)
        statements = self.env["healthcare.statement"].search(
            [("company_id", "=", self.company.id)], order="state"
        )
        states = dict(statements._fields["state"]._description_selection(self.env))
        rows = [title, ""]
        rows += [
            self._row(f"Statements: {states[state]}", len(own), sum(own.mapped("amount_total")))
            for state, own in statements.grouped("state").items()
        ]
        rows += [
            self._row("Insurers paid", len(self.payments), sum(self.payments.mapped("amount"))),
            self._row("Sold to an agency", self.sold.line_count, self.sold_amount),
            self._row("Written off as a courtesy", "", self.written_off),
            self._row("Open receivables of care", "", self.open),
        ]
        return "\n".join(rows)
