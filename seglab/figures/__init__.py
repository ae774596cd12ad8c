"""What the notebooks draw. `from seglab import figures`, then `figures.show(...)`."""

from seglab.figures.charts import bars, dots, log_axis
from seglab.figures.convolution import aspp_taps, dilated_stack, path_counts, stamps
from seglab.figures.curves import (
    LiveCurve,
    imbalance,
    last_loss,
    learning_curves,
    learning_rate_runs,
    pixel_costs,
    running_mean,
    schedule_curves,
)
from seglab.figures.diagrams import (
    crop_and_join,
    deeplab_diagram,
    fcn_diagram,
    nested_diagram,
    overlap_tile,
    silenced_skips,
    unet_diagram,
)
from seglab.figures.grids import change_table, confusion, numbers, score_grids, score_table
from seglab.figures.pictures import (
    WRONG_COLOR,
    error_map,
    gallery,
    heat_map,
    jpeg_figures,
    name_regions,
    painted,
    picture_of,
    show,
)
from seglab.figures.scores import curtain, overlap, precision_recall_curve
