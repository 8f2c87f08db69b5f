# Removes a staging folder for good; comes after `base.sh`. $1: the base, $2: its name, $3: the run that it must be of,
# $4: its identity. Its label goes last: nobody could tell any more whose the rest is.
inside "$2" && [ "$(stat -c '%d:%i' .)" = "$4" ] || exit 13
run=; if [ -f run ] && [ ! -L run ]; then run=$(head -c 100 run); fi
[ "$run" = "$3" ] || exit 13
[ "$(id -u)" = 0 ] || chmod -R u+rwX . || exit 1
find . -mindepth 1 -maxdepth 1 ! -name run -exec rm -rf -- {} + && rm -rf run || exit 1
cd .. && [ "$(stat -c '%d:%i' .)" = "$base" ] && rmdir -- "$2" && sync .
