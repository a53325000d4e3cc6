"""The counting rules, written once: a compiled fold over each unit's rows, fed by every engine's Arrow batches."""
