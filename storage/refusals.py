"""Why a process cannot start: the sentence of each such error, and the exit code.

They stand here, not in `bot/wording`, because the scheduler prints them, too.
"""

from __future__ import annotations

from storage.errors import SafelightError

CRASHED = 1  #: or refused for now: `safelight run` starts the process again
WRONG_SETTING = 2  #: or wrong arguments: starting again would not help
HOME_TAKEN = 3  #: another process works on the data folder
DATABASE_UNUSABLE = 4  #: somebody has to look at it

REFUSALS = {
    "database_damaged": "The database {path} is damaged ({reason}). Restore a backup, or move the whole folder {folder} away to start afresh.",
    "database_empty": "The database {path} is empty, but {folder} holds photos, styles or jobs. Restore a backup, or move the whole folder away to start afresh.",
    "database_newer": "The data folder was written by a newer version (database version {version}; this one knows {newest}). Update Safelight, or point SAFELIGHT_HOME at another folder.",
    "head_away": "Nothing answers at {address}. Start safelight run on the main machine first, with SAFELIGHT_HEAD={address}.",
    "head_foreign": "SAFELIGHT_HEAD is {address}, which is no address of this machine. Set it to its own address and a free port.",
    "head_unknown": "“{address}” is not an address such as 192.168.1.2:6379. On the main machine, set SAFELIGHT_HEAD to its own address and a free port.",
    "head_unset": "SAFELIGHT_HEAD is not set, so no machine can have joined this one. This command runs on the main machine, in whose .env it stands: docs/machines.md.",
    "home_closed": "The data folder {folder} can't be used ({reason}). Check that its disk is mounted and writable, or point SAFELIGHT_HOME at another folder.",
    "home_missing": "There is no folder {folder}, so the data folder {path} can't be there. Mount its disk, or point SAFELIGHT_HOME at another folder.",
    "home_taken": "Another {program} (process {process}) already works on {folder}. End it first, or point SAFELIGHT_HOME at another folder.",
    "home_vanished": "There is no database in {folder}, but {backups} has backups of one. Mount the disk of the data folder, bring it back with safelight restore {backups}, or set SAFELIGHT_BACKUP to another folder to start afresh.",
    "node_lost": "{node} can't do that now: {reason}.",
    "node_named": "Another machine is called “{wrong}” already. Give this one its own name in its .env: SAFELIGHT_BOX.",
    "node_none": "No safelight node join runs on {folder}, so there is nothing to leave.",
    "node_token": "The main machine has another token. Copy its file again, to {path} here.",
    "node_unknown": "No machine called “{node}” has joined. Here now: {joined}.",
    "node_versions": "The versions here and on the main machine differ: {wrong}. docs/machines.md says how to install the same ones.",
    "ray_missing": "Ray is not installed. Install it on every machine: python3 run.py --extra ray safelight --help, or pip install 'safelight[ray]'.",
    "ray_mode_wrong": "RAY_AUTH_MODE is “{mode}”. Safelight starts Ray with RAY_AUTH_MODE=token only.",
    "ray_token_missing": "There is no token in {path}. On the main machine, safelight node token makes one; on all others, copy its file there.",
    "ray_token_open": "Others on this machine can read the token. Run chmod 600 {path}.",
    "run_gone": "The safelight run that started this process is gone.",
    "setting_wrong": "The setting {name} is wrong: {problem}. An example that works: {example}",
}
#: said by a process; a member and a command are told otherwise
DISK_FULL = "The disk of the data folder is full. Free some space: safelight run starts it again."
EXIT_CODES = {
    "command_unknown": WRONG_SETTING,
    "database_damaged": DATABASE_UNUSABLE,
    "database_empty": DATABASE_UNUSABLE,
    "database_newer": DATABASE_UNUSABLE,
    "flag_unknown": WRONG_SETTING,
    "head_unknown": WRONG_SETTING,
    "home_taken": HOME_TAKEN,
    "intent_refused": WRONG_SETTING,
    "keep_bad": WRONG_SETTING,
    "head_unset": WRONG_SETTING,
    "node_named": WRONG_SETTING,
    "node_token": WRONG_SETTING,
    "node_versions": WRONG_SETTING,
    "port_refused": WRONG_SETTING,
    "ray_missing": WRONG_SETTING,
    "ray_mode_wrong": WRONG_SETTING,
    "ray_token_missing": WRONG_SETTING,
    "ray_token_open": WRONG_SETTING,
    "setting_wrong": WRONG_SETTING,
    "token_missing": WRONG_SETTING,
    "token_refused": WRONG_SETTING,
    "when_bad": WRONG_SETTING,
}


def explain_refusal(error: SafelightError) -> str:
    """Return the sentence of an error that keeps a process from starting; else code and facts."""
    template = (REFUSALS | {"disk_full": DISK_FULL}).get(error.code)
    return str(error) if template is None else template.format_map(error.facts)


def exit_code(error: SafelightError) -> int:
    """Return the exit code of a process that an error kept from starting."""
    return EXIT_CODES.get(error.code, CRASHED)
