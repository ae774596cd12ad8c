"""What the notebooks draw. `from seglab import figures`, then `figures.show(...)`."""

from seglab.figures.charts import STYLE, bars, dots, log_axis, plain_ticks
from seglab.figures.convolution import (
    aspp_taps,
    dilated_stack,
    path_counts,
    seen_and_drawn,
    stamps,
    two_tents,
)
from seglab.figures.curves import (
    LiveCurve,
    last_loss,
    learning_curves,
    learning_rate_runs,
    patients,
    running_mean,
    train_and_validation,
    validation_losses,
)
from seglab.figures.diagrams import (
    deeplab_diagram,
    fcn_diagram,
    nested_diagram,
    unet_diagram,
)
from seglab.figures.fonts import chinese_letters
from seglab.figures.grids import confusion, numbers, score_grids, score_table
from seglab.figures.pictures import (
    WRONG_COLOR,
    error_map,
    jpeg_figures,
    name_regions,
    painted,
    picture_of,
    show,
)
from seglab.figures.scores import curtain, overlap, precision_recall_curve, reliability
