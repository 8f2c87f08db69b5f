# Unpacks the stream on standard input into a new tree, and may give it to its user and make it durable; comes after
# `enter.sh` or `begin.sh` and `folds.sh`, and before `tell.sh`. $1: what that reads, $2: `gzip` if the stream is
# compressed, $3: something if it has to be tried how names are told apart, $4: something if it is given away and durable
# afterwards, $5: the user, or nothing for whoever it belongs to.
if [ -n "$3" ]; then
    folds
    case $? in 0) exit 14 ;; 1) ;; *) exit 1 ;; esac
fi
unpack() { tar --extract --file=- --preserve-permissions --no-same-owner --delay-directory-restore --warning=no-timestamp; }
if [ "$2" = gzip ]; then gzip -dc | unpack; else unpack; fi || exit
if [ -n "$4" ]; then
    [ -z "$5" ] || chown -hR -- "$5:" . || exit
    sync -f . || exit
fi
