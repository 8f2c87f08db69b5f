# Unpacks the stream on standard input. $1: the tree, $2: its identity, $3: `gzip` if the stream is compressed.
LC_ALL=C; export LC_ALL; umask 077
cd -P -- "$1" || exit 10
[ "$(stat -c '%d:%i' .)" = "$2" ] || exit 13
set -- "$3" --extract --file=- --preserve-permissions --no-same-owner --delay-directory-restore --warning=no-timestamp
if [ "$1" != gzip ]; then shift; exec tar "$@"; fi
shift
gzip -dc | tar "$@"
