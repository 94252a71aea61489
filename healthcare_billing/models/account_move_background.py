import random
import time

from odoo import api, models

from ..tools.races import RETRIED_ERRORS

# How often a part is tried again because others worked on the same invoices.
MAX_TRIES = 5


class AccountMove(models.Model):
    """Work on many invoices in the background: parts of it, each a transaction of its own."""

    _inherit = "account.move"

    @api.model
    def _try_part(self, work, fail, move_ids):
        """Do something with some invoices; when others changed them too, on a new snapshot.

        The scheduled action commits before and after: nothing but this part is rolled back, and
        the other parts go on.

        :param work: function of ids of invoices
        :param fail: function of ids and an exception: keeps the reason with those still waiting
        :return: whether it is settled; else it still waits, for the next start
        """
        for trial in range(MAX_TRIES):
            try:
                work(move_ids)
                self.env.flush_all()
            except RETRIED_ERRORS:
                self.env.cr.rollback()
                time.sleep(random.uniform(0.0, 0.1 * 2**trial))  # not for secrets
            except Exception as error:  # noqa: BLE001  # whatever it is, the other parts must go on
                self.env.cr.rollback()
                fail(move_ids, error)
                return True
            else:
                return True
        return False
