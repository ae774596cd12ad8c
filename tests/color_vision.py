"""How colours look with the three common colour-vision deficiencies, and how far apart they are.

The simulation is Brettel, Viénot and Mollon (1997), "Computerized simulation of color appearance
for dichromats": the model that covers all three deficiencies, for people who lack one kind of cone
completely. Milder forms lie between it and common vision.
"""

import numpy as np
from daltonlens.simulate import Deficiency, Simulator_Brettel1997
from matplotlib.colors import to_rgb

SIMULATOR = Simulator_Brettel1997()
DEFICIENCIES = {
    "protanopia": Deficiency.PROTAN,
    "deuteranopia": Deficiency.DEUTAN,
    "tritanopia": Deficiency.TRITAN,
}
VISIONS = ("common", *DEFICIENCIES)


def seen(color, vision: str) -> np.ndarray:
    """A colour (name, hex, or red green blue from 0 to 255) as seen: `uint8 [3]`."""
    plain = 255 * np.array(to_rgb(color)) if isinstance(color, str) else np.asarray(color)
    pixel = plain.round().astype(np.uint8)[None, None]
    if vision != "common":
        pixel = SIMULATOR.simulate_cvd(pixel, DEFICIENCIES[vision], severity=1.0)
    return pixel[0, 0]


def lab(rgb) -> np.ndarray:
    """sRGB from 0 to 255 as CIE L*a*b* for daylight D65 (IEC 61966-2-1, CIE 15)."""
    rgb = np.asarray(rgb) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = linear @ np.array(to_xyz).T / (0.9505, 1, 1.089)
    root = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = root
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def apart(one, other, vision: str) -> float:
    """ΔE of CIE 1976 between two colours as somebody sees them; about 2.3 is just noticeable."""
    return float(np.linalg.norm(lab(seen(one, vision)) - lab(seen(other, vision))))
