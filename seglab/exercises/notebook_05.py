"""The exercises of notebook 05: U-Net."""
