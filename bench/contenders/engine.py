"""The product: a saved run is executed, as by a click on its button."""

from ..measure import Clock
from ..practice import INVOICE_DATE
from .base import Contender, summary


class Engine(Contender):
    """Includes what the others don't do: locks, planning again, and a result for each row."""

    name = "engine: execute(run)"

    def prepare(self, env, invoices):
        charge_ids = [charge for invoice in invoices for charge in invoice.charge_ids]
        charges = env["healthcare.charge"].browse(charge_ids)
        plan = env["healthcare.billing.engine"].plan(charges, invoice_date=INVOICE_DATE)
        return plan.save().id

    def create(self, env, task, post=False):
        run = env["healthcare.billing.run"].browse(task)
        env["healthcare.billing.engine"].execute(run, post=post)
        return run.line_ids.move_id

    def measure(self, session, task):
        """Each step is an execution of its own: posting happens within it, chunk by chunk."""
        samples = {}
        for step, post in (("create", False), ("create+post", True)):
            with session.transaction() as env:
                clock = Clock(env)
                moves = self.create(env, task, post=post)
                samples[step] = clock.read()
                made = summary(moves)
        return samples, made
