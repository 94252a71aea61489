from .common import A_DAY, CareCommon


class MassCommon(CareCommon):
    """Accounts with work, and the list of mass billing."""

    @classmethod
    def _matter(cls, name="Matter", work=(100.0,), expenses=(), day=A_DAY, **vals):
        """A billing account of a new client with recorded work.

        :param work: fees of charges of a service, untaxed
        :param expenses: sums of expenses
        """
        account = cls._client(name, account=vals).billing_account_ids
        cls._record(account, work, expenses, day)
        return account

    @classmethod
    def _record(cls, account, work=(), expenses=(), day=A_DAY):
        """Record work and expenses on a billing account."""
        values = [
            {
                "company_id": account.company_id.id,
                "client_id": account.client_id.id,
                "billing_account_id": account.id,
                "payer_id": account.payer_id.id,
                "product_id": cls.service.id,
                "service_date": day,
                "kind": kind,
                "price_unit": fee,
                "quantity": 1,
            }
            for kind, fees in (("service", work), ("expense", expenses))
            for fee in fees
        ]
        return cls.env["healthcare.charge"].create(values)

    @classmethod
    def _mass_run(cls, day=A_DAY, up_to=None):
        return cls.env["healthcare.billing.run"]._open_mass_billing(day, up_to)

    @classmethod
    def _bill(cls, run, accounts=None):
        """Bill rows of a list, all or those of some accounts.

        :return: the draft bills
        """
        domain = [("billing_account_id", "in", accounts.ids)] if accounts else []
        run.action_bill(domain)
        run.action_execute()
        return run.line_ids.move_id

    @classmethod
    def _row(cls, run, account):
        return run.line_ids.filtered(lambda line: line.billing_account_id == account)
