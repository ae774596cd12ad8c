"""seglab: the package behind a hands-on course on semantic segmentation.

One module per topic. Start a notebook with `seglab.start()`; read any function with
`seglab.show_source(function)`.
"""

__version__ = "0.1.0"

from seglab.plots import show_source
from seglab.runtime import Runtime, start

__all__ = ["Runtime", "show_source", "start"]
