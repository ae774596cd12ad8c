"""Primitives of which all things are made. Metres, z up; each returns its Blender object."""

import math
from itertools import pairwise

import bmesh
import bpy
import numpy as np
from mathutils import Matrix, Vector
from mathutils import noise as vector_noise

from . import stage


def mesh_object(bm, name, material, smooth=True):
    """Turn a bmesh into an object of the scene and free the bmesh."""
    mesh = bpy.data.meshes.new(name)
    for face in bm.faces:
        face.smooth = smooth
    bm.to_mesh(mesh)
    bm.free()
    return stage.add(bpy.data.objects.new(name, mesh), material)


def round_edges(obj, width, segments=2):
    """Round the sharp edges of obj; nothing in a real room has a perfect edge."""
    if width > 0:
        modifier = obj.modifiers.new("bevel", "BEVEL")
        modifier.width = width
        modifier.segments = segments
        modifier.limit_method = "ANGLE"
        modifier.harden_normals = True
    return obj


def apply_modifiers(obj):
    """Replace the mesh of obj by the result of its modifiers."""
    graph = bpy.context.evaluated_depsgraph_get()
    mesh = bpy.data.meshes.new_from_object(obj.evaluated_get(graph))
    obj.modifiers.clear()
    obj.data = mesh
    return obj


def box(size, location, material, bevel=0.006, segments=2, rotation=(0, 0, 0), taper=None):
    """A box centred on location; taper scales its lower face (0.7 for a tapered leg)."""
    bm = bmesh.new()
    bmesh.ops.create_cube(bm, size=1)
    for vertex in bm.verts:
        vertex.co = Vector(c * s for c, s in zip(vertex.co, size, strict=True))
        if taper and vertex.co.z < 0:
            vertex.co.x *= taper
            vertex.co.y *= taper
    obj = mesh_object(bm, "box", material)
    obj.location = location
    obj.rotation_euler = rotation
    return round_edges(obj, min(bevel, min(size) * 0.45), segments)


def lathe(profile, material, location=(0, 0, 0), segments=40, sharp_angle=30):
    """A body of revolution about z; profile is a list of (radius, height), bottom to top."""
    bm = bmesh.new()
    rings = []
    for radius, height in profile:
        if radius < 1e-6:
            rings.append([bm.verts.new((0, 0, height))])
            continue
        angles = [2 * math.pi * i / segments for i in range(segments)]
        rings.append(
            [bm.verts.new((radius * math.cos(a), radius * math.sin(a), height)) for a in angles]
        )
    for lower, upper in pairwise(rings):
        if len(lower) == 1 and len(upper) == 1:
            continue
        for i in range(segments):
            j = (i + 1) % segments
            if len(lower) == 1:
                bm.faces.new((lower[0], upper[i], upper[j]))
            elif len(upper) == 1:
                bm.faces.new((lower[i], lower[j], upper[0]))
            else:
                bm.faces.new((lower[i], lower[j], upper[j], upper[i]))
    bmesh.ops.recalc_face_normals(bm, faces=bm.faces)
    obj = mesh_object(bm, "lathe", material)
    obj.location = location
    obj.data.set_sharp_from_angle(angle=math.radians(sharp_angle))
    return obj


def cylinder(
    radius,
    height,
    location,
    material,
    top_radius=None,
    segments=32,
    rotation=(0, 0, 0),
    bevel=0.003,
):
    """A cylinder or cone that stands on location."""
    top = radius if top_radius is None else top_radius
    edge = min(bevel, radius * 0.4, max(top, 1e-4) * 0.4, height * 0.4)
    profile = [
        (0, 0),
        (radius - edge, 0),
        (radius, edge),
        (top, height - edge),
        (max(top - edge, 0), height),
        (0, height),
    ]
    obj = lathe(profile, material, location, segments, 50)
    obj.rotation_euler = rotation
    return obj


def ball(radius, location, material, scale=(1, 1, 1), segments=24, rotation=(0, 0, 0)):
    """A sphere, or an ellipsoid with scale."""
    bm = bmesh.new()
    bmesh.ops.create_uvsphere(bm, u_segments=segments, v_segments=segments // 2, radius=radius)
    obj = mesh_object(bm, "ball", material)
    obj.location = location
    obj.scale = scale
    obj.rotation_euler = rotation
    return obj


def tube(points, radius, material, cyclic=False, smooth=True, resolution=6, radii=None):
    """A round rod along points; radii are factors of radius, one a point."""
    curve = bpy.data.curves.new("tube", "CURVE")
    curve.dimensions = "3D"
    curve.bevel_depth = radius
    curve.bevel_resolution = 3
    curve.use_fill_caps = True
    curve.resolution_u = resolution
    if smooth:
        spline = curve.splines.new("BEZIER")
        spline.bezier_points.add(len(points) - 1)
        knots = spline.bezier_points
        for knot, point in zip(knots, points, strict=True):
            knot.co = point
            knot.handle_left_type = knot.handle_right_type = "AUTO"
    else:
        spline = curve.splines.new("POLY")
        spline.points.add(len(points) - 1)
        knots = spline.points
        for knot, point in zip(knots, points, strict=True):
            knot.co = (*point, 1)
    if radii:
        for knot, factor in zip(knots, radii, strict=True):
            knot.radius = factor
    spline.use_cyclic_u = cyclic
    spline.use_smooth = True
    return stage.add(bpy.data.objects.new("tube", curve), material)


def rod(start, end, radius, material):
    """A straight round rod between two points."""
    return tube([start, end], radius, material, smooth=False)


def circle(centre, radius, count, axis="y"):
    """Points of a circle, for closed tubes; axis is the normal of its plane."""
    points = []
    for i in range(count):
        a = 2 * math.pi * i / count
        u, v = radius * math.cos(a), radius * math.sin(a)
        offset = {"x": (0, u, v), "y": (u, 0, v), "z": (u, v, 0)}[axis]
        points.append(tuple(c + o for c, o in zip(centre, offset, strict=True)))
    return points


def _noise_offset():
    """A random place in the noise field, so that no two cushions share their wrinkles."""
    return Vector(stage.random.random() * 50 for _ in range(3))


def _subdivided_cube(cuts):
    bm = bmesh.new()
    bmesh.ops.create_cube(bm, size=2)
    bmesh.ops.subdivide_edges(bm, edges=bm.edges[:], cuts=cuts, use_grid_fill=True)
    return bm


def cushion(
    size, location, material, power=5, rotation=(0, 0, 0), cuts=14, wrinkle=0.012, puff=0.0
):
    """A padded block (superellipsoid with noise wrinkles); a higher power is boxier."""
    bm = _subdivided_cube(cuts)
    offset = _noise_offset()
    for vertex in bm.verts:
        unit = vertex.co / sum(abs(c) ** power for c in vertex.co) ** (1 / power)
        if puff:
            unit.z *= 1 + puff * (1 - unit.x**2) * (1 - unit.y**2)
        point = Vector(c * s / 2 for c, s in zip(unit, size, strict=True))
        bulge = wrinkle * vector_noise.noise(point * 5 + offset)
        bulge += wrinkle * 0.5 * vector_noise.noise(point * 13 + offset)
        vertex.co = point + unit.normalized() * bulge
    obj = mesh_object(bm, "cushion", material)
    obj.location = location
    obj.rotation_euler = rotation
    return obj


def pillow(width, height, thickness, location, material, rotation=(0, 0, 0)):
    """A throw pillow lying in its own xy plane: thin edges, pinched sides, pointed corners."""
    bm = _subdivided_cube(16)
    offset = _noise_offset()
    for vertex in bm.verts:
        x, y, z = vertex.co
        fullness = max(0, 1 - x**4) ** 0.5 * max(0, 1 - y**4) ** 0.5
        px = x * width / 2 * (1 - 0.10 * (1 - y * y) * abs(x) ** 3)
        py = y * height / 2 * (1 - 0.10 * (1 - x * x) * abs(y) ** 3)
        pz = z * thickness / 2 * (fullness * 0.95 + 0.05)
        point = Vector((px, py, pz))
        pz += 0.010 * vector_noise.noise(point * 9 + offset) * fullness
        pz += 0.020 * vector_noise.noise(point * 4 + offset) * fullness
        vertex.co = (px, py, pz)
    obj = mesh_object(bm, "pillow", material)
    obj.location = location
    obj.rotation_euler = rotation
    return obj


def sheet(function, rows, columns, material, thickness=0, subdivisions=0):
    """A surface given by function(u, v) -> Vector, u along rows and v along columns."""
    bm = bmesh.new()
    grid = [
        [bm.verts.new(function(i / (rows - 1), j / (columns - 1))) for j in range(columns)]
        for i in range(rows)
    ]
    for i in range(rows - 1):
        for j in range(columns - 1):
            bm.faces.new((grid[i][j], grid[i + 1][j], grid[i + 1][j + 1], grid[i][j + 1]))
    obj = mesh_object(bm, "sheet", material)
    if thickness:
        modifier = obj.modifiers.new("thickness", "SOLIDIFY")
        modifier.thickness = thickness
        modifier.offset = 0
    if subdivisions:
        modifier = obj.modifiers.new("subdivision", "SUBSURF")
        modifier.levels = modifier.render_levels = subdivisions
    return obj


def skin(chains, voxel, material, smoothing=12):
    """A soft body: chains of ((x, y, z), radius) capsules melted into one smooth mesh."""
    bm = bmesh.new()
    for chain in chains:
        for (start, start_radius), (end, end_radius) in pairwise(chain):
            start, end = Vector(start), Vector(end)
            step = max(0.3 * min(start_radius, end_radius), voxel * 1.5)
            count = max(2, int((start - end).length / step))
            for i in range(count + 1):
                t = i / count
                bmesh.ops.create_uvsphere(
                    bm,
                    u_segments=12,
                    v_segments=8,
                    radius=start_radius * (1 - t) + end_radius * t,
                    matrix=Matrix.Translation(start.lerp(end, t)),
                )
    obj = mesh_object(bm, "skin", material)
    remesh = obj.modifiers.new("remesh", "REMESH")
    remesh.mode = "VOXEL"
    remesh.voxel_size = voxel
    remesh.use_smooth_shade = True
    smooth = obj.modifiers.new("smooth", "SMOOTH")
    smooth.iterations = smoothing
    smooth.factor = 0.6
    return apply_modifiers(obj)


def _surface_points(obj, count, generator):
    """Random points on a mesh, even by area, with their smooth normals."""
    mesh = obj.data
    mesh.calc_loop_triangles()
    vertices = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", vertices)
    vertices = vertices.reshape(-1, 3)
    normals = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("normal", normals)
    normals = normals.reshape(-1, 3)
    triangles = np.empty(len(mesh.loop_triangles) * 3, np.int32)
    mesh.loop_triangles.foreach_get("vertices", triangles)
    triangles = triangles.reshape(-1, 3)
    corners = vertices[triangles]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(cross, axis=1).astype(np.float64)
    chosen = generator.choice(len(triangles), count, p=area / area.sum())
    u, v = np.sqrt(generator.random(count)), generator.random(count)
    weights = np.stack([1 - u, u * (1 - v), u * v], 1)[:, :, None]
    points = (corners[chosen] * weights).sum(1)
    directions = (normals[triangles[chosen]] * weights).sum(1)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True) + 1e-9
    return points, directions


def fur(
    obj,
    material,
    count,
    length,
    radius=0.0006,
    flow=(-1, 0, -0.35),
    length_factor=None,
    lift=0.35,
    steps=4,
    droop=0.3,
    spread=0.18,
):
    """Hair curves on obj, combed along flow; length_factor(points) scales them place by place.

    Hidden in the mask pass. flow is one direction, or a function of the root points.
    """
    generator = np.random.default_rng(stage.random.randint(0, 2**31))
    roots, normals = _surface_points(obj, count, generator)
    flow = flow(roots) if callable(flow) else np.broadcast_to(np.float32(flow), roots.shape)
    flow = flow / (np.linalg.norm(flow, axis=1, keepdims=True) + 1e-9)
    flow = flow - normals * (normals * flow).sum(1, keepdims=True)
    jitter = generator.normal(0, spread, (count, 3))
    lengths = length * (generator.random(count) * 0.5 + 0.75)
    if length_factor is not None:
        lengths = lengths * length_factor(roots)
    positions = []
    for step in range(steps):
        t = step / (steps - 1)
        offset = normals * ((lift + 0.06) * t) + (flow + jitter) * (t * (1 - lift) + 0.25 * t * t)
        offset[:, 2] -= droop * t * t * 0.5
        positions.append(roots + offset * lengths[:, None])
    positions = np.stack(positions, 1).astype(np.float32)
    curves = bpy.data.hair_curves.new("fur")
    curves.add_curves([steps] * count)
    curves.attributes["position"].data.foreach_set("vector", positions.reshape(-1))
    thickness = curves.attributes.get("radius")
    if thickness is None:
        thickness = curves.attributes.new("radius", "FLOAT", "POINT")
    profile = np.linspace(radius, radius * 0.12, steps)
    thickness.data.foreach_set("value", np.tile(profile, count).astype(np.float32))
    hair = stage.add(bpy.data.objects.new("fur", curves), material)
    hair["hidden_in_mask"] = 1
    hair.location = obj.location
    hair.rotation_euler = obj.rotation_euler
    return hair
