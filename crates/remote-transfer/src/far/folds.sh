# Whether names that differ in case, or in how a letter is composed, are one name here. $1: the tree, $2: its identity.
LC_ALL=C; export LC_ALL; umask 077
cd -P -- "$1" && [ "$(stat -c '%d:%i' .)" = "$2" ] && cd .. || exit 13
mkdir -p probe && : > probe/a && : > "probe/$(printf '\303\251')" || exit 1
if [ -e probe/A ] || [ -e "probe/$(printf 'e\314\201')" ]; then printf 'folds\n'; fi
rm -rf probe
