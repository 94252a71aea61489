"""What the office does after billing: sends, claims, superbills, corrections, the next sessions."""

from datetime import datetime, time, timedelta

from .company import QUIET

# client -> what happens to the invoices of the month before last
NO_ADDRESS, BAD_ADDRESS = "pike", "moss"
SUPERBILLS = ("finch", "lund")  # the second one's is issued again after a payment
SUPERBILL_VOIDED = "pike"
REJECT_REASON = "The member ID isn't known for this date of service."


class Office:
    """Works on the invoices of the month before last, so that last month adds up by itself.

    Each method shows the states of one station; together they show all of them.

    :param practice: :class:`TherapyPractice`, billed for both months
    :param env: of a billing manager
    :param moves: invoices of the month before last
    """

    def __init__(self, practice, env, moves):
        self.practice = practice
        self.env = env(context={**env.context, **QUIET})
        self.moves = moves.with_env(self.env)

    def work(self):
        """Everything, in the order of a month.

        :return: self
        """
        self.deliver()
        self.issue_superbills()
        self.claim()
        self.correct()
        self.transfer()
        self.change_default_fee()
        self.plan_sessions()
        self.plan_today()
        return self

    def _invoices(self, client, addressee="client"):
        """Invoices of a client's care, addressed to the client or to the payer."""
        partner = self.practice.clients[client]
        return self.moves.filtered(
            lambda move: (
                move.healthcare_client_id == partner
                and move.move_type == "out_invoice"
                and (move.partner_id == partner) is (addressee == "client")
            )
        )

    def _unpaid_payer_invoices(self):
        payers = self.practice.payers["summit"] | self.practice.payers["blue_harbor"]
        return self.moves.filtered(
            lambda move: (
                move.partner_id in payers
                and move.move_type == "out_invoice"
                and move.payment_state == "not_paid"
            )
        ).sorted("name")

    # -- process existing invoices ---------------------------------------------------------------
    def deliver(self):
        """E-mails that were sent, wait, failed, or have nowhere to go."""
        self.practice.clients[NO_ADDRESS].email = False
        self.practice.clients[BAD_ADDRESS].email = "nobody@"
        to_client = self.moves.filtered(
            lambda move: move.move_type == "out_invoice" and not move._care_addressee_is_payer()
        ).sorted("name")
        to_client._queue_delivery("invoice")
        queued = to_client.filtered(lambda move: move.delivery_state == "queued")
        arrived, failed = queued[: len(queued) // 2], queued[len(queued) // 2 :][:2]
        # as the queue leaves them; the demo has no mail server
        (arrived | failed).sudo().sending_data = False
        arrived._set_delivery("sent")
        failed._set_delivery(
            "failed", self.env._("The mail server refused the address. Correct it, and send again.")
        )
        return self

    # -- superbills ------------------------------------------------------------------------------
    def issue_superbills(self):
        """Superbills that count, were replaced, and are void."""
        superbills = {
            client: self._invoices(client)._create_superbills()
            for client in (*SUPERBILLS, SUPERBILL_VOIDED)
        }
        superbills[SUPERBILL_VOIDED]._void(self.env._("Issued for the wrong insurer."))
        replaced = superbills[SUPERBILLS[-1]]
        self._pay(replaced.move_ids)
        for superbill in replaced:
            superbill._reissue()
        return self

    def _pay(self, moves):
        unpaid = moves.filtered("amount_residual")
        if unpaid:
            self.env["account.payment.register"].with_context(
                active_model="account.move", active_ids=unpaid.ids
            ).create({"payment_date": self.practice.last_month})._create_payments()

    # -- claims ----------------------------------------------------------------------------------
    def claim(self):
        """Claims in every state, one sent again, and some that lack data."""
        builder = self.env["healthcare.claim.builder"]
        payers = self.practice.payers["summit"] | self.practice.payers["blue_harbor"]
        invoices = self.moves.filtered(
            lambda move: move.partner_id in payers and move.move_type == "out_invoice"
        )
        claims = builder.create_claims(builder.plan(invoices))
        complete = claims.filtered(lambda claim: not claim.issue_ids).sorted("name")
        complete.action_submit()
        # below, the invoice of the first one is corrected, that of the second one credited: this
        # closes its claim, and a void has to be sent
        self.corrected, self.credited = self._unpaid_payer_invoices().filtered(
            lambda move: move.claim_ids and move.claim_ids <= complete
        )[:2]
        accepted = (self.corrected | self.credited).claim_ids
        accepted.action_accept()
        others = complete - accepted
        others[1:5].action_accept()
        (others[2] | others[3])._reject(REJECT_REASON)
        others[2].action_resubmit()
        others[4].action_mark_paid()
        others[5]._reject(REJECT_REASON)
        others[5].action_cancel()
        return self

    # -- corrections -----------------------------------------------------------------------------
    def correct(self):
        """Credit and rebill with one unit less, and a plain credit note."""
        charge = self.corrected.invoice_line_ids.charge_id[:1]
        self.corrected._credit_and_rebill(
            {charge: {"quantity": charge.quantity - 1.0}}, reason=self.env._("One unit too many")
        )
        self.credited._reverse_moves([self.credited._reversal_dates()], cancel=True)
        return self

    def transfer(self):
        """The payer says that a part of it is the client's deductible."""
        move = self._unpaid_payer_invoices()[0]
        charge = move.invoice_line_ids.charge_id[:1]
        transfer = charge._transfer(
            20.0, from_party="primary", to_party="client", reason=self.env._("Deductible")
        )
        transfer._bill_transfers()
        transfer._log_transfers()
        return self

    # -- what comes next -------------------------------------------------------------------------
    def change_default_fee(self):
        """A client's own fee is lowered after sessions were planned: *Reprice* shows them."""
        self.practice.accounts["finch"].with_env(self.env).default_fee = 95.0
        return self

    def plan_sessions(self):
        """Weekly sessions with a holiday on the way, of which some were moved later on."""
        client = self.practice.clients["lund"]
        first = self.practice.today + timedelta(days=7)
        self.env["resource.calendar.leaves"].sudo().create(
            {
                "name": "Practice closed",
                "company_id": self.practice.company.id,
                "date_from": self.practice._noon(first + timedelta(days=14)) - timedelta(hours=12),
                "date_to": self.practice._noon(first + timedelta(days=14)) + timedelta(hours=11),
            }
        )
        dialog = self.env["healthcare.appointment.schedule"].create(
            {
                "client_id": client.id,
                "billing_account_id": self.practice.accounts["lund"].id,
                "product_id": self.practice.services["counseling"].id,
                "employee_id": self.practice.staff["raman"].id,
                "date_start": first,
                ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[first.weekday()]: True,
                "start_time": 18.5,
                "duration": 0.75,
                "count": 8,
            }
        )
        dialog.action_apply()
        self.series = dialog.result_id
        return self

    def plan_today(self):
        """A provider's day: one visit waits for its note, one goes on, two are to come."""
        practice = self.practice
        visits = zip(
            ("pike", "abara", "hale", "dupree"),
            (time(9), time(10, 30), time(13), time(15)),
            ("completed", "scheduled", "scheduled", "scheduled"),
            strict=True,
        )
        self.today = self.env["healthcare.appointment"].create(
            [
                {
                    "client_id": practice.clients[client].id,
                    "employee_id": practice.staff["obi"].id,
                    "product_id": practice.services["counseling"].id,
                    "start": practice._utc(datetime.combine(practice.today, at)),
                    "state": state,
                }
                for client, at, state in visits
            ]
        )
        done, present = self.today[0], self.today[1]
        done.write({"clock_in": done.start, "clock_out": done.stop})
        present.clock_in = present.start
        return self
