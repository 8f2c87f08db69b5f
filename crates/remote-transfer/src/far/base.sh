# How a script begins that works in a base that somebody else may write to. $1: the base.
LC_ALL=C; export LC_ALL; umask 077
cd -P -- "$1" || exit 10
base=$(stat -c '%d:%i' .)
# A name may be a link by now: each folder is entered, and asked where it is.
inside() { cd -P -- "$1" && [ "$(stat -c '%d:%i' ..)" = "$base" ]; }
# Makes a folder anew, with a label in it: what an attempt has left under that name, or somebody else has put there, goes.
label() { rm -rf -- "$1" && mkdir -- "$1" && (inside "$1" && printf '%s' "$2" > run && sync run); }
