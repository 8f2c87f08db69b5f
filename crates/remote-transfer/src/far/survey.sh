# Every entry of a folder as it is, whatever it is; comes after the folder's identity and, as `M`, what is mounted in it.
# Before each: whether it may be read. $1: the folder.
LC_ALL=C; export LC_ALL
[ ! -L "$1" ] && cd -P -- "$1" || exit 10
root=$(stat -c '%d:%i' .)
printf '%s\0' "$root"
# A folder that is mounted a second time has the device of the first: only the table of mounts tells, in which a space is `\040`.
here=$(pwd -P; echo .); here=${here%??}
[ ! -r /proc/self/mountinfo ] || while read -r _ _ _ _ at _; do
    case $at in *\\*) at=$(printf '%b.' "$at"); at=${at%.} ;; esac
    case $at/ in "$here"/*) at=${at#"$here"}; printf 'r M 0 0 0 0 0 1 %s\0%s\0\0' "$root" "${at#/}" ;; esac
done < /proc/self/mountinfo
find . '(' -type l -o -type d -readable -executable -o ! -type d -readable ')' -printf 'r %y %m %s %b %T@ %C@ %n %D:%i\0%P\0%l\0' \
    -o -printf 'x %y %m %s %b %T@ %C@ %n %D:%i\0%P\0%l\0' -prune
