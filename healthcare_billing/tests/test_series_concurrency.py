from datetime import timedelta

from psycopg2.errors import LockNotAvailable, SerializationFailure

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_concurrency import RaceCommon


@tagged("post_install", "-at_install")
class TestSeriesConcurrency(RaceCommon):
    """Two sessions, each in a transaction of its own, plan the same appointments."""

    @classmethod
    def _remove_billing(cls, env):
        own = [("company_id", "=", cls.company_id)]
        env["healthcare.appointment.schedule"].search(own).unlink()
        env["healthcare.appointment"].search(own).unlink()
        series = env["healthcare.appointment.series"].with_context(active_test=False)
        series.search(own).unlink()
        return super()._remove_billing(env)

    def setUp(self):
        super().setUp()
        with self._committed() as env:
            client = (
                env["healthcare.billing.account"]
                .search([("company_id", "=", self.company_id)], limit=1)
                .client_id
            )
            appointment = env["healthcare.appointment"].create(
                {
                    "client_id": client.id,
                    "company_id": self.company_id,
                    "product_id": self.service_id,
                    "start": fields.Datetime.now() + timedelta(days=1),
                }
            )
            self.appointment_id = appointment.id

    def _dialog(self, env, **context):
        model = env["healthcare.appointment.schedule"].with_context(
            default_appointment_id=self.appointment_id, **context
        )
        dialog = model.create(model.default_get(list(model._fields)) | {"count": 3})
        dialog.date_ids.mapped("label")
        return dialog

    @mute_logger("odoo.sql_db")
    def test_two_users_repeat_the_same_appointment(self):
        """The second one waits for a new snapshot, and is told; there is one series."""
        with self._session() as first, self._session() as second:
            one, two = self._dialog(first), self._dialog(second)
            one.action_apply()
            first.flush_all()
            with self.assertRaisesRegex(UserError, "Somebody else"):
                two.action_apply()
            first.cr.commit()
            with self.assertRaises((SerializationFailure, LockNotAvailable)):
                two.action_apply()
            second.cr.rollback()
            second.invalidate_all()
            with self.assertRaisesRegex(UserError, "already"):
                self._dialog(second).action_apply()
        with self._committed() as env:
            series = env["healthcare.appointment"].browse(self.appointment_id).series_id
            self.assertEqual(len(series.appointment_ids), 3)
            later = env["healthcare.appointment.series"].search([("id", ">", series.id)])
            self.assertFalse(later)

    @mute_logger("odoo.sql_db")
    def test_double_click_on_a_committed_dialog(self):
        with self._committed() as env:
            dialog_id = self._dialog(env).id
        with self._session() as first, self._session() as second:
            one, two = (
                env["healthcare.appointment.schedule"].browse(dialog_id) for env in (first, second)
            )
            self.assertEqual(two.mode, "new", "the second request has begun")
            one.action_apply()
            first.flush_all()
            with self.assertRaisesRegex(UserError, "being done"):
                two.action_apply()
            first.cr.commit()
            second.cr.rollback()
            second.invalidate_all()
            self.assertEqual(two.action_apply()["res_id"], two.result_id.id)
        with self._committed() as env:
            appointment = env["healthcare.appointment"].browse(self.appointment_id)
            series = appointment.series_id
            self.assertEqual(series.appointment_count, 3)
            later = env["healthcare.appointment.series"].search([("id", ">", series.id)])
            self.assertFalse(later)
