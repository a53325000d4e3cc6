"""Answers: pure functions of per-user facts or of their moments. Plain numbers, no text, no rounding."""
