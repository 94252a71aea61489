"""What a superbill is going to say, before it is issued."""

from typing import NamedTuple

ERROR = "error"
WARNING = "warning"


class SuperbillProblem(NamedTuple):
    """Something that is missing, or that the reader should know.

    :ivar str code: what kind of problem
    :ivar str level: ``error`` keeps the superbill from being issued, ``warning`` doesn't
    :ivar str text: for the user, a full sentence
    :ivar record: the record that mends it (of any model), or None
    :ivar charge: ``healthcare.charge`` record that it is about; empty: the whole superbill
    """

    code: str
    level: str
    text: str
    record: object
    charge: object

    @property
    def key(self):
        target = self.record and (self.record._name, self.record.id)
        return f"{self.code}/{target}/{self.charge.id or 0}"


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
