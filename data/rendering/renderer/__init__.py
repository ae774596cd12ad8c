"""A small procedural photo studio: builds a scene, renders a picture and its exact masks.

Needs Blender as a Python module (`bpy`, GPL-3), so it runs in an environment of its own and is
never imported by the course.
"""
