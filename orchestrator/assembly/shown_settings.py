"""Shown settings: what each is set to, and by whom, without what is secret."""

from collections.abc import Iterator

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.authoring.masking import STARS
from orchestrator.config import SECTIONS, Setting, SourceKind, censor, describe, is_secret, settings, write
from orchestrator.core.rights import Right
from orchestrator.exceptions import ForbiddenError, NotFoundError
from orchestrator.nearest import did_you_mean


class ShownSetting(msgspec.Struct, frozen=True, kw_only=True):
    """``source`` is the place where it was set, or ``default``; ``takes`` says which values there are."""

    section: str
    key: str
    value: str
    default: str
    source: str
    about: str
    takes: str
    variable: str
    is_set: bool
    is_secret: bool


def shown_settings(home: Home, section: str | None = None) -> list[ShownSetting]:
    """Every setting, or those of one section; ForbiddenError for whom is no administrator, or where nobody is shown
    them; NotFoundError where there is no such section.
    """
    _require_shown(home)
    if section not in (None, *SECTIONS):
        raise NotFoundError(f"there is no section [{str(section)[:100]}]{did_you_mean(str(section), SECTIONS)}")
    return [_shown(home, one) for one in settings() if section in (None, one.section)]


def shown_setting(home: Home, section: str, key: str) -> ShownSetting:
    """NotFoundError where there is none of that name."""
    found = shown_settings(home, section)
    for one in found:
        if one.key == key:
            return one
    known = [one.key for one in found]
    raise NotFoundError(f"there is no setting [{section}] {key[:100]}{did_you_mean(key[:100], known)}")


def section_docs() -> Iterator[tuple[str, str]]:
    """What each section is about."""
    return ((name, (struct.__doc__ or "").strip()) for name, struct in SECTIONS.items())


def _require_shown(home: Home) -> None:
    if not home.who.may(Right.ADMIN):
        raise ForbiddenError(f"{home.who.name} may not administer this home")
    if home.config.api.expose_config == "False":
        raise ForbiddenError("the settings are shown to nobody here: [api] expose_config is False")


def _shown(home: Home, setting: Setting) -> ShownSetting:
    source, value = home.config.source(setting), write(home.config.value(setting))
    return ShownSetting(
        section=setting.section,
        key=setting.key,
        value=STARS if value and is_secret(setting) else censor(value),
        default=write(setting.default),
        source=source.place or source.kind.value,
        about=setting.doc,
        takes=describe(setting),
        variable=setting.variable,
        is_set=source.kind is not SourceKind.DEFAULT,
        is_secret=is_secret(setting),
    )
