"""A training set of all that there is."""

from __future__ import annotations

from pathlib import Path

from finetune.curation.curate import CurationSettings
from finetune.curation.dataset import load_dataset_folder
from finetune.curation.imports import import_file
from finetune.curation.sources import IMPORTS, KEY
from finetune.pseudonyms import load_pseudonyms
from finetune.training_set import make_training_set
from tests.tuned_shop import write_import, write_tuned_shop


def test_a_set_has_canaries_among_its_conversations_and_names_them(tmp_path: Path) -> None:
    settings = write_tuned_shop(tmp_path)
    pseudonyms = load_pseudonyms(settings.var / KEY)
    import_file(write_import(tmp_path, 30), settings.var / IMPORTS, pseudonyms=pseudonyms)
    how = CurationSettings(augmented=0.0, least=5)
    found = load_dataset_folder(make_training_set(settings, how).folder)
    assert len(found.manifest["canaries"]) == 8
    said = "\n".join(exchange.question for talk in (*found.train, *found.test) for exchange in talk.exchanges)
    assert not [each for each in found.manifest["canaries"] if each["secret"] in said]
