from datetime import timedelta

from .common import A_DAY, CareCommon


class CycleInvoicesCommon(CareCommon):
    """A cycle of a week in the past, with approved visits and drafts by the engine."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.first = A_DAY
        cls.cycle = cls._cycle()

    @classmethod
    def _cycle(cls, **vals):
        return cls.env["healthcare.billing.cycle"].create(
            {
                "date_from": cls.first,
                "date_to": cls.first + timedelta(days=7),
                "invoice_date": cls.first + timedelta(days=7),
            }
            | vals
        )

    @classmethod
    def _approved(cls, client, **vals):
        return cls._appointment(client, **({"approval_state": "approved"} | vals))

    @classmethod
    def _generate(cls, visits, cycle=None):
        """Drafts of visits in a cycle, as its run makes them.

        :return: ``account.move`` recordset, in the order of the visits
        """
        cycle = cycle or cls.cycle
        engine = cls._engine("cycle")
        run = engine.plan(visits.charge_ids, invoice_date=cycle.invoice_date).save()
        run.sudo().write({"billing_cycle_id": cycle.id, "cycle_mode": "all"})
        run.action_execute()
        return run.line_ids.move_id

    @classmethod
    def _drafts(cls, *names, cycle=None):
        """One draft of 80.00 per client."""
        clients = [cls._client(name) for name in names]
        visits = cls.env["healthcare.appointment"].union(
            *(cls._approved(client) for client in clients)
        )
        moves = cls._generate(visits, cycle)
        return moves.browse(
            moves.filtered(lambda move, client=client: move.partner_id == client).id
            for client in clients
        )

    @classmethod
    def _overview(cls, **domain):
        return cls.env["healthcare.invoice.overview"].search(
            [(name, "=", value) for name, value in domain.items()]
        )

    def _pay(self, move, amount=None):
        return (
            self.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=move.ids)
            .create({"amount": amount or move.amount_residual, "payment_date": move.date})
            ._create_payments()
        )
