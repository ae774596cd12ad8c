"""Render the rooms data set: one picture, or all of them in VOC 2012 layout.

python data/rendering/render.py one --scene living --seed 3 --out DIR
python data/rendering/render.py all --out data/rooms --jobs 2
"""

import argparse
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from renderer import plan

FOLDERS = ("JPEGImages", "SegmentationClass", "SegmentationObject")
BATCH = 12


def paths(out, name):
    """The three files of a picture."""
    return [
        Path(out, folder, f"{name}.{suffix}")
        for folder, suffix in zip(FOLDERS, ("jpg", "png", "png"), strict=True)
    ]


def is_done(out, name):
    return all(path.exists() for path in paths(out, name))


def render_picture(out, name, scene, seed):
    """Render one picture into out; files appear under their names only when complete."""
    from renderer import masks, studio

    picture = studio.take(scene, seed)
    photo, classes, instances = paths(out, name)
    for path in (photo, classes, instances):
        path.parent.mkdir(parents=True, exist_ok=True)
    temporary = [path.with_name(f".{path.name}.part{path.suffix}") for path in paths(out, name)]
    temporary[0].write_bytes(picture.jpeg)
    masks.save_palette_png(picture.classes, temporary[1])
    masks.save_palette_png(picture.instances, temporary[2])
    for source, path in zip(temporary, (photo, classes, instances), strict=True):
        source.replace(path)
    print("picture", json.dumps({"name": name, **picture.report}), flush=True)


def render_batch(out, names):
    """Render the named pictures of the plan in this process."""
    wanted = {entry.name: entry for entry in plan.entries()}
    for name in names:
        if not is_done(out, name):
            render_picture(out, name, wanted[name].scene, wanted[name].seed)


def run_batch(out, names):
    """Render some pictures in a process of their own, so that memory is given back."""
    command = [sys.executable, __file__, "batch", "--out", str(out), *names]
    tail = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout:
            if line.startswith("picture"):
                print(line, end="", flush=True)
            tail = [*tail[-30:], line]
    if process.returncode:
        print("".join(tail), file=sys.stderr)
    return process.returncode


def render_all(out, jobs, limit=None):
    """Render what is missing of the plan, then write the image sets."""
    entries = plan.entries()[:limit]
    missing = [entry.name for entry in entries if not is_done(out, entry.name)]
    print(f"{len(entries) - len(missing)} pictures exist, {len(missing)} to render")
    batches = [missing[start : start + BATCH] for start in range(0, len(missing), BATCH)]
    with ThreadPoolExecutor(jobs) as pool:
        failed = sum(map(bool, pool.map(lambda names: run_batch(out, names), batches)))
    if failed:
        sys.exit(f"{failed} batches failed; run the command again to render what is missing")
    folder = Path(out, "ImageSets", "Segmentation")
    folder.mkdir(parents=True, exist_ok=True)
    image_sets = {"train": ("train",), "val": ("val",), "trainval": ("train", "val")}
    for image_set, splits in image_sets.items():
        names = [entry.name for entry in entries if entry.split in splits]
        (folder / f"{image_set}.txt").write_text("\n".join(names) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("one", help="render one picture of a scene kind")
    one.add_argument("--scene", required=True, choices=sorted(plan.COUNTS))
    one.add_argument("--seed", type=int, required=True)
    one.add_argument("--out", required=True)
    everything = commands.add_parser("all", help="render the whole set, or what is missing of it")
    everything.add_argument("--out", required=True)
    everything.add_argument("--jobs", type=int, default=2)
    everything.add_argument("--limit", type=int, help="only the first pictures of the plan")
    batch = commands.add_parser("batch", help="render named pictures of the plan")
    batch.add_argument("--out", required=True)
    batch.add_argument("names", nargs="+")
    options = parser.parse_args()
    if options.command == "one":
        name = f"{options.scene}_{options.seed:06d}"
        render_picture(options.out, name, options.scene, options.seed)
    elif options.command == "all":
        render_all(options.out, options.jobs, options.limit)
    else:
        render_batch(options.out, options.names)


if __name__ == "__main__":
    main()
