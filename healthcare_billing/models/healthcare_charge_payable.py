from typing import Any, NamedTuple

from odoo import api, models

from .account_payment_charge import OnAccount
from .healthcare_charge import PART_FIELDS
from .healthcare_charge_balance import OWED_STAGES, PARTIES


class PayableItem(NamedTuple):
    """One party's part of a charge with its corrections, and what happens with money for it.

    :ivar charge: ``healthcare.charge`` record
    :ivar str responsibility: whose part
    :ivar partner: who owes it, or will
    :ivar float amount: what is left to pay, money on account taken off; less than 0.00: a credit
    :ivar str how: ``invoiced`` money pays the invoice; ``invoice`` it is invoiced first, at once;
        ``on_account`` money waits until it is invoiced
    :ivar str reason: why it waits, or empty
    """

    charge: Any
    responsibility: str
    partner: Any
    amount: float
    how: str
    reason: str


class HealthcareCharge(models.Model):
    """What can be paid of charges now, invoiced or not."""

    _inherit = "healthcare.charge"

    @api.model
    def _payable_items(self, keys):
        """What is left to pay, set-based.

        Of care that isn't given yet, or has no price, the quote counts, be it 0.00.

        :param keys: iterable of (id of a charge without a parent, responsibility)
        :return: list of :class:`PayableItem`, oldest care first
        """
        keys = list(dict.fromkeys(keys))
        charges = self.browse(dict.fromkeys(charge_id for charge_id, _party in keys))
        waiting = charges._on_account_amounts()
        obstacles = charges._obstacles_to_invoicing()
        items = [
            self.browse(charge_id)
            .with_prefetch(charges._prefetch_ids)
            ._payable_item(party, waiting.get((charge_id, party), 0.0), obstacles)
            for charge_id, party in keys
        ]
        return sorted(
            items,
            key=lambda item: (
                str(item.charge.service_date or ""), item.charge.id, item.responsibility
            ),
        )  # fmt: skip

    def _payable_item(self, party, waiting, obstacles):
        """One of ``_payable_items``.

        :param float waiting: money on account for it
        :param dict obstacles: of ``_obstacles_to_invoicing``
        """
        self.ensure_one()
        suffix = PARTIES[party]
        posted, total = self[f"ledger_{suffix}"], self[f"balance_{suffix}"]
        obstacle = obstacles.get((self.id, party)) or obstacles.get((self.id, False)) or ""
        if self.billing_stage not in OWED_STAGES:
            total = self[PART_FIELDS[party]]
        billed = posted or self.billing_stage in ("awaiting_payment", "finished")
        if billed and self.currency_id.is_zero(total - posted):
            how, obstacle = "invoiced", ""
        elif not obstacle:
            how = "invoice"
        elif posted > 0:  # a correction of it has to wait
            how, total, obstacle = "invoiced", min(posted, total), ""
        else:
            how = "on_account"
        return PayableItem(
            self,
            party,
            self[f"{suffix}_debtor_id"],
            self.currency_id.round(total - waiting),
            how,
            obstacle,
        )

    def _obstacles_to_invoicing(self):
        """Why parts of these charges, or their corrections, can't be invoiced to be paid.

        :return: ``{(charge id, responsibility or False for all parties): text}``
        """
        family = self._family()
        obstacles = {}
        engine = self.env["healthcare.billing.engine"].with_context(
            healthcare_billing_door="payment"
        )
        for charge_id, reasons in engine._block_reasons(family).items():
            root = self.browse(charge_id)._root()
            obstacles[root.id, False] = ", ".join(reasons.mapped("name"))
        for line in family._live_lines().filtered(lambda line: line.parent_state == "draft"):
            root = line.charge_id._root()
            obstacles[root.id, line.responsibility] = self.env._(
                "On draft %s", line.move_id._care_reference()
            )
        return obstacles


class AccountPayment(models.Model):
    _inherit = "account.payment"

    @api.model
    def _receive_or_invoice(self, partner, journal, date, items, *, surplus=0.0, **options):
        """Receive money for care, invoiced or not, in one transaction.

        What can be invoiced is invoiced and posted first, just these parts; money for what can't
        be waits on account, and names its charge.

        :param items: iterable of ``CareMoney``
        :param float surplus: kept for who paid, for nothing that is known
        :param options: of ``_receive_for_care``
        :return: the posted ``account.payment``
        :raise UserError: see ``_receive_for_care`` and ``_invoice_parts``
        """
        items = [item for item in items if item.amount]
        charges = self.env["healthcare.charge"]
        keys = [(item.charge._root().id, item.responsibility) for item in items]
        payable = {
            (item.charge.id, item.responsibility): item for item in charges._payable_items(keys)
        }
        charges._invoice_parts([key for key in keys if payable[key].how == "invoice"], "payment")
        paid, on_account = [], []
        for key, item in zip(keys, items, strict=True):
            if payable[key].how == "on_account":
                owner = payable[key].partner or partner
                on_account.append(OnAccount(owner, *item))
            else:
                paid.append(item)
        if surplus:
            on_account.append(OnAccount(partner, charges, False, surplus))
        return self._receive_for_care(
            partner, journal, date, paid, on_account=on_account, **options
        )
