"""Wrong answers to the exercises of notebook 05, each with words of the hint that it must get."""

WRONG = {}
