# How a script begins that works in a tree. $1: the tree, $2: its identity.
LC_ALL=C; export LC_ALL; umask 077
cd -P -- "$1" || exit 10
[ "$(stat -c '%d:%i' .)" = "$2" ] || exit 13
shift 2
