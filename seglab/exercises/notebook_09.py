"""The exercises of notebook 09: own images."""
