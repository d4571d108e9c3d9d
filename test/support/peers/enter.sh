#!/bin/sh
# enter.sh SERVICES FOLDER COMMAND…: runs a command in a network and a mount namespace of its own, where loopback is all
# there is, the unpacked packages stand over /usr and /etc, and DNS is asked of 127.0.0.1. Needs root.
set -eu
if [ "${PEERS_INSIDE:-}" = "" ]; then
  PEERS_INSIDE=1 exec unshare --net --mount -- "$0" "$@"
fi
services=$1 folder=$2
shift 2
ip link set lo up
mkdir -p "$folder/etc"
without() { grep -v -E '^(Debian-exim|postfix|postdrop):' "$1"; }
{
  without /etc/passwd
  echo "Debian-exim:x:64001:64001::/nonexistent:/usr/sbin/nologin"
  echo "postfix:x:64002:64002::/nonexistent:/usr/sbin/nologin"
} >"$folder/etc/passwd"
{
  without /etc/group
  echo "Debian-exim:x:64001:"
  echo "postfix:x:64002:"
  echo "postdrop:x:64003:"
} >"$folder/etc/group"
echo "nameserver 127.0.0.1" >"$folder/etc/resolv.conf"
printf '127.0.0.1 localhost\n' >"$folder/etc/hosts"
mount -t overlay usr -o "lowerdir=$services/root/usr:/usr" /usr
mount -t overlay etc -o "lowerdir=$folder/etc:$services/root/etc:/etc" /etc
exec "$@"
