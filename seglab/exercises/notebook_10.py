"""The exercises of notebook 10: from semantic to instance."""
