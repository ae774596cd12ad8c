"""Letters that matplotlib's own font has not got."""

import matplotlib
import matplotlib.pyplot as plt
from matplotlib import font_manager

# What Linux, Windows and macOS have for Chinese, under the names that matplotlib knows.
CHINESE = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans GB",
    "Heiti TC",
    "SimHei",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
)


def chinese_letters() -> None:
    """Let figures show Chinese, in the first installed font of `CHINESE`; other letters stay.

    If none is installed, a line says how to get one, and figures show boxes.
    """
    installed = {font.name for font in font_manager.fontManager.ttflist}
    found = [name for name in CHINESE if name in installed][:1]
    if not found:
        print(
            "No font here has Chinese letters; figures show boxes. Debian, Ubuntu and Colab: apt "
            f"install fonts-noto-cjk, delete {matplotlib.get_cachedir()}, restart the kernel."
        )
    plt.rcParams["font.family"] = [*plt.rcParams["font.family"], *found]
