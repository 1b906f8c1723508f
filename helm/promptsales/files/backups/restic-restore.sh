#!/bin/sh
# The store's latest dump, checked and decrypted.
set -eu
restic restore latest --host promptsales --tag "$STORE" --verify --target /
