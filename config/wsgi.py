"""The WSGI application that the web server loads."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import reverse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a page's matrices are small
application = get_wsgi_application()

# All pages are loaded before the first request, and left out of every later garbage collection. These come less often
# than Python's own 700 objects would have it: a request makes thousands that are gone with it.
reverse("home")
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 10, 20)
