"""A payment provider for one machine: an HTTP process with a ledger, a strict limit, faults on demand."""

from orderstream_playground.local.payments_api.app import create_app
from orderstream_playground.local.payments_api.bookings import Bookings, is_declined
from orderstream_playground.local.payments_api.faults import Faults
from orderstream_playground.local.payments_api.ledger import Entry, Ledger
from orderstream_playground.local.payments_api.limit import RequestWindow, UnderWay

__all__ = ["Bookings", "Entry", "Faults", "Ledger", "RequestWindow", "UnderWay", "create_app", "is_declined"]
