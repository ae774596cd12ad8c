"""Wrong answers to the exercises of notebook 01, each with words of the hint that it must get."""

WRONG = {}
