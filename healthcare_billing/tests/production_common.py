from odoo.addons.mail.tests.common import MockEmail

from .common import A_DAY
from .mass_common import MassCommon
from .sending_common import SendingCommon


class ProductionCommon(MassCommon, SendingCommon, MockEmail):
    """Bills of mass billing, a biller, and what the servers do with their e-mails."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.email = "practice@example.com"
        cls.send_cron = cls.env.ref("account.ir_cron_account_move_send")
        cls.biller = cls._user("billing_user", email="biller@example.com")

    @classmethod
    def _drafts(cls, *accounts, day=A_DAY):
        """Draft bills, one per account and in their order."""
        chosen = cls.env["healthcare.billing.account"].union(*accounts)
        moves = cls._bill(cls._mass_run(day), chosen)
        order = {account: place for place, account in enumerate(accounts)}
        return moves.sorted(lambda move: order[move._mass_accounts()[:1]])

    @classmethod
    def _bills(cls, *accounts, day=A_DAY):
        """Approved bills in production."""
        moves = cls._drafts(*accounts, day=day)
        moves._approve_bills()
        return moves

    def _as_biller(self, records):
        return records.with_env(self._act_as(self.biller))

    def _dialog(self, action):
        """The dialog that a button opened."""
        self.assertEqual(action["res_model"], "healthcare.bill.production")
        # sudo: dialogs are their users'
        user = self.env[action["res_model"]].sudo().browse(action["res_id"]).create_uid
        return self._act_as(user)[action["res_model"]].browse(action["res_id"])

    def _ledger(self):
        """Balances of all posted journal items: ``{(account, partner): cents}``."""
        rows = self.env["account.move.line"]._read_group(
            [("parent_state", "=", "posted"), ("company_id", "=", self.company.id)],
            ["account_id", "partner_id"],
            ["balance:sum"],
        )
        return {
            (account.code, partner.id): round(balance * 100)
            for account, partner, balance in rows
            if round(balance * 100)
        }
