"""Methods: plain functions of moments, counts or arrays with flat frozen results; they know no campaign, no engine."""
