"""training_data -> models/default.npz: the same bytes every time on the same versions and processor family."""

import sys

from extractor.training.commands import train

if __name__ == "__main__":
    sys.exit(train(sys.argv[1:]))
