import re

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from .test_superbill import SuperbillCommon


@tagged("post_install", "-at_install")
class TestDialogRights(SuperbillCommon):
    """Odoo 19 has no owner of transient records: dialogs hold clients' care, and have rules."""

    def test_every_dialog_of_ours_is_its_users(self):
        ours = [
            name
            for name, model in self.env.registry.items()
            if name.startswith("healthcare.") and model._transient and not model._abstract
        ]
        self.assertGreater(len(ours), 20)
        for name in ours:
            rules = self.env["ir.rule"].search(
                [("model_id.model", "=", name), ("groups", "=", False)]
            )
            with self.subTest(model=name):
                self.assertTrue(
                    any(
                        re.search(r"create_uid\W+=\W+user\.id", rule.domain_force or "")
                        for rule in rules
                    )
                )

    def test_dialogs_are_read_by_their_user_only(self):
        """Not by a colleague, nor by a billing user of another company."""
        visit = self._appointment(self.anna)
        mine = self._act_as(self._user("billing_user"))
        colleague = self._act_as(self._user("billing_manager"))
        company = self.setup_other_company()["company"]
        stranger = self._user("coordinator")
        stranger.write(
            {
                "company_ids": [Command.set(company.ids)],
                "company_id": company.id,
                "group_ids": [
                    Command.link(self.env.ref("healthcare_billing.group_billing_user").id)
                ],
            }
        )
        elsewhere = self.env(user=stranger, context={"allowed_company_ids": company.ids})
        action = visit.with_env(mine).action_superbill()
        preview = mine[action["res_model"]].browse(action["res_id"])
        for record in (
            preview,
            preview.document_ids,
            mine["healthcare.invoice.delivery"].create({"task": "email"}),
            mine["healthcare.superbill.period"].create({"client_id": self.anna.id}),
        ):
            self.assertIn(record, record.search([]))
            for env in (colleague, elsewhere):
                with self.subTest(model=record._name, user=env.user.login):
                    self.assertFalse(env[record._name].search([]))
                    self.assertFalse(env[record._name].search_read([], ["create_uid"]))
                    with self.assertRaises(AccessError):
                        record.with_env(env).read(["create_uid"])
