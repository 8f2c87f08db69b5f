# How a script begins that works in a base that somebody else may write to. $1: the base.
LC_ALL=C; export LC_ALL; umask 077
cd -P -- "$1" || exit 10
base=$(stat -c '%d:%i' .)
# Whether a folder is the base. It is held open, so that the shell itself can tell; where it cannot, `stat` is asked.
exec 9< .
is_base() { [ "$1" -ef /proc/self/fd/9 ] || [ "$(stat -c '%d:%i' "$1")" = "$base" ]; }
# A name may be a link by now: each folder is entered, and asked where it is.
inside() { cd -P -- "$1" && is_base ..; }
is_there() { [ -e "$1" ] || [ -L "$1" ]; }
# Removes what may be there.
gone() { ! is_there "$1" || rm -rf -- "$1"; }
# Makes a folder anew, with a label in it: what an attempt has left under that name, or somebody else has put there, goes.
label() { gone "$1" && mkdir -- "$1" && (inside "$1" && printf '%s' "$2" > run && sync run .); }
