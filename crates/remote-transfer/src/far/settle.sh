# Gives everything to a user, makes it durable, and lists it as it is then. $1: the tree, $2: its identity, $3: the user,
# or nothing for whoever it belongs to.
LC_ALL=C; export LC_ALL
cd -P -- "$1" || exit 10
[ "$(stat -c '%d:%i' .)" = "$2" ] || exit 13
if [ -n "$3" ]; then chown -hR -- "$3:" . || exit 1; fi
sync -f . || exit 1
find . -printf '%y %m %s %T@ %n %D:%i\0%P\0%l\0' -type d '(' ! -readable -o ! -executable ')' -prune
