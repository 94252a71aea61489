from .test_concurrency import RaceCommon


class StatementRaceCommon(RaceCommon):
    """Care of a practice with a bank that is committed; statements are removed after the test."""

    @classmethod
    def _prepare(cls, env):
        result = super()._prepare(env)
        env = env(context={"allowed_company_ids": [cls.company_id]})
        account = env["account.account"].create(
            {"name": "Race money", "code": "RACE3", "account_type": "asset_current",
             "reconcile": True}
        )  # fmt: skip
        env["res.company"].browse(cls.company_id).transfer_account_id = account
        journal = env["account.journal"].create(
            {"name": "Race bank", "code": "RBNK", "type": "bank"}
        )
        cls.journal_id = journal.id
        cls.own = [
            ("account.journal", journal.ids),
            *cls.own,
            ("account.account", (account | journal.default_account_id).ids),
        ]
        return result

    @classmethod
    def _remove(cls):
        with cls._committed() as env:
            env["res.company"].browse(cls.company_id).transfer_account_id = False
        return super()._remove()

    @classmethod
    def _remove_billing(cls, env):
        own = [("company_id", "=", cls.company_id)]
        payments = env["account.payment"].search(own)
        payments.filtered(lambda payment: payment.state != "canceled").action_cancel()
        payments.move_id.with_context(force_delete=True).unlink()
        payments.unlink()
        statements = env["healthcare.statement"].search(own)
        statements.write({"state": "draft", "committed_on": False})  # by nobody but tests
        statements.unlink()
        return super()._remove_billing(env)

    def _make_statement(self, env):
        """A draft statement of what the first client owes."""
        client = env["healthcare.charge"].browse(self.charge_ids[0]).client_id
        statement = env["healthcare.statement"].create(
            {"partner_id": client.id, "company_id": self.company_id}
        )
        statement._load_items()
        self.assertEqual(statement.line_ids.charge_id.ids, self.charge_ids[:1])
        return statement

    def assertProof(self, env):
        """Charges and ledger of the practice agree to the cent."""
        company = env["res.company"].browse(self.company_id)
        for own in env["healthcare.receivable"]._proof(company).values():
            self.assertEqual(own["difference"], 0.0, own)
