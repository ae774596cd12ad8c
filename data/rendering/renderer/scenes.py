"""The scene kinds by name."""

from . import indoor_scenes, outdoor_scenes

SCENES = {
    "living": indoor_scenes.living,
    "television": indoor_scenes.television_corner,
    "dining": indoor_scenes.dining,
    "office": indoor_scenes.home_office,
    "kitchen": indoor_scenes.kitchen,
    "tabletop": indoor_scenes.table_top,
    "sill": indoor_scenes.window_sill,
    "reading": indoor_scenes.reading_corner,
    "hallway": indoor_scenes.hallway_bicycle,
    "sofa_cat": indoor_scenes.cat_on_sofa,
    "cat": indoor_scenes.cat_nook,
    "loft": indoor_scenes.loft,
    "shelf": indoor_scenes.shelf,
    "pet_bird": indoor_scenes.pet_bird,
    "street": outdoor_scenes.street,
    "terrace": outdoor_scenes.terrace,
    "bird": outdoor_scenes.wild_bird,
    "garden": outdoor_scenes.garden,
}
