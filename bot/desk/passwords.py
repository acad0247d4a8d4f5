"""Passwords, logins and names of people who work here: what they must be like, and how a password is kept."""

from __future__ import annotations

import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from bot.errors import AccessRefused

LEAST_PASSWORD, MOST_PASSWORD = 10, 200  # characters
LEAST_LOGIN, MOST_LOGIN, MOST_NAME = 2, 64, 40


class Passwords:
    """Hashes passwords with argon2id and compares them."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        """Get ready.

        Args:
            hasher: default: argon2id with the parameters that RFC 9106 recommends for little memory.
        """
        self._hasher = PasswordHasher() if hasher is None else hasher
        self._nobody = self._hasher.hash(secrets.token_urlsafe())

    def hash(self, password: str) -> str:
        """What is kept of a password."""
        return self._hasher.hash(_plain(password))

    def fits(self, password_hash: str | None, password: str) -> bool:
        """Whether this is the password. Without a hash it is not, after the same time: nobody learns who has an account."""
        compared = self._nobody if password_hash is None else password_hash
        try:
            self._hasher.verify(compared, _plain(password)[:MOST_PASSWORD])
        except (VerificationError, InvalidHashError):
            return False
        return password_hash is not None

    def is_dated(self, password_hash: str) -> bool:
        """Whether a hash was made with weaker parameters than new ones are."""
        return self._hasher.check_needs_rehash(password_hash)


def check_password(password: str, login: str) -> None:
    """Let through a password that is long enough and not the login. Nothing else makes people choose better ones.

    (NIST SP 800-63B, 5.1.1.2: length counts; rules of composition make passwords worse.)

    Raises:
        AccessRefused: `password_short`, `password_long` or `password_easy`.
    """
    plain = _plain(password)
    if len(plain) < LEAST_PASSWORD:
        raise AccessRefused(
            "password_short", f"The password has {len(plain)} characters; it needs {LEAST_PASSWORD} or more."
        )
    if len(plain) > MOST_PASSWORD:
        raise AccessRefused(
            "password_long", f"The password has {len(plain)} characters; {MOST_PASSWORD} are the most."
        )
    if plain.casefold() == login.casefold() or len(set(plain)) == 1:
        raise AccessRefused(
            "password_easy", "The password is the login or one character. Choose another one."
        )


def plain_login(login: str) -> str:
    """A login in the one form that it is kept in: full-width letters are narrow ones."""
    return unicodedata.normalize("NFKC", login).strip()[: MOST_LOGIN + 1]


def checked_login(login: str) -> str:
    """A login as it is kept.

    Raises:
        AccessRefused: `login_rule`.
    """
    plain = plain_login(login)
    if not LEAST_LOGIN <= len(plain) <= MOST_LOGIN or not plain.isprintable() or " " in plain:
        raise AccessRefused(
            "login_rule",
            f"The login {plain!r} must have {LEAST_LOGIN} to {MOST_LOGIN} characters, no blanks.",
        )
    return plain


def checked_name(name: str) -> str:
    """A name as customers may see it.

    Raises:
        AccessRefused: `name_rule`.
    """
    plain = " ".join(unicodedata.normalize("NFC", name).split())
    if not 0 < len(plain) <= MOST_NAME or not plain.isprintable():
        raise AccessRefused(
            "name_rule", f"The name {plain[:MOST_NAME]!r} must have 1 to {MOST_NAME} characters."
        )
    return plain


def _plain(password: str) -> str:
    """One form for what different keyboards and input methods send as the same characters."""
    return unicodedata.normalize("NFKC", password)
