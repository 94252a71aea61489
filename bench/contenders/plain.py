"""Odoo's own way: ``account.move.create`` of the lines that the engine would book."""

from .base import Contender

# Columns of the product: without it nobody would give them, and they would only slow core down.
OWN_OF_MOVE = {"billing_ref", "billing_run_id", "healthcare_client_id", "group_single_claim"}
OWN_OF_LINE = {"charge_id", "responsibility", "charge_units"}


class PlainInOne(Contender):
    """All invoices in one call. Making the values isn't measured: they are there already."""

    name = "account.move.create, one call"

    def prepare(self, env, invoices):
        engine = env["healthcare.billing.engine"]
        charges = engine._prefetch_charges(invoices)
        no_run = env["healthcare.billing.run"]
        return [
            self._strip(engine._prepare_move(invoice, charges, f"BENCH{number}", no_run))
            for number, invoice in enumerate(invoices)
        ]

    def _strip(self, vals):
        lines = [
            (command, key, {name: val for name, val in line.items() if name not in OWN_OF_LINE})
            for command, key, line in vals["line_ids"]
        ]
        kept = {name: val for name, val in vals.items() if name not in OWN_OF_MOVE}
        return kept | {"line_ids": lines}

    def create(self, env, task):
        return env["account.move"].create(task)


class PlainInChunks(PlainInOne):
    """As many invoices a call as the engine makes."""

    name = "account.move.create, chunks"

    def create(self, env, task):
        # can be imported only when Odoo knows its folders of addons
        from odoo.addons.healthcare_billing.models.billing_engine_execution import CHUNK_SIZE

        moves = env["account.move"]
        for offset in range(0, len(task), CHUNK_SIZE):
            moves += moves.create(task[offset : offset + CHUNK_SIZE])
            env.flush_all()
        return moves


class PlainQuiet(PlainInOne):
    """Without the chatter message per invoice, which the engine doesn't make either."""

    name = "account.move.create, no chatter"

    def create(self, env, task):
        quiet = {
            "mail_create_nosubscribe": True,
            "mail_create_nolog": True,
            "tracking_disable": True,
        }
        return env["account.move"].with_context(**quiet).create(task).with_env(env)
