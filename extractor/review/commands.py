"""What `extractor review` does: a folder in; serves its review to the browser of this machine until Ctrl-C."""

from __future__ import annotations

import errno
import webbrowser
from pathlib import Path
from threading import Thread

from extractor.corpus.folder import FolderError
from extractor.errors import LabelsError, ModelError
from extractor.files import printable
from extractor.model_file import Model
from extractor.review.doubt import Doubts
from extractor.review.folder import ReviewedFolder
from extractor.review.server import ReviewApp, listen, serve
from extractor.streams import emit, refuse


def review(path: Path, *, port: int, browser: bool, model: Path | None) -> None:
    """Serve the review of a folder on a port (0: any free one) until interrupted, and open it in a browser."""
    if path.is_file():
        refuse(f"{path}: a file, not a folder; give the folder that it lies in")
    try:
        folder = ReviewedFolder(path, Model.default() if model is None else Model.load(model))
        listener = listen(port)
    except (FolderError, LabelsError, ModelError) as error:
        refuse(str(error))
    except OSError as error:
        in_use = error.errno == errno.EADDRINUSE
        why = "in use, by another review perhaps" if in_use else error.strerror
        refuse(f"port {port}: {why}; give another one with --port, or --port 0 for any that is free")
    doubts = Doubts(folder)
    app = ReviewApp(folder, doubts, listener.getsockname()[1])
    pages = f"{len(folder.pages):,} page{'s' if len(folder.pages) != 1 else ''}"
    emit(f"{pages} of {printable(str(path))} to review at {app.address} (Ctrl-C stops)\n")
    doubts.start()
    if browser:  # a browser of the terminal would keep this thread
        Thread(target=webbrowser.open, args=(app.address,), daemon=True).start()
    with listener:
        serve(listener, app).serve_forever()
    doubts.stop()
    emit("Stopped. All labels are saved beside their pages.\n")
