"""The trained networks that come with the course, and what is known of each.

Weights and facts lie in `seglab/weights`; `data/train_embedded.py` wrote both. torch is not
imported: a shell lists the networks at once.
"""

import json
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "weights"
EMBEDDED = {
    "photos": FOLDER / "photos_unet.pt",
    "rooms": FOLDER / "rooms_fcn8s.pt",
    "streets": FOLDER / "streets_unet.pt",
}
DEFAULT = "photos"
FACTS = FOLDER / "facts.json"


def facts() -> dict[str, dict]:
    """Name -> "network", "classes", "data", "training" and "scores" in percent, by data set."""
    return json.loads(FACTS.read_text(encoding="utf-8"))
