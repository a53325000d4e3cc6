"""The columns of each table: names, types and which must be there."""

from __future__ import annotations

# table -> column -> type; of what else a source holds, the columns that the params name are kept
COLUMNS = {
    "users": {"user_id": "string", "registered_at": "timestamp"},
    "assignments": {"user_id": "string", "variant": "string", "assigned_at": "timestamp"},
    "events": {"user_id": "string", "event": "string", "occurred_at": "timestamp", "event_id": "string"},
    "orders": {"user_id": "string", "ordered_at": "timestamp", "amount": "float64", "order_id": "string"},
    "costs": {"item": "string", "amount": "float64"},
}
OPTIONAL = {"registered_at", "assigned_at", "event_id", "order_id"}
REQUIRED = {name: [c for c in columns if c not in OPTIONAL] for name, columns in COLUMNS.items()}
KEYS = {name: [c for c in columns if c != "amount"] for name, columns in REQUIRED.items()}
TIME = {"users": "registered_at", "assignments": "assigned_at", "events": "occurred_at", "orders": "ordered_at"}
ROW_ID = {"events": "event_id", "orders": "order_id"}

# columns that the facts put beside those of the data
TAKEN = frozenset({"variant", "entered_at", "at", "block", "day", "why", "n_arms"})
