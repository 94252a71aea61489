"""The syntax of service codes and provider numbers. Pure: no ORM, no lists, no descriptions."""

import re

from stdnum import luhn

# R8. Only the *shape* of a code is known here. The lists themselves are licensed or too large, and
# local codes of five digits exist: that is why the result is a suggestion and never a decision.
_CPT = re.compile(r"\d{4}[\dFTUMA]")
_HCPCS = re.compile(r"[A-CE-HJ-MP-V]\d{4}")

# An NPI is an ISO 7812 card number without its prefix: 80 (health), 840 (United States).
_NPI = re.compile(r"[12]\d{9}")
_NPI_PREFIX = "80840"

# NUCC health care provider taxonomy: three digits for the grouping, six characters, a closing X.
_TAXONOMY = re.compile(r"\d{3}[\dA-Z]{6}X")


def suggest_code_system(code):
    """Suggest ``cpt``, ``hcpcs`` or ``local`` from the shape of ``code``; ``False`` without a code.

    R8: CPT is 4 digits followed by a digit, F, T, U, M or A; HCPCS level II is one of the letters
    A-C, E-H, J-M, P-V followed by 4 digits (D is dental and no part of it); all else is local.
    """
    code = (code or "").strip().upper()
    if not code:
        return False
    if _CPT.fullmatch(code):
        return "cpt"
    if _HCPCS.fullmatch(code):
        return "hcpcs"
    return "local"


def is_valid_npi(npi):
    """Whether ``npi`` is a well-formed National Provider Identifier: ten digits, the first of
    them 1 or 2, whose Luhn check digit holds once the prefix 80840 is put before it."""
    npi = npi or ""
    return bool(npi.isascii() and _NPI.fullmatch(npi)) and luhn.is_valid(_NPI_PREFIX + npi)


def is_valid_taxonomy_code(code):
    """Whether ``code`` has the shape of a provider taxonomy code: ten characters, upper case."""
    code = code or ""
    return bool(code.isascii() and _TAXONOMY.fullmatch(code))
