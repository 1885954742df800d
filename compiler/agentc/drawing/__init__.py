"""An agent as a picture: its states, what they may call, where that leads, and flows that break a rule.

`project.picture_of` is not imported here: it brings the compiler along, which a service has no use for.
"""

from .deployed import picture_of_bundle
from .html import as_html
from .mermaid import as_mermaid
from .picture import Arrow, Box, Picture
from .svg import as_svg

__all__ = ["Arrow", "Box", "Picture", "as_html", "as_mermaid", "as_svg", "picture_of_bundle"]
