#!/bin/sh
# Starts a service with the Redis address that deploy/init made for it: it holds a password, so it is a file and not a line in docker-compose.yml.
set -eu
GARITA_REDIS_URL=$(cat "$GARITA_SECRETS_DIR/redis_url")
export GARITA_REDIS_URL
exec python -P -m "$@"
