#!/bin/sh
# Encrypts the dump (AES-256) into the repository, and drops what is older than the retention. Another store's backup may
# hold the repository's lock meanwhile.
set -eu
restic cat config >/dev/null 2>&1 || restic init
restic backup --retry-lock 2h --host promptsales --tag "$STORE" "$SCRATCH"
restic forget --retry-lock 2h --host promptsales --tag "$STORE" --keep-within "${KEEP_DAYS}d" --prune
