"""Soft bodies for animals: round limbs that melt into each other, painted skin, strands of hair.

A body is a list of limbs, a limb is a chain of balls ("knots") of changing radius. The skin is the
surface where the smooth minimum of the distances to all limbs is zero. Because the distance is a
formula, every point of the skin also knows to which limb it belongs and how far along it lies,
which is what the painting of coats and the combing of fur need.
"""

from itertools import pairwise

import bmesh
import bpy
import numpy as np

from . import stage


def random_generator():
    """A numpy generator seeded from the stage, so that one seed gives one picture."""
    return np.random.default_rng(stage.random.randrange(2**31))


def smoothstep(low, high, values):
    """0 below `low`, 1 above `high`, smooth between (also falling, when low > high)."""
    t = np.clip((np.asarray(values, float) - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def noise(points, scale, seed=0):
    """Smooth lattice noise between -1 and 1 at the (n, 3) points, `scale` bumps a metre."""
    scaled = np.asarray(points, float) * scale + 100.5 + seed * 7.31
    cell = np.floor(scaled).astype(np.int64)
    part = scaled - cell
    part = part * part * (3 - 2 * part)
    total = np.zeros(len(scaled))
    for corner in range(8):
        step = np.array([corner & 1, corner >> 1 & 1, corner >> 2 & 1])
        x, y, z = (cell + step).T
        mixed = (x * 374761393 + y * 668265263 + z * 2147483647 + seed * 144665) & 0xFFFFFFFF
        mixed = ((mixed ^ (mixed >> 13)) * 1274126177) & 0xFFFFFFFF
        mixed = mixed ^ (mixed >> 16)
        weight = np.prod(np.where(step == 1, part, 1 - part), axis=1)
        total += weight * ((mixed & 0xFFFF) / 32767.5 - 1)
    return total


def mixed(first, second, amount):
    """Blend two colours (or two arrays of colours) by an array of amounts."""
    amount = np.asarray(amount, float)[:, None]
    return np.asarray(first, float) * (1 - amount) + np.asarray(second, float) * amount


class Body:
    """Limbs under one skin. `blend` is how far (in metres) limbs melt into each other."""

    def __init__(self, blend=0.008):
        self.blend = blend
        self.names = []
        self.limbs = []

    def limb(self, name, *knots):
        """Add a limb through knots (x, y, z, radius); fur flows from the first to the last."""
        self.names.append(name)
        self.limbs.append(np.array(knots, float))

    def length(self, index):
        """Length of a limb, along its knots."""
        return np.linalg.norm(np.diff(self.limbs[index][:, :3], axis=0), axis=1).sum()

    def measure(self, points):
        """Distance to the skin, its gradient, nearest limb, place along it, its direction."""
        points = np.asarray(points, float)
        count, limbs = len(points), len(self.limbs)
        distances = np.full((limbs, count), 1.0)
        gradients = np.zeros((limbs, count, 3))
        directions = np.zeros((limbs, count, 3))
        places = np.zeros((limbs, count))
        for index, knots in enumerate(self.limbs):
            # only points near the limb matter; far away it keeps a distance of a metre
            reach = knots[:, 3:].max() + 8 * self.blend
            near = (points > knots[:, :3].min(0) - reach) & (points < knots[:, :3].max(0) + reach)
            chosen = np.nonzero(near.all(1))[0]
            start, bone = knots[:-1, :3], np.diff(knots[:, :3], axis=0)
            size = np.maximum((bone**2).sum(1), 1e-12)
            away = points[chosen, None] - start
            t = np.clip((away * bone).sum(2) / size, 0, 1)
            offset = away - t[:, :, None] * bone
            span = np.sqrt((offset**2).sum(2)) + 1e-9
            signed = span - knots[:-1, 3] - t * np.diff(knots[:, 3])
            best = signed.argmin(1)
            rows = np.arange(len(chosen))
            lengths = np.sqrt(size)
            distances[index, chosen] = signed[rows, best]
            gradients[index, chosen] = offset[rows, best] / span[rows, best, None]
            places[index, chosen] = (np.cumsum(lengths) - lengths + t * lengths)[rows, best]
            directions[index, chosen] = (bone / lengths[:, None])[best]
        rows = np.arange(count)
        nearest = distances.argmin(0)
        least = distances[nearest, rows]
        weights = np.exp(-(distances - least) / self.blend)
        total = weights.sum(0)
        weights /= total
        gradient = (weights[:, :, None] * gradients).sum(0)
        gradient /= np.linalg.norm(gradient, axis=1, keepdims=True) + 1e-9
        flow = (weights[:, :, None] * directions).sum(0)
        place = places[nearest, rows]
        return least - self.blend * np.log(total), gradient, nearest, place, flow

    def surface(self, origin, direction):
        """The outermost skin point on the ray that leaves `origin` (inside) along `direction`."""
        direction = np.asarray(direction, float) / np.linalg.norm(direction)
        steps = np.linspace(0, 0.12, 241)
        distance = self.measure(np.asarray(origin, float) + steps[:, None] * direction)[0]
        inside = np.nonzero(distance < 0)[0]
        return np.asarray(origin, float) + steps[inside[-1] if len(inside) else 0] * direction

    def onto_skin(self, points, height=0.0):
        """Move points to `height` above the skin, the shortest way."""
        points = np.asarray(points, float)
        for _ in range(4):
            distance, gradient, *_ = self.measure(points)
            points = points - gradient * (distance - height)[:, None]
        return points

    def skin(self, voxel, material, name="skin"):
        """Make the mesh: balls along the limbs, voxel remesh, then pull onto the exact skin."""
        balls = []
        for knots in self.limbs:
            for first, second in pairwise(knots):
                gap = np.linalg.norm(second[:3] - first[:3])
                steps = max(1, int(gap / max(0.45 * min(first[3], second[3]), voxel)))
                for step in range(steps + 1):
                    balls.append(first + (second - first) * step / steps)
        balls = np.array(balls)
        bm = bmesh.new()
        bmesh.ops.create_icosphere(bm, subdivisions=2, radius=1)
        unit = np.array([vertex.co for vertex in bm.verts])
        faces = np.array([[vertex.index for vertex in face.verts] for face in bm.faces])
        bm.free()
        points = balls[:, None, :3] + unit * (balls[:, None, 3:] + voxel * 0.4)
        faces = faces + (np.arange(len(balls)) * len(unit))[:, None, None]
        raw = bpy.data.meshes.new(name)
        raw.from_pydata(points.reshape(-1, 3).tolist(), [], faces.reshape(-1, 3).tolist())
        holder = bpy.data.objects.new(name, raw)
        bpy.context.scene.collection.objects.link(holder)
        modifier = holder.modifiers.new("remesh", "REMESH")
        modifier.mode = "VOXEL"
        modifier.voxel_size = voxel
        graph = bpy.context.evaluated_depsgraph_get()
        mesh = bpy.data.meshes.new_from_object(holder.evaluated_get(graph))
        bpy.data.objects.remove(holder)
        points = self.onto_skin(vertices(mesh))
        mesh.vertices.foreach_set("co", points.astype(np.float32).ravel())
        mesh.polygons.foreach_set("use_smooth", [True] * len(mesh.polygons))
        mesh.update()
        return stage.add(bpy.data.objects.new(name, mesh), material)


def vertices(mesh):
    """(n, 3) array of the vertex positions of a mesh."""
    values = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", values)
    return values.reshape(-1, 3).astype(float)


def vertex_normals(mesh):
    """(n, 3) array of the vertex normals of a mesh."""
    values = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("normal", values)
    return values.reshape(-1, 3).astype(float)


def tint(obj, colors):
    """Store one colour per vertex under the name that `painted` materials read."""
    colors = np.asarray(colors, np.float32)
    rgba = np.ones((len(colors), 4), np.float32)
    rgba[:, :3] = np.clip(colors, 0, 1)
    attribute = obj.data.attributes.new("tint", "FLOAT_COLOR", "POINT")
    attribute.data.foreach_set("color", rgba.ravel())


def painted(roughness=0.6, sheen=0.0, coat=0.0, specular=0.3, strands=False, subsurface=0.0):
    """A material that takes its colour from the vertex (or hair) colours set by `tint`."""
    material = bpy.data.materials.new("painted")
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    surface = nodes["Principled BSDF"]
    color = nodes.new("ShaderNodeAttribute")
    color.attribute_name = "tint"
    shade = nodes.new("ShaderNodeVectorMath")
    shade.operation = "SCALE"
    links.new(color.outputs["Color"], shade.inputs[0])
    if strands:
        # every hair a little lighter or darker than its neighbour, darker towards the root
        info = nodes.new("ShaderNodeHairInfo")
        by_hair = nodes.new("ShaderNodeMapRange")
        by_hair.inputs["To Min"].default_value = 0.72
        by_hair.inputs["To Max"].default_value = 1.28
        links.new(info.outputs["Random"], by_hair.inputs["Value"])
        along = nodes.new("ShaderNodeMapRange")
        along.inputs["To Min"].default_value = 0.62
        along.inputs["To Max"].default_value = 1.18
        links.new(info.outputs["Intercept"], along.inputs["Value"])
        product = nodes.new("ShaderNodeMath")
        product.operation = "MULTIPLY"
        links.new(by_hair.outputs[0], product.inputs[0])
        links.new(along.outputs[0], product.inputs[1])
        links.new(product.outputs[0], shade.inputs["Scale"])
    else:
        shade.inputs["Scale"].default_value = 1.0
    links.new(shade.outputs[0], surface.inputs["Base Color"])
    surface.inputs["Roughness"].default_value = roughness
    surface.inputs["Sheen Weight"].default_value = sheen
    surface.inputs["Coat Weight"].default_value = coat
    surface.inputs["Coat Roughness"].default_value = 0.05
    surface.inputs["Specular IOR Level"].default_value = specular
    surface.inputs["Subsurface Weight"].default_value = subsurface
    return material


class Fleece:
    """What the fur of a skin needs at every vertex: direction, length (metres) and colour."""

    def __init__(self, flow, length, colors):
        self.flow, self.length, self.colors = flow, length, colors


def comb(obj, fleece, count, material, radius=0.0005, lift=0.3, droop=0.25, jitter=0.16, steps=4):
    """Grow `count` strands on a mesh object; hidden in the mask, the skin alone is labelled."""
    generator = random_generator()
    mesh = obj.data
    mesh.calc_loop_triangles()
    corners = np.empty(len(mesh.loop_triangles) * 3, np.int32)
    mesh.loop_triangles.foreach_get("vertices", corners)
    corners = corners.reshape(-1, 3)
    places, normals = vertices(mesh), vertex_normals(mesh)
    a, b, c = (places[corners[:, i]] for i in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    # bare patches (length near 0) need no strands
    area = area * (fleece.length[corners].mean(1) > 0.001)
    chosen = corners[generator.choice(len(corners), count, p=area / area.sum())]
    u, v = np.sqrt(generator.random(count)), generator.random(count)
    weights = np.stack([1 - u, u * (1 - v), u * v], 1)[:, :, None]

    def spread(values):
        return (values[chosen] * weights).sum(1)

    root, normal, flow = spread(places), spread(normals), spread(fleece.flow)
    length = spread(fleece.length[:, None])[:, 0] * generator.uniform(0.7, 1.25, count)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-9
    flow = flow - normal * (flow * normal).sum(1, keepdims=True)
    flow /= np.linalg.norm(flow, axis=1, keepdims=True) + 1e-9
    # locks: neighbouring hairs bend the same way
    lock = np.stack([noise(root, 45, seed) for seed in (1, 2, 3)], 1)
    flow = flow + lock * 0.35 + generator.normal(0, jitter, (count, 3))
    points = []
    for step in range(steps):
        t = step / (steps - 1)
        bend = normal * (lift * t + 0.05) + flow * ((1 - lift) * t * (0.6 + 0.4 * t))
        bend[:, 2] -= droop * t * t * 0.5
        points.append(root + bend * length[:, None])
    points = np.stack(points, 1).astype(np.float32)

    curves = bpy.data.hair_curves.new("fur")
    curves.add_curves([steps] * count)
    curves.attributes["position"].data.foreach_set("vector", points.ravel())
    radii = curves.attributes.get("radius") or curves.attributes.new("radius", "FLOAT", "POINT")
    taper = np.linspace(radius, radius * 0.15, steps, dtype=np.float32)
    radii.data.foreach_set("value", np.tile(taper, count))
    colors = np.ones((count, 4), np.float32)
    colors[:, :3] = np.clip(spread(fleece.colors), 0, 1)
    curves.attributes.new("tint", "FLOAT_COLOR", "CURVE").data.foreach_set("color", colors.ravel())
    strands = stage.add(bpy.data.objects.new("fur", curves), material)
    strands["hidden_in_mask"] = 1
    strands.location = obj.location
    strands.rotation_euler = obj.rotation_euler
    strands.scale = obj.scale
    return strands


def grid_mesh(points, material, name="sheet", colors=None):
    """A smooth mesh from an array of points (rows, columns, 3), optionally with colours."""
    points = np.asarray(points, float)
    rows, columns = points.shape[:2]
    index = np.arange(rows * columns).reshape(rows, columns)
    quads = np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], -1)
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(points.reshape(-1, 3).tolist(), [], quads.reshape(-1, 4).tolist())
    mesh.polygons.foreach_set("use_smooth", [True] * len(mesh.polygons))
    obj = stage.add(bpy.data.objects.new(name, mesh), material)
    if colors is not None:
        tint(obj, np.asarray(colors, float).reshape(-1, 3))
    return obj
