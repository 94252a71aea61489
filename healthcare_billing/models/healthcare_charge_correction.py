from collections import defaultdict

from odoo import models
from odoo.exceptions import AccessError, UserError

from .healthcare_charge import PART_FIELDS
from .healthcare_charge_balance import OWED_STAGES, PARTIES
from .healthcare_turns_mixin import take_turn

# In the context of what makes, changes and deletes corrections that the addon keeps; an object,
# because no client can send it.
CORRECTING = object()


class HealthcareCharge(models.Model):
    """What adjudications, charges and discounts have in common: children that are booked at once.

    A child follows its root party by party: where the root is posted for a party, the child's part
    is invoiced (or credited) at once, to the same addressee, and set off within its own item. Else
    it stays unbilled, and goes on the invoice that takes the root.
    """

    _inherit = "healthcare.charge"

    def _check_may_correct(self):
        """Changing what is owed of care is billing's work.

        :raise AccessError: for anybody else
        :raise UserError: nothing to correct, or care that nobody owes yet
        """
        if not self.env.su and not self.env.user.has_group("healthcare_billing.group_billing_user"):
            raise AccessError(self.env._("Only billing users can change what is owed of care."))
        self.check_access("write")
        if not self:
            raise UserError(self.env._("Choose the care that this is about."))
        for charge in self:
            if charge.parent_id:
                raise UserError(
                    self.env._("%s is a correction itself: choose the care.", charge.display_name)
                )
            if charge.billing_stage not in OWED_STAGES:
                raise UserError(
                    self.env._(
                        "%s isn't owed by anybody: it is planned, or not billable.",
                        charge.display_name,
                    )
                )

    def _lock_for_correction(self):
        """One user at a time, for these charges and for the documents that bill them.

        :raise UserError: somebody else is at it
        """
        lines = self._family()._live_lines()
        for records in (self, lines.move_id):
            take_turn(
                records, self.env._("Another user is working on this care right now. Try again.")
            )

    def _posted_parties(self):
        """For which parties these charges are posted, so that their corrections are, too.

        A party that the charge itself asks for nothing counts, if another one's part is posted.

        :return: ``{charge: {responsibility: partner id of the addressee, or False}}``
        """
        lines = self._live_lines()
        held = {(line.charge_id.id, line.responsibility) for line in lines}
        posted = {
            (line.charge_id.id, line.responsibility): line.move_id.partner_id.id
            for line in lines
            if line.parent_state == "posted"
        }
        result = {}
        for charge in self:
            asked = charge._parts()
            own = {
                party: posted[charge.id, party] for party in PARTIES if (charge.id, party) in posted
            }
            if own:
                own |= {
                    party: False
                    for party in PARTIES
                    if party not in asked and (charge.id, party) not in held
                }
            result[charge] = own
        return result

    def _net_parts(self):
        """What the family of each charge bills, by charge and party: untaxed, less credits.

        Posted parts count as the ledger has them, the others as they are quoted.

        :return: ``{(charge or correction id, responsibility): amount}``
        """
        family = self._family()
        lines = family._posted_document_lines()
        net = defaultdict(float)
        held = set()
        for line in lines:
            key = (line.charge_id.id, line.responsibility)
            net[key] += (-1 if line.move_type == "out_refund" else 1) * line.price_subtotal
            if line.charge_live:
                held.add(key)
        for charge in family:
            if charge.billing_stage in OWED_STAGES:
                for party, name in PART_FIELDS.items():
                    if (charge.id, party) not in held:
                        net[charge.id, party] += charge[name]
        return net

    # -- booking ---------------------------------------------------------------------------------
    def _book_corrections(self, date):
        """Invoice and credit these new children as far as their roots are posted, and post that.

        :param date date: of the documents, in an open period
        :return: posted ``account.move`` records
        :raise UserError: why it can't be booked now; then nothing is
        """
        parts = self._parts_of_posted()
        booked = self.browse(dict.fromkeys(charge_id for charge_id, _party in parts))
        engine = self.env["healthcare.billing.engine"].with_context(
            healthcare_billing_door="adjustment",
            healthcare_only_parts=set(parts),
            healthcare_corrections=Corrections(parts),
        )
        moves = self.env["account.move"]
        for company, charges in booked.grouped("company_id").items():
            moves |= engine.with_company(company)._bill_or_raise(charges, invoice_date=date)
        moves.filtered(lambda move: move.state == "draft")._post(soft=False)
        moves._set_off_within_items()
        return moves

    def _parts_of_posted(self):
        """Parts of these corrections that belong to care that is posted, and so on its documents.

        :return: ``{(charge id, responsibility): (partner id or False, key of the document)}``, see
            :class:`Corrections`
        """
        parties = self.parent_id._posted_parties()
        shares = self.parent_id._open_item_shares()
        parts = {}
        for child in self.filtered("parent_id"):
            for party, name in PART_FIELDS.items():
                if party in parties[child.parent_id] and not child.currency_id.is_zero(child[name]):
                    parts[child.id, party] = (
                        parties[child.parent_id][party],
                        child._document_key(party, child[name], shares),
                    )
        return parts

    def _open_item_shares(self):
        """What is open on each posted document of these charges, per item.

        :return: ``{(charge id, responsibility): {move: amount}}``
        """
        shares = defaultdict(dict)
        moves = self._family()._posted_document_lines().move_id
        for move, own in moves._open_shares().items():
            for key, amount in own.items():
                if key[0]:
                    shares[key][move] = amount
        return shares

    def _document_key(self, party, amount, shares):
        """What shares a document with this correction: what can be set off as a whole.

        :param float amount: of this party's part
        :param dict shares: of ``_open_item_shares``
        :rtype: tuple
        """
        self.ensure_one()
        key = (self.parent_id.id, party)
        own = shares.get(key, {})
        fitting = [
            move.id
            for move, left in own.items()
            if amount < 0 and self.currency_id.compare_amounts(left, -amount) >= 0
        ]
        if fitting:
            return ("credit", min(fitting), False)
        return ("charge" if amount > 0 else "credit", False, self.parent_id.id)

    def _log_on_care(self, texts):
        """Say on the appointments, and on all documents that bill the care, what became of it.

        :param dict texts: ``{charge: sentence}``
        """
        charges = self.browse(charge.id for charge in texts)
        lines = charges._family()._live_lines().with_env(self.env)
        moves = lines.grouped(lambda line: line.charge_id._root())
        by_record = defaultdict(list)
        for charge, text in texts.items():
            held = moves[charge].move_id if charge in moves else ()
            for record in (*charge.appointment_id, *held):
                by_record[record].append(f"{charge.display_name}: {text}")
        for model in ("healthcare.appointment", "account.move"):
            records = self.env[model].browse(r.id for r in by_record if r._name == model)
            records._message_log_batch(
                bodies={record.id: "\n".join(by_record[record]) for record in records}
            )


class Corrections:
    """To whom corrections are addressed, and what shares a document; no client can send it.

    :ivar parts: ``{(charge id, responsibility): (partner id or False, key of the document)}``
    """

    def __init__(self, parts):
        self.parts = parts
