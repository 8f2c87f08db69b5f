# The names of the containers that run here. Without program and socket there is no engine, and so no container.
LC_ALL=C; export LC_ALL
command -v docker >/dev/null 2>&1 || [ -S /var/run/docker.sock ] || exit 0
exec timeout 20 docker ps --no-trunc --format '{{.Names}}'
