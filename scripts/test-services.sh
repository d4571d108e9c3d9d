#!/usr/bin/env bash
# Brings what tests need and npm does not: Exim, Postfix and others, unpacked side by side into a folder, since their
# packages exclude each other, and the libraries they need installed; a real S3, Ceph's gateway, Redis, ClamAV, rspamd, a browser, Pebble, unbound, Knot, Dovecot, zsh and fish. As root on Debian
# all of it must succeed; elsewhere one line says what is left out.
set -euo pipefail

folder=${POSTHORN_TEST_SERVICES:-/var/cache/posthorn-tests}
peers=(exim4-daemon-light postfix dnsmasq-base pgbouncer)
s3=(ceph-common ceph-mon ceph-osd radosgw)
redis=(redis-server redis-tools)
scanners=(clamav-daemon rspamd)
browser=(chromium)
acme=(pebble)
dns=(unbound ldnsutils knot)
shells=(zsh fish)
imap=(dovecot-imapd)

leave_out() {
  echo "LEFT OUT of the tests: what needs ${peers[*]}, a real S3, Redis, ClamAV, rspamd, a browser, Pebble, unbound, Knot, Dovecot, zsh and fish: $1" >&2
  exit 0
}

distribution=$(. /etc/os-release 2>/dev/null && echo "${ID:-}" || true)
[ "$(id -u)" = 0 ] || leave_out "it needs root"
[ "$distribution" = debian ] || leave_out "it needs Debian"
if [ "$(cat "$folder/complete" 2>/dev/null)" = "${peers[*]}" ] && hash ceph ceph-mon ceph-osd radosgw redis-server redis-cli clamd rspamd chromium pebble unbound ldns-signzone knotd dovecot zsh fish 2>/dev/null; then
  echo "The peers for the tests are in $folder; Ceph, Redis, ClamAV, rspamd, Chromium, Pebble, unbound, Knot, Dovecot, zsh and fish are installed."
  exit 0
fi

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
mapfile -t libraries < <(
  apt-cache depends --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances "${peers[@]}" |
    awk '$1 == "Depends:" && $2 ~ /^lib/ { print $2 }' | sort -u
)
apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends --no-upgrade \
  iproute2 util-linux "${s3[@]}" "${redis[@]}" "${scanners[@]}" "${browser[@]}" "${acme[@]}" "${dns[@]}" "${shells[@]}" "${imap[@]}" "${libraries[@]}" >/dev/null

rm -rf "$folder"
mkdir -p "$folder/packages" "$folder/root"
(cd "$folder/packages" && apt-get -o APT::Sandbox::User=root download -qq "${peers[@]}")
for package in "$folder"/packages/*.deb; do dpkg -x "$package" "$folder/root"; done
rm -r "$folder/packages"
echo "${peers[*]}" >"$folder/complete"
echo "The peers for the tests are in $folder; Ceph, Redis, ClamAV, rspamd, Chromium, Pebble, unbound, Knot, Dovecot, zsh and fish are installed."
