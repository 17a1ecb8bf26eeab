"""The encryption of photos on the disk, on a shell."""

from __future__ import annotations

NEW_KEY = (
    "print a new random key and change nothing; put it in front of those in SAFELIGHT_PHOTO_KEYS"
)
UNDO = "decrypt all photos, before you take the keys out of SAFELIGHT_PHOTO_KEYS"
ENCRYPTED = "Encrypted with the key {key}: {files}. All photos are under this key."
DECRYPTED = "Decrypted: {files}. You can take the keys out of SAFELIGHT_PHOTO_KEYS and restart."
OTHERS_UNUSED = "Other keys in SAFELIGHT_PHOTO_KEYS are no longer needed here. Keep them for backups that were made before."
