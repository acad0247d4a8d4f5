"""SetFit for benchmarks/intents.py: an encoder tuned on pairs of examples, under a logistic regression (Tunstall et al. 2022).

    python -m venv setfit-env && setfit-env/bin/pip install torch
    setfit-env/bin/pip install "setfit==1.1.3" "transformers<5" "sentence-transformers<6"
    python benchmarks/intents.py --setfit setfit-env/bin/python

Its own trainer with its defaults (batches of 16, one epoch, body learning rate 2e-5), but for the pairs: by default it
makes every negative pair once, 300,000 of 77 categories' 770 examples, so the paper's way is taken: R pairs of each kind an
example. `benchmarks/intent_peer_call.py` says what the two files hold.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from datasets import Dataset
from setfit import SetFitModel, Trainer, TrainingArguments


def main() -> None:
    """Fit, tell, and write what was told."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("asked", type=Path)
    parser.add_argument("told", type=Path)
    parser.add_argument("--body", required=True, help="folder of a sentence-transformers encoder")
    parser.add_argument("--prompt", default="", help="goes before each text")
    parser.add_argument("--iterations", type=int, default=20, help="R: pairs of each kind for each example")
    chosen = parser.parse_args()
    given = json.loads(chosen.asked.read_text("utf-8"))
    names = sorted(set(given["labels"]))
    started = time.monotonic()
    model = SetFitModel.from_pretrained(chosen.body, local_files_only=True, device="cpu")
    table = Dataset.from_dict(
        {
            "text": [chosen.prompt + text for text in given["texts"]],
            "label": [names.index(label) for label in given["labels"]],
        }
    )
    settings = TrainingArguments(
        output_dir=str(chosen.told.parent / "checkpoints"),
        num_iterations=chosen.iterations,
        seed=given["seed"],
        report_to="none",
        save_strategy="no",
        show_progress_bar=False,
    )
    Trainer(model=model, args=settings, train_dataset=table).train()
    ready = time.monotonic()
    odds = np.asarray(model.predict_proba([chosen.prompt + text for text in given["asked"]], as_numpy=True))
    seconds = time.monotonic() - ready
    classes = [names[int(number)] for number in model.model_head.classes_]
    best = np.argsort(-odds, axis=1)[:, :2]
    ranked = [
        [(classes[place], float(row[place])) for place in places]
        for row, places in zip(odds, best, strict=True)
    ]
    answer = {"ranked": ranked, "fit_seconds": ready - started, "seconds": seconds}
    chosen.told.write_text(json.dumps(answer), "utf-8")


if __name__ == "__main__":
    main()
