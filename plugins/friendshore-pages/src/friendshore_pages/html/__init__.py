"""Documents as one HTML page that needs no network, prints well, and is readable without scripts."""

from .page import InteractivePart as InteractivePart
from .page import frame as frame
from .page import html as html
