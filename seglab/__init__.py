"""seglab: the package behind a hands-on course on semantic segmentation.

What a notebook explains lies beside this file, one module for each topic:

    notebook                    modules
    01 what segmentation is     prediction
    02 VOC and colormaps        palettes, voc, transforms
    03 transposed convolution   upsampling
    04 FCN                      backbones, fcn
    05 U-Net                    unet
    06 DeepLab                  deeplab, crf
    07 training                 losses, recipes, freezing, draws, history, training, erfnet
    07 networks on the disk     networks
    08 IoU evaluation           metrics
    10 instances                instances, mask_rcnn

Everything else lies in wings that a learner may skip:

    figures     what the notebooks draw
    datasets    everything that becomes a folder in VOC layout
    exercises   the checks, one module for each notebook
    machine     device, memory, several processes, files
    classroom   the shell's commands, Colab, bundles for a room without a network, slides
    weights     trained networks that come with the course

Begin a notebook with `seglab.start()`; read any function with `seglab.show_source(function)`.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOMES = {
    "Runtime": "seglab.machine.runtime",
    "start": "seglab.machine.runtime",
    "show_source": "seglab.machine.notebook",
}
__all__ = ["Runtime", "show_source", "start"]


def __getattr__(name: str):
    """Load what `__all__` names when it is first used: help in a shell needs no torch."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'seglab' has no attribute {name!r}")
