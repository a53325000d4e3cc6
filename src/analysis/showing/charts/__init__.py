"""One module per kind of chart; `figures` names them all."""
