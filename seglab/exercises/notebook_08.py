"""The exercises of notebook 08: IoU evaluation."""
