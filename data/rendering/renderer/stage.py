"""The state of the picture under construction: randomness, labels, instances and groups.

Every object of a scene goes through `add`, which stamps the current VOC class and instance
number on it as its object colour. The mask pass later renders that colour and nothing else.
"""

from contextlib import contextmanager
from random import Random

import bpy

VOC_CLASSES = (
    "background aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse "
    "motorbike person pottedplant sheep sofa train tvmonitor"
).split()
CLASS_INDEX = {name: index for index, name in enumerate(VOC_CLASSES)}

#: The one source of randomness of a scene. It is never replaced, only seeded by `reset`.
random = Random(0)
#: All objects of the scene, in the order in which they were made.
objects = []

_class_index = 0
_instance = 0
_instance_count = 0
_parent = None


def reset(seed):
    """Forget everything and start an empty scene whose randomness follows from seed."""
    global _class_index, _instance, _instance_count, _parent
    bpy.ops.wm.read_factory_settings(use_empty=True)
    random.seed(seed)
    objects.clear()
    _class_index = _instance = _instance_count = 0
    _parent = None


@contextmanager
def labelled(class_name):
    """Objects made inside are one new instance of the VOC class; an inner label wins."""
    global _class_index, _instance, _instance_count
    outer = _class_index, _instance
    _instance_count += 1
    _class_index, _instance = CLASS_INDEX[class_name], _instance_count
    try:
        yield
    finally:
        _class_index, _instance = outer


@contextmanager
def background():
    """Objects made inside carry no label, even within a `labelled` block."""
    global _class_index, _instance
    outer = _class_index, _instance
    _class_index = _instance = 0
    try:
        yield
    finally:
        _class_index, _instance = outer


@contextmanager
def group(location=(0, 0, 0), rotation=0.0, scale=1.0, tilt=(0, 0)):
    """Objects made inside move with an empty; rotation turns about z, tilt about x and y."""
    global _parent
    empty = bpy.data.objects.new("group", None)
    bpy.context.scene.collection.objects.link(empty)
    empty.location = location
    empty.rotation_euler = (tilt[0], tilt[1], rotation)
    empty.scale = (scale, scale, scale)
    empty.parent = _parent
    outer, _parent = _parent, empty
    try:
        yield empty
    finally:
        _parent = outer


def add(obj, material=None):
    """Link obj to the scene under the current group and label, and give it a material."""
    bpy.context.scene.collection.objects.link(obj)
    obj.color = (_class_index / 255, _instance / 255, 0, 1)
    obj["class_index"] = _class_index
    obj["instance"] = _instance
    obj.parent = _parent
    if material is not None:
        obj.data.materials.append(material)
    objects.append(obj)
    return obj


def chance(probability):
    """True with the given probability."""
    return random.random() < probability


def bundled(name):
    """Path of one of the CC0 panoramas that ship with Blender, for example "forest"."""
    folder = bpy.utils.system_resource("DATAFILES", path="studiolights/world")
    return f"{folder}/{name}.exr"


PANORAMAS = ("city", "courtyard", "forest", "interior", "sunrise", "sunset")
