# The names in a base. $1: the base.
LC_ALL=C; export LC_ALL
cd -P -- "$1" || exit 10
exec find . -mindepth 1 -maxdepth 1 -printf '%f\0'
