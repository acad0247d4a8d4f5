"""Settings to a wired assistant: the only place that picks concrete parts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from bot.answering.answerer import Answerer
from bot.answering.compose import sentence_texts
from bot.answering.generator import Generator
from bot.answering.grounded import GroundedWriter
from bot.answering.prompt import PROMPT_VERSION
from bot.answering.templates import TemplateBook
from bot.content import Content, load_content
from bot.conversation import Provenance
from bot.desk.desk import Desk
from bot.desk.hours import Hours
from bot.desk.lessons import Lessons
from bot.desk.webhooks import Announce, WebhookEvent, Webhooks, announce_nothing
from bot.errors import BotError, ContentError
from bot.insight.catalog import load_catalog
from bot.insight.recommend import Recommender
from bot.judged import read_judged
from bot.knowledge import Knowledge
from bot.learning import english_encoder, intent_head, labelled_questions, open_index, said_to_intents
from bot.manager import Limits, Manager
from bot.memory.shared_log import SharedLog
from bot.memory.store import Store
from bot.models import Reporter, draft_limits, make_encoder, make_generator
from bot.safety.redact import redact
from bot.safety.wordlist import WordList
from bot.serving import Drafting
from bot.settings import Settings
from bot.thresholds import threshold_table
from bot.turns import Redact
from bot.understanding.language import to_simplified
from bot.understanding.reader import Reader
from bot.understanding.slots import SlotFinder
from retrieval.batching import BatchingEncoder
from retrieval.build import BuildReport, build_index
from retrieval.encoder import Encoder
from retrieval.errors import IndexMismatch, IndexMissing, RetrievalError
from retrieval.prepared_texts import PreparedTexts
from retrieval.search import SearchIndex
from retrieval.vector_cache import RecentTexts
from retrieval.watch import watch

log = structlog.get_logger(__name__)
_WEBHOOK_WAIT = 0.2  # seconds that a turn may wait for another process before its event is noted later


def rebuild(settings: Settings, encoder: Encoder, progress: Reporter) -> BuildReport:
    """Check the whole knowledge base, then build and publish index and intent head.

    Raises:
        ContentError, DocumentError: something in the knowledge base is wrong; what was published before stays.
        PublishError: the disk is full or read-only, or another build is running.
    """
    content = load_content(settings.knowledge_base)
    TemplateBook(content)
    report = build_index(
        settings.knowledge_base,
        settings.index_path,
        encoder,
        english=english_encoder(settings, encoder),
        labelled=labelled_questions(content),
        judged=read_judged(settings.judged_questions_path),
        said=said_to_intents(content),
        passage_limit=settings.retrieval.passage_characters,
        progress=progress,
    )
    progress("intents", 0, 1)
    index = open_index(settings, encoder)
    intent_head(settings, content, index, encoder)
    progress("intents", 1, 1)
    return report


def load_knowledge(settings: Settings, encoder: Encoder, generator: Generator | None) -> Knowledge:
    """What was published last, as one value that turns can be answered from.

    Raises:
        ContentError: an intent, template or message is wrong, or names an article that does not exist.
        IndexMissing, IndexMismatch: there is no index, or it does not fit.
    """
    content = load_content(settings.knowledge_base)
    index = open_index(settings, encoder)
    _check_articles_exist(content, index)
    head, reading = intent_head(settings, content, index, encoder)
    writer = GroundedWriter(encoder, generator, draft_limits(settings, generator))
    return Knowledge(
        content=content,
        index=index,
        reader=Reader(
            head=head,
            encoder=reading,
            slots=SlotFinder({name for one in index.articles() for name in one.products}, _clock(settings)),
            burst=timedelta(seconds=settings.policy.burst_seconds),
            meant=index.meant,
        ),
        answerer=Answerer(content, TemplateBook(content), index, writer),
        thresholds=threshold_table(settings, reads=generator is not None and generator.tuned),
        provenance=Provenance(
            kefu=version("kefu"),
            index=str(index.manifest["generation"]),
            encoder=encoder.name,
            model=None if generator is None else generator.name,
            adapter=None if generator is None else generator.adapter,
            prompt_version=None if generator is None else PROMPT_VERSION,
        ),
        recommender=Recommender(load_catalog(settings.knowledge_base), content.out_of_scope.all(), encoder),
        person_words=WordList(settings.safety.person_words, to_simplified),
    )


@dataclass(frozen=True)
class Kefu:
    """A wired assistant with what must be closed or renewed with it."""

    manager: Manager
    store: Store
    desk: Desk
    encoder: Encoder
    drafting: Drafting
    webhooks: Webhooks
    settings: Settings
    prepared: PreparedTexts | None = None  # of `encoder`, if it works ahead

    @property
    def generator(self) -> Generator | None:
        """The language model that drafts just now; None if answers are composed."""
        return self.drafting.generator

    def reload(self, progress: Reporter) -> BuildReport:
        """Build the knowledge base anew and answer from it; on a mistake in the content nothing changes.

        Raises:
            ContentError, DocumentError: something in the knowledge base is wrong.
        """
        report = rebuild(self.settings, self.encoder, progress)
        with self.drafting.exchanging:
            self.manager.use(load_knowledge(self.settings, self.encoder, self.generator))
        return report

    def follow_edits(self, stop: threading.Event) -> threading.Thread:
        """Pick up edits of the knowledge base while serving, until `stop` is set."""

        def reload() -> None:
            try:
                report = self.reload(_silent)
                log.info("knowledge_reloaded", articles=report.articles, embedded=report.embedded)
                _in_thread(self.prepare_sentences, "prepare-sentences")
            except (BotError, RetrievalError) as error:
                log.error("knowledge_not_reloaded", reason=str(error))
                self.webhooks.tell(WebhookEvent.ALARM, {"name": "knowledge_not_reloaded"})

        thread = threading.Thread(
            target=watch, args=(self.settings.knowledge_base, reload, stop), name="follow-edits", daemon=True
        )
        thread.start()
        return thread

    def warm_up(self) -> None:
        """Do once, beside the serving, what would make the first answers slow."""
        _in_thread(self._warm_up_model, "warm-up")
        _in_thread(self.prepare_sentences, "prepare-sentences")

    def prepare_sentences(self) -> None:
        """Encode what answers are composed from before anybody asks; between customers' questions it takes minutes.

        What was encoded for an earlier state of the knowledge base, also before a restart, is not encoded again.
        """
        if self.prepared is not None:
            passages = self.manager.knowledge.index.passages()
            self.prepared.prepare([text for passage in passages for text in sentence_texts(passage)])
        self.manager.knowledge.warm_up()

    def _warm_up_model(self) -> None:
        if self.generator is None:
            return
        try:
            self.generator.warm_up()
        except BotError as error:
            log.error("language_model_not_warm", reason=str(error))

    def close(self) -> None:
        """Close the log and the language model; sentences that are prepared by now are kept."""
        if self.prepared is not None:
            self.prepared.close()
        if self.generator is not None:
            self.generator.close()
        self.webhooks.close()
        self.desk.close()
        self.store.close()


def build_kefu(settings: Settings, progress: Reporter, *, log_path: Path | None = None) -> Kefu:
    """Wire everything, building first what is missing or does not fit any more: models, index, intent head.

    `log_path` takes another log than the settings name (a benchmark leaves no trace in the real one).

    Raises:
        BotError, RetrievalError: something cannot be had; the message says what to do.
    """
    prepared = PreparedTexts(
        BatchingEncoder(make_encoder(settings, progress)), settings.var / "sentences.safetensors"
    )
    encoder = RecentTexts(prepared)
    generator = make_generator(settings, progress)
    if not _index_fits(settings, encoder):
        rebuild(settings, encoder, progress)
    return assemble(settings, encoder, generator, log_path=log_path, prepared=prepared)


def assemble(
    settings: Settings,
    encoder: Encoder,
    generator: Generator | None,
    *,
    log_path: Path | None = None,
    prepared: PreparedTexts | None = None,
) -> Kefu:
    """Wire what has been loaded; see `build_kefu`. `prepared` is what `encoder` asks first, if it does.

    Raises:
        BotError, RetrievalError: the knowledge base is wrong, or the index does not fit.
    """
    knowledge = load_knowledge(settings, encoder, generator)
    store = Store(settings.log_path if log_path is None else log_path)
    limits = Limits(settings.retrieval.top_k, settings.safety.max_characters)
    mask = partial(redact, allow=settings.safety.shown_contacts)
    told = settings.webhooks
    webhooks = Webhooks(SharedLog(store.path, wait_seconds=_WEBHOOK_WAIT), told.urls, told.secret)
    desk = make_desk(settings, store, mask, webhooks.tell)
    manager = Manager(knowledge, store, desk, mask, limits, _clock(settings), webhooks.tell)
    return Kefu(manager, store, desk, encoder, Drafting(generator), webhooks, settings, prepared)


def make_desk(settings: Settings, store: Store, mask: Redact, announce: Announce = announce_nothing) -> Desk:
    """The desk beside `store`, on the same log.

    Raises:
        SettingsError: the opening hours cannot be read.
    """
    chosen = settings.desk
    holidays = None if chosen.holidays == "none" else chosen.holidays
    return Desk(
        store.path,
        Hours(chosen.opening_hours, time_zone=settings.time_zone, country=holidays),
        lambda text: mask(text).text,
        learn=Lessons(store).learn,
        announce=announce,
        silent_while_waiting=chosen.while_waiting == "silent",
        idle=timedelta(minutes=chosen.idle_minutes),
        forgotten=timedelta(days=chosen.forgotten_days),
    )


def _check_articles_exist(content: Content, index: SearchIndex) -> None:
    known = {article.id for article in index.articles()}
    lost = [
        f"intents/{intent.id}.yaml: articles names {name!r}, which does not exist"
        for intent in content.intents.values()
        for name in intent.articles
        if name not in known
    ]
    if lost:
        raise ContentError("Intents name articles that are not there:\n  " + "\n  ".join(lost))


def _index_fits(settings: Settings, encoder: Encoder) -> bool:
    try:
        open_index(settings, encoder)
    except (IndexMissing, IndexMismatch) as reason:
        log.info("index_will_be_built", reason=str(reason))
        return False
    return True


def _clock(settings: Settings) -> Callable[[], date]:
    zone = ZoneInfo(settings.time_zone)
    return lambda: datetime.now(zone).date()


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Report progress to nobody."""


def _in_thread(work: Callable[[], None], name: str) -> None:
    threading.Thread(target=work, name=name, daemon=True).start()
