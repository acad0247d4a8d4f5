"""How WeChat and WeCom sign and encrypt what they send.

Signature: SHA-1 of the sorted parts. Encryption: AES-256-CBC under the 32 bytes of EncodingAESKey, its first 16 as the
initial vector, PKCS#7 to blocks of 32; inside, 16 random bytes, the length of the text in 4 bytes (big-endian), the text,
and the receiver's id. https://developer.work.weixin.qq.com/document/path/90968
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import struct

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from bot.errors import ChannelRefused, SettingsError

_BLOCK = 32
_RANDOM = 16


def is_signed(signature: str, *parts: str) -> bool:
    """Whether the signature fits the parts, of which the token is one."""
    return hmac.compare_digest(sign(*parts).encode(), signature.encode())


def sign(*parts: str) -> str:
    """The signature of the parts, in hexadecimal."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


class WeChatCrypto:
    """Encrypts and decrypts for one receiver: an AppID of WeChat, a CorpID of WeCom."""

    def __init__(self, aes_key: str, receiver: str) -> None:
        """Take the 43 characters of EncodingAESKey.

        Raises:
            SettingsError: they are no key.
        """
        try:
            self._key = base64.b64decode(f"{aes_key}=")
        except ValueError as error:
            raise SettingsError(
                "An aes_key is not an EncodingAESKey: it has 43 letters and digits."
            ) from error
        if len(self._key) != _BLOCK:
            raise SettingsError(f"An aes_key has {len(aes_key)} characters; an EncodingAESKey has 43.")
        self._receiver = receiver.encode()

    def encrypt(self, text: str, *, random: bytes | None = None) -> str:
        """`text` encrypted, in Base64. `random` (16 bytes) is chosen anew each time unless given."""
        content = text.encode()
        plain = (random or secrets.token_hex(8).encode()) + struct.pack("!I", len(content)) + content
        plain += self._receiver
        missing = _BLOCK - len(plain) % _BLOCK
        encryptor = self._cipher().encryptor()
        return base64.b64encode(
            encryptor.update(plain + bytes([missing]) * missing) + encryptor.finalize()
        ).decode()

    def decrypt(self, encrypted: str) -> str:
        """What was encrypted for this receiver.

        Raises:
            ChannelRefused: it was not.
        """
        try:
            decryptor = self._cipher().decryptor()
            plain = decryptor.update(base64.b64decode(encrypted, validate=True)) + decryptor.finalize()
            plain = plain[: -plain[-1]]
            (length,) = struct.unpack("!I", plain[_RANDOM : _RANDOM + 4])
            text, receiver = plain[_RANDOM + 4 :][:length], plain[_RANDOM + 4 + length :]
            if receiver != self._receiver:
                raise ChannelRefused("The message was encrypted for another receiver.")
            return text.decode()
        except (ValueError, binascii.Error, struct.error, IndexError) as error:
            raise ChannelRefused("The message cannot be decrypted.") from error

    def _cipher(self) -> Cipher[CBC]:
        return Cipher(AES(self._key), CBC(self._key[:16]))
