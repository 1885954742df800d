"""An agent as a picture: its states, what they may call, where that leads, and flows that break a rule."""

from .deployed import picture_of_bundle
from .html import as_html
from .mermaid import as_mermaid
from .picture import Arrow, Box, Picture, picture_of
from .svg import as_svg

__all__ = ["Arrow", "Box", "Picture", "as_html", "as_mermaid", "as_svg", "picture_of", "picture_of_bundle"]
