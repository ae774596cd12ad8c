"""Everything that becomes a folder in VOC layout: downloads, other formats, satellite tiles."""
