"""Settings and plugins: how this home is set up."""

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.assembly.plugins import roll
from orchestrator.assembly.provided import Provider, providers
from orchestrator.assembly.shown_settings import ShownSetting, section_docs, shown_settings
from orchestrator.plugins.cards import Card


class SectionOfSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A section with those of its settings that were found."""

    name: str
    about: str
    settings: list[ShownSetting]


class SettingsPage(msgspec.Struct, frozen=True, kw_only=True):
    """``changed``: only those that somebody has set."""

    q: str
    changed: bool
    sections: list[SectionOfSettings]
    known: int
    set_count: int


class PluginPage(msgspec.Struct, frozen=True, kw_only=True):
    """The plugins, and the optional packages."""

    cards: list[Card]
    providers: list[Provider]
    folder: str


def settings_page(home: Home, q: str, *, changed: bool) -> SettingsPage:
    """Those whose name, value or meaning has ``q`` in it."""
    known, words = shown_settings(home), q.casefold()
    found = [one for one in known if _fits(one, words) and (one.is_set or not changed)]
    sections = [
        SectionOfSettings(name=name, about=about, settings=[one for one in found if one.section == name])
        for name, about in section_docs()
    ]
    return SettingsPage(
        q=q,
        changed=changed,
        sections=[section for section in sections if section.settings],
        known=len(known),
        set_count=sum(one.is_set for one in known),
    )


def _fits(one: ShownSetting, words: str) -> bool:
    texts = (f"[{one.section}] {one.key}", one.variable, one.about, one.value, one.source)
    return any(words in text.casefold() for text in texts)


def plugin_page(home: Home) -> PluginPage:
    cards = sorted(roll(home.config).cards, key=lambda card: (card.trouble is None, card.name))
    return PluginPage(cards=cards, providers=providers(), folder=str(home.config.core.plugins_folder))
