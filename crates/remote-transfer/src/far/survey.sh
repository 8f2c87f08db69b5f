# Every entry of a folder as it is, whatever it is; comes after the folder's identity. Before each: whether it may be
# read. $1: the folder.
LC_ALL=C; export LC_ALL
[ ! -L "$1" ] && cd -P -- "$1" || exit 10
printf '%s\0' "$(stat -c '%d:%i' .)"
find . '(' -type l -o -type d -readable -executable -o ! -type d -readable ')' -printf 'r %y %m %s %T@ %C@ %n %D:%i\0%P\0%l\0' \
    -o -printf 'x %y %m %s %T@ %C@ %n %D:%i\0%P\0%l\0' -prune
