# Sends a tree, and after it how that ended and what was complained of; comes after `enter.sh`. Times are whole seconds in
# this format: the listing tells the rest. The other one, which has them, describes holes in a way that few understand.
exec 3>&1
said=$({
    find . -xdev '(' -type d -o -type f -o -type l ')' -print0 |
        tar --create --file=- --format=gnu --sparse --null --no-recursion --verbatim-files-from --files-from=- >&3 3>&-
} 2>&1)
status=$?
printf '%s\n%s' "$status" "$said"
