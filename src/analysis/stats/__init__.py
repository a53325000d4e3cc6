"""Methods: plain functions of moments, counts or arrays with flat frozen results. They know no campaign and no engine."""
