"""Score a model on the shared corpora: every measure with its interval, beside other extractors if asked for.

python scripts/evaluate.py                       the shipped model on the dev split
python scripts/evaluate.py --peers trafilatura   the same pages, the same run; --peers alone: all that are installed
python scripts/evaluate.py --folds --lines 0.2   labels and kinds over the train split too, by folds over sites
python scripts/evaluate.py --leave-out w3m       trained without that converter's dumps, judged on them
python scripts/evaluate.py --output build/evaluation   a report: .md, .json, and .html with pictures and the worst pages
python scripts/evaluate.py --gate                fail where a score is below its recorded floor
"""

import sys

from extractor.training.evaluation_commands import evaluate

if __name__ == "__main__":
    sys.exit(evaluate(sys.argv[1:]))
