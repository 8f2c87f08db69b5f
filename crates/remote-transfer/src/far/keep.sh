# Moves whatever stands in the place of a tree to where it is kept; comes after `base.sh`. $1: the base, $2: the name of the
# tree, $3: the folder that takes it, $4: its name there. Killed anywhere, it is run again.
if is_there "$2"; then
    [ -d "$3" ] || mkdir -- "$3" || exit 1
    # Whoever is not root may move only a folder that he may write to.
    if [ -d "$2" ] && [ ! -L "$2" ] && [ ! -w "$2" ]; then chmod u+w -- "$2" || exit 1; fi
    (inside "$3" && ! is_there "$4" && mv -nT -- "../$2" "$4") && ! is_there "$2" || exit 1
fi
if [ -d "$3" ]; then sync -- . "$3"; else sync .; fi
