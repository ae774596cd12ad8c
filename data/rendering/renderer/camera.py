"""The photographer: render settings, where the camera stands, exposure, and the finish."""

import io
import math
import os

import bpy
import numpy as np
from mathutils import Matrix, Vector
from PIL import Image
from scipy.ndimage import gaussian_filter

from . import masks, stage

WIDTH, HEIGHT = 320, 240
LOOKS = (
    "AgX - Medium High Contrast",
    "AgX - Medium High Contrast",
    "AgX - Base Contrast",
    "AgX - High Contrast",
    "AgX - Punchy",
)


def setup(samples=6, threads=1):
    """Cycles on the CPU: few samples, denoised; about 3 s a picture on one core."""
    scene = bpy.context.scene
    render, cycles, view = scene.render, scene.cycles, scene.view_settings
    render.engine = "CYCLES"
    render.threads_mode = "FIXED"
    render.threads = threads
    render.resolution_x, render.resolution_y = WIDTH, HEIGHT
    render.resolution_percentage = 100
    render.use_persistent_data = True
    settings = {
        "device": "CPU",
        "samples": samples,
        "use_adaptive_sampling": False,
        "use_denoising": True,
        "denoiser": "OPENIMAGEDENOISE",
        "denoising_input_passes": "RGB_ALBEDO_NORMAL",
        "denoising_prefilter": "ACCURATE",
        "denoising_quality": "HIGH",
        "max_bounces": 6,
        "diffuse_bounces": 3,
        "glossy_bounces": 3,
        "transmission_bounces": 5,
        "transparent_max_bounces": 6,
        "sample_clamp_indirect": 4,
        "caustics_reflective": False,
        "caustics_refractive": False,
        "blur_glossy": 0.5,
        "use_light_tree": True,
        "seed": 0,
        "pixel_filter_type": "BLACKMAN_HARRIS",
        "filter_width": 1.15,
    }
    for name, value in settings.items():
        setattr(cycles, name, value)
    view.view_transform = "AgX"
    view.look = stage.random.choice(LOOKS)


def place(location, target, lens=32, fstop=None, roll=0.0, focus=None):
    """Put the camera at location, looking at target; without fstop everything is sharp."""
    scene = bpy.context.scene
    if scene.camera is None:
        scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
        scene.collection.objects.link(scene.camera)
    camera = scene.camera
    camera.data.lens = lens
    camera.data.sensor_width = 36
    camera.data.clip_start = 0.02
    camera.location = location
    direction = Vector(target) - Vector(location)
    turn = direction.to_track_quat("-Z", "Y").to_matrix() @ Matrix.Rotation(roll, 3, "Z")
    camera.rotation_euler = turn.to_euler()
    sharpness = camera.data.dof
    sharpness.use_dof = fstop is not None
    if fstop:
        sharpness.aperture_fstop = fstop
        sharpness.focus_distance = (Vector(focus or target) - Vector(location)).length


def orbit(target, distance, angle, height, **settings):
    """Look at target from a distance: angle 0 is from the front (-y), positive to the right."""
    x, y, _ = target
    location = (x + distance * math.sin(angle), y - distance * math.cos(angle), height)
    place(location, target, **settings)


def is_clear(nearest=0.22):
    """False if something stands right before the lens (or around it)."""
    scene = bpy.context.scene
    camera = scene.camera
    graph = bpy.context.evaluated_depsgraph_get()
    top_right, _, bottom_left, top_left = camera.data.view_frame(scene=scene)
    blocked = 0
    for row in range(5):
        for column in range(6):
            corner = top_left + (top_right - top_left) * (column / 5)
            corner = corner + (bottom_left - top_left) * (row / 4)
            direction = (camera.matrix_world.to_3x3() @ corner).normalized()
            hit, *_ = scene.ray_cast(
                graph, camera.matrix_world.translation, direction, distance=nearest
            )
            blocked += hit
    return blocked <= 1


def _exposure(light):
    """Exposure in stops that brings the centre-weighted log mean to a middle grey.

    Broad bright areas, such as sunlit paving, and the brightest parts hold it back.
    """
    luminance = light @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    weight = np.exp(-(((columns / WIDTH - 0.5) / 0.45) ** 2 + ((rows / HEIGHT - 0.5) / 0.45) ** 2))
    log_mean = (np.log(np.clip(luminance, 1e-4, 20)) * weight).sum() / weight.sum()
    key = stage.random.uniform(0.19, 0.32)
    stops = math.log2(key / math.exp(log_mean))
    broad, brightest = np.percentile(luminance, (85, 94))
    stops = min(stops, math.log2(1.0 / max(broad, 1e-4)), math.log2(8.0 / max(brightest, 1e-4)))
    return float(np.clip(stops, -4, 5))


def render_photo(path):
    """Render the picture, expose it as a camera would, and write it to path as PNG."""
    scene = bpy.context.scene
    image = scene.render.image_settings
    image.file_format, image.color_mode, image.color_depth = "OPEN_EXR", "RGB", "16"
    scene.render.filepath = path + ".exr"
    bpy.ops.render.render(write_still=True)
    light = masks.read_pixels(path + ".exr")[..., :3]
    os.remove(path + ".exr")
    scene.view_settings.exposure = _exposure(light)
    image.file_format, image.color_mode, image.color_depth = "PNG", "RGB", "8"
    bpy.data.images["Render Result"].save_render(path, scene=scene)


def finish(path, seed, quality=87):
    """White balance, vignette, sharpening and sensor noise; the picture as JPEG bytes."""
    generator = np.random.default_rng(seed)
    picture = np.asarray(Image.open(path).convert("RGB")).astype(np.float32) / 255
    height, width, _ = picture.shape
    linear = picture**2.2
    balance = [generator.normal(1, 0.025), 1, generator.normal(1, 0.035)]
    linear *= np.array(balance, np.float32)
    rows, columns = np.mgrid[0:height, 0:width]
    radius = (columns - width / 2) ** 2 + (rows - height / 2) ** 2
    radius = radius / ((width / 2) ** 2 + (height / 2) ** 2)
    linear *= (1 - generator.uniform(0.04, 0.28) * radius)[..., None]
    picture = np.clip(linear, 0, 1) ** (1 / 2.2)
    grey = picture.mean(2, keepdims=True)
    picture = grey + (picture - grey) * generator.uniform(0.88, 1.12)
    blurred = gaussian_filter(picture, (0.8, 0.8, 0))
    picture = picture + generator.uniform(0.25, 0.65) * (picture - blurred)
    grain = generator.normal(0, 1, picture.shape) * 0.6
    grain = grain + generator.normal(0, 1, (height, width, 1)) * 0.8
    grain = gaussian_filter(grain, (0.45, 0.45, 0)) * 1.3
    strength = generator.uniform(0.003, 0.012) * (0.4 + 0.8 * np.sqrt(np.clip(picture, 0, 1)))
    picture = np.clip(picture + grain * strength, 0, 1)
    buffer = io.BytesIO()
    Image.fromarray((picture * 255 + 0.5).astype(np.uint8)).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
