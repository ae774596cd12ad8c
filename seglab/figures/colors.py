"""The colours of the course's own figures."""

# tests/figures/test_colors.py proves that every kind of colour vision tells them apart. Orange is
# what to look at; series differ in marker and dash too.
ORANGE, BLUE = "#D55E00", "#0072B2"
SERIES = (
    (ORANGE, "o", "-"),
    (BLUE, "s", "--"),
    ("#111111", "D", "-."),
    ("#888888", "^", ":"),
    ("#603000", "v", (0, (6, 1))),
    ("#7800D8", "P", (0, (1, 1))),
)
# Seven colours to tell objects apart (Okabe and Ito, 2008); they need an outline besides.
OBJECT_COLORS = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7")
