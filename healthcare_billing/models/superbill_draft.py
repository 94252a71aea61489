"""What a superbill is going to say, before it is issued."""

from typing import NamedTuple

ERROR = "error"
WARNING = "warning"


class SuperbillProblem(NamedTuple):
    """Something that is missing, or that the reader should know.

    :ivar str code: what kind of problem
    :ivar str level: ``error`` keeps the superbill from being issued, ``warning`` doesn't
    :ivar str text: for the user, a full sentence
    :ivar records: the records (of any model) that mend it, or None
    :ivar charges: ``healthcare.charge`` records that it is about; empty: the whole superbill
    """

    code: str
    level: str
    text: str
    records: object
    charges: object


class SuperbillDraft(NamedTuple):
    """One superbill that could be issued.

    :ivar str key: tells it from the others of the same preview
    :ivar charges: ``healthcare.charge`` records, oldest first
    :ivar moves: ``account.move`` records for which it is made; may be empty
    :ivar dict values: values of ``healthcare.superbill``, without its number
    :ivar problems: list of :class:`SuperbillProblem`
    """

    key: str
    charges: object
    moves: object
    values: dict
    problems: list

    @property
    def errors(self):
        return [problem for problem in self.problems if problem.level == ERROR]

    @property
    def notes(self):
        """Texts of what doesn't keep it from being issued."""
        return list(dict.fromkeys(p.text for p in self.problems if p.level == WARNING))
