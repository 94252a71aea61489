"""Those who make the same invoices, each in its own way."""

from .engine import Engine
from .oca_contract import OcaContract
from .plain import PlainInChunks, PlainInOne, PlainQuiet
from .sale_orders import SaleOrders
