"""What can be recommended: products, parts, services and articles, one a line of the knowledge base's `catalog.jsonl`."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.content import Faces
from bot.conversation import Language
from bot.errors import ContentError

CATALOG_FILE = "catalog.jsonl"


class Tags(BaseModel):
    """Words that an item goes by, in both languages."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zh: tuple[str, ...] = ()
    en: tuple[str, ...] = ()


class Item(BaseModel):
    """Something that can be recommended."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    kind: str  # "product", "consumable", "accessory", "service" or "article"
    category: str
    title: Faces
    text: Faces
    tags: Tags = Tags()
    price: float | None = None
    goes_with: tuple[str, ...] = ()

    def described(self, language: Language) -> str:
        """All that is said of it in one language, as one text to be compared."""
        tags = self.tags.zh if language.content is Language.ZH else self.tags.en
        return f"{self.title.face(language)}\n{self.text.face(language)}\n{' '.join(tags)}"


def load_catalog(knowledge_base: Path) -> tuple[Item, ...]:
    """Every item; none if there is no catalog.

    Raises:
        ContentError: a line is no item, or an item stands there twice.
    """
    path = knowledge_base / CATALOG_FILE
    if not path.exists():
        return ()
    found: dict[str, Item] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            item = Item.model_validate_json(line)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise ContentError(f"{CATALOG_FILE}:{number}: {where}: {first['msg']}.") from error
        if item.id in found:
            raise ContentError(
                f"{CATALOG_FILE}:{number}: {item.id!r} stands there twice. Give one another id."
            )
        found[item.id] = item
    return tuple(found.values())
