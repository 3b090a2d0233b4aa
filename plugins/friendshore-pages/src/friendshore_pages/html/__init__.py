"""Documents as one page of HTML, which needs no network, and can be read without scripts and printed."""

from .page import Working as Working
from .page import frame as frame
from .page import html as html
