# Whom a folder belongs to. $1: the folder.
LC_ALL=C; export LC_ALL
cd -P -- "$1" || exit 10
exec stat -c %U .
