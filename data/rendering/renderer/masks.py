"""Exact label maps: an id pass, its cleaning, the void border and VOC palette PNGs.

The id pass renders the scene once more with every object glowing in its object colour, which
`stage.add` set to (class, instance): one ray a pixel, no light, no blur, no denoising. The
numbers in the file are the labels; nothing is thresholded or guessed.
"""

import os

import bpy
import numpy as np
from PIL import Image
from scipy import ndimage

from . import stage

VOID = 255
SMALLEST_INSTANCE = 24
OUTER_BORDER = ndimage.iterate_structure(ndimage.generate_binary_structure(2, 1), 2)
OUTER_BORDER[1:4, 1:4] = True
INNER_BORDER = np.ones((3, 3), bool)


def voc_palette():
    """The 256 colours of the VOC devkit, as a flat list for Pillow."""
    palette = []
    for index in range(256):
        red = green = blue = 0
        rest = index
        for bit in range(7, -1, -1):
            red |= (rest & 1) << bit
            green |= (rest >> 1 & 1) << bit
            blue |= (rest >> 2 & 1) << bit
            rest >>= 3
        palette += [red, green, blue]
    return palette


def read_pixels(path):
    """Pixels of an EXR file, top row first, as float32 of shape (height, width, 4)."""
    image = bpy.data.images.load(path)
    image.colorspace_settings.name = "Non-Color"
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    return pixels.reshape(height, width, 4)[::-1]


def _id_material():
    """A material that glows in the object colour."""
    material = bpy.data.materials.new("identity")
    if material.node_tree is None:
        material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    glow = tree.nodes.new("ShaderNodeEmission")
    info = tree.nodes.new("ShaderNodeObjectInfo")
    tree.links.new(info.outputs["Color"], glow.inputs[0])
    tree.links.new(glow.outputs[0], output.inputs[0])
    return material


def render_ids(path):
    """Render the class and instance numbers of every pixel; the scene is left as it was."""
    scene = bpy.context.scene
    cycles, camera = scene.cycles, scene.camera.data
    pass_settings = [
        (cycles, "samples", 1),
        (cycles, "use_denoising", False),
        (cycles, "use_adaptive_sampling", False),
        (cycles, "pixel_filter_type", "BOX"),
        (cycles, "filter_width", 0.01),
        (cycles, "max_bounces", 0),
        (scene, "world", None),
        (camera.dof, "use_dof", False),
        (bpy.context.view_layer, "material_override", _id_material()),
    ]
    hidden = [
        (obj, "hide_render", True)
        for obj in stage.objects
        if obj.get("hidden_in_mask") or obj.type == "LIGHT"
    ]
    settings = pass_settings + hidden
    earlier = [(owner, name, getattr(owner, name)) for owner, name, _ in settings]
    for owner, name, value in settings:
        setattr(owner, name, value)
    image = scene.render.image_settings
    image.file_format, image.color_mode, image.color_depth = "OPEN_EXR", "RGBA", "32"
    scene.render.filepath = path
    bpy.ops.render.render(write_still=True)
    for owner, name, value in earlier:
        setattr(owner, name, value)
    pixels = read_pixels(path)[..., :2] * 255
    os.remove(path)
    ids = np.rint(pixels).astype(np.int32)
    if np.abs(pixels - ids).max() > 0.02:
        raise RuntimeError("the id pass was not exact")
    return ids[..., 0], ids[..., 1]


def clean(classes, instances):
    """Close the gaps between leaves, drop specks, number the instances from 1."""
    classes, instances = classes.copy(), instances.copy()
    plant = stage.CLASS_INDEX["pottedplant"]
    for number in np.unique(instances[classes == plant]):
        filled = ndimage.binary_closing(instances == number, OUTER_BORDER) & (instances == 0)
        classes[filled], instances[filled] = plant, number
    renumbered = np.zeros_like(instances)
    count = 0
    for number in np.unique(instances[instances > 0]):
        pixels = instances == number
        if pixels.sum() < SMALLEST_INSTANCE:
            classes[pixels] = 0
            continue
        count += 1
        renumbered[pixels] = count
    return classes, renumbered


def void_border(classes, instances):
    """True where the label is void: 2 px outside an object, 1 px inside its outline.

    Thin things keep their inner pixels and get 1 px outside, or nothing of them and little of
    what is behind would be left: bicycles always, others where the inner border would take
    more than a third of them.
    """
    highest = ndimage.maximum_filter(instances, footprint=INNER_BORDER, mode="nearest")
    lowest = ndimage.minimum_filter(instances, footprint=INNER_BORDER, mode="nearest")
    edge = (highest != lowest) & (instances > 0)
    thin = np.zeros(instances.shape, bool)
    for number in np.unique(instances[instances > 0]):
        pixels = instances == number
        bicycle = classes[pixels][0] == stage.CLASS_INDEX["bicycle"]
        if bicycle or edge[pixels].mean() > 0.33:
            thin |= pixels
    solid = (instances > 0) & ~thin
    around = ndimage.binary_dilation(solid, OUTER_BORDER)
    around |= ndimage.binary_dilation(thin, INNER_BORDER)
    return (edge & solid) | (around & (instances == 0))


def finish(classes, instances):
    """Label maps as they are saved, with 255 for void."""
    classes, instances = clean(classes, instances)
    void = void_border(classes, instances)
    return np.where(void, VOID, classes), np.where(void, VOID, instances)


def save_palette_png(labels, path):
    """Write a label map as an indexed PNG in VOC colours."""
    image = Image.fromarray(labels.astype(np.uint8))
    image.putpalette(voc_palette())
    image.save(path, optimize=True)
