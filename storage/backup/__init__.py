"""Backups of the data folder: taken while everything runs, thinned out, verified and restored.

    DIR/  safelight-backup.json  whose backups these are
          snapshots/<time>.json  a manifest: each file's path, digest and size
          objects/ab/<sha256>    the content of files; snapshots share them

A snapshot has the database and what its rows name. It has no secrets: the token is not in the
data folder, and the key that signs links is left out, so a restored folder makes a new one.
Nothing here is asynchronous: backups run in a process of their own.
"""
