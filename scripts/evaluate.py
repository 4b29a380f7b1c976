"""Score a model on the shared corpora: every measure with its interval, beside other extractors if asked for.

python scripts/evaluate.py                       the shipped model on the dev split
python scripts/evaluate.py --peers trafilatura   the same pages, the same run
python scripts/evaluate.py --gate                fail where a score is below its recorded floor
"""

import sys

from extractor.training.commands import evaluate

if __name__ == "__main__":
    sys.exit(evaluate(sys.argv[1:]))
