# Whether names that differ in case, or in how a letter is composed, are one name beside a tree: 0 if so, 1 if not; comes
# after `enter.sh` or `begin.sh`.
folds() (
    cd -P .. && mkdir -p probe && : > probe/a && : > "probe/$(printf '\303\251')" || exit 2
    [ -e probe/A ] || [ -e "probe/$(printf 'e\314\201')" ]
    said=$?
    rm -rf probe && exit "$said"
)
