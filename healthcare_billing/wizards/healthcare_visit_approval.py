from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError

# Action -> (basis of approval, only matching ones); those without a basis take back.
ACTIONS = {
    "all_scheduled": ("scheduled", False),
    "all_clocked": ("clocked", False),
    "matching_scheduled": ("scheduled", True),
    "matching_clocked": ("clocked", True),
}


class HealthcareVisitApproval(models.TransientModel):
    """Decide on many visits at once, after a look at how many it will be, and which stay out.

    The visits are those that were chosen or shown when the dialog opened; what was decided or
    invoiced meanwhile is left out.
    """

    _name = "healthcare.visit.approval"
    _description = "Decide on Many Visits"

    # ids, not a relation: there may be twenty thousand, for one click
    visit_ids = fields.Json(readonly=True)
    is_selection = fields.Boolean(readonly=True, help="Chosen visits, not all that are shown.")
    action = fields.Selection(
        [
            ("all_scheduled", "Approve all to scheduled"),
            ("all_clocked", "Approve all to clocked"),
            ("matching_scheduled", "Approve matching to scheduled"),
            ("matching_clocked", "Approve matching to clocked"),
            ("reject", "Reject all"),
            ("unapprove", "Unapprove"),
        ],
        default="all_scheduled",
        required=True,
    )
    match_minutes = fields.Integer(compute="_compute_match_minutes")
    visit_count = fields.Integer(compute="_compute_visit_count")
    ready_count = fields.Integer(compute="_compute_summary")
    summary = fields.Html(compute="_compute_summary", sanitize=False)

    def _visits(self):
        """Visits of the dialog that still exist and may be read."""
        self.ensure_one()
        ids = [id_ for id_ in self.visit_ids or [] if isinstance(id_, int)]
        visits = self.env["healthcare.appointment"].with_context(active_test=False)
        return visits.search([("id", "in", ids)])

    def _compute_match_minutes(self):
        self.match_minutes = self.env.company.healthcare_match_minutes

    @api.depends("visit_ids")
    def _compute_visit_count(self):
        for wizard in self:
            wizard.visit_count = len(wizard.visit_ids or ())

    @api.depends("action", "visit_ids")
    def _compute_summary(self):
        for wizard in self:
            visits = wizard._visits()
            problems = wizard._problems(visits)
            wizard.ready_count = len(visits) - len(problems)
            by_code = {}
            for visit, code in problems.items():
                by_code.setdefault(code, visits.browse())
                by_code[code] |= visit
            lines = visits._left_out_lines(by_code)
            wizard.summary = (
                Markup("<ul class='mb-0'>%s</ul>")
                % Markup("").join(Markup("<li>%s</li>") % line for line in lines)
                if lines
                else False
            )

    def _problems(self, visits):
        """What the chosen action would leave out.

        :return: ``{appointment: code}``
        """
        self.ensure_one()
        if self.action in ACTIONS:
            return visits._approval_problems(*ACTIONS[self.action])
        return visits._take_back_problems("rejected" if self.action == "reject" else "not_approved")

    def action_apply(self):
        """Decide, and tell what became of it."""
        self.ensure_one()
        visits = self._visits()
        if not visits:
            raise UserError(self.env._("There is no visit to decide on."))
        if self.action in ACTIONS:
            basis, matching = ACTIONS[self.action]
            decision = visits._approve(basis, matching)
            sentence = self.env._("Visits approved: %s.", len(decision.done))
        elif self.action == "reject":
            decision = visits._reject()
            sentence = self.env._("Visits rejected: %s.", len(decision.done))
        else:
            decision = visits._unapprove()
            sentence = self.env._("Visits not approved any more: %s.", len(decision.done))
        return visits._result_action(decision, sentence)
