#!/bin/bash
# Installs the packages of a folder on a clean Debian and lets them do what they are for. As root:
#   packaging/try.sh [dist/packages] [ROOT]
# ROOT is a folder that does not exist yet; a Debian is put there and stays. Needs debootstrap and systemd-nspawn (systemd-container).
# Ends with 0 where everything held; what it saw stands in ROOT/root/try.
set -euo pipefail
packages=$(realpath "${1:-dist/packages}")
root=$(realpath -m "${2:-/var/tmp/orrery-try}")
suite=${ORRERY_TRY_SUITE:-bookworm}
[ ! -e "$root" ] || { echo "$root is there already; name another folder, or remove it" >&2; exit 2; }

echo "── sums"
(cd "$packages" && sha256sum --check --strict --quiet SHA256SUMS)

echo "── a clean $suite in $root"
debootstrap --variant=minbase "$suite" "$root" "${ORRERY_TRY_MIRROR:-http://deb.debian.org/debian}" >/dev/null
mkdir -p "$root/root/try"
cp "$packages"/*.deb "$packages"/orrery-[0-9]*.tar.gz "$root/root/try/"

echo "── installing, with what the packages depend on and nothing else"
cat >"$root/root/try/install.sh" <<'IN'
set -e
cd /root/try
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends systemd-sysv ./orrery_*.deb ./orrery-viewer_*.deb
dpkg --verify orrery orrery-viewer
test "$(systemctl is-enabled orrery)" = disabled
orrery check /usr/share/orrery/demo
orrery-viewer --version
# Without a display it says so, and what to do instead; with a library too few it would not start.
if orrery-viewer /usr/share/orrery-viewer/demo 2>viewer.txt; then exit 1; fi
grep -q "orrery serve --open" viewer.txt
# An archive needs no installation.
tar -xf orrery-*.tar.gz -C /opt
/opt/orrery-*/bin/orrery check /opt/orrery-*/share/orrery/demo
systemctl enable orrery
IN
chroot "$root" sh /root/try/install.sh >"$root/root/try/install.txt" 2>&1 || { tail -20 "$root/root/try/install.txt"; exit 1; }

echo "── booting it; the service serves the demo plant"
cat >"$root/root/try/boot.sh" <<'IN'
#!/bin/bash
cd /root/try
exec >boot.txt 2>&1
trap 'systemctl --no-block poweroff' EXIT
set -ex
get() { # PORT PATH
    exec 3<>"/dev/tcp/127.0.0.1/$1"
    printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n' "$2" "$1" >&3
    cat <&3
    exec 3>&-
}
ready() { # PORT
    for _ in $(seq 600); do
        if get "$1" /readyz 2>/dev/null | grep -q '"ready":true'; then return 0; fi
        sleep 1
    done
    return 1
}
ready 7077
get 7077 / | grep '<title>Orrery</title>'
# Every file that the page names is there.
for file in $(get 7077 / | grep -oE '"[A-Za-z0-9_.-]+\.(js|wasm|css|svg)"' | tr -d '"' | sort -u); do
    get 7077 "/$file" | head -n 1 | grep -a '200 OK'
done
test "$(stat -c %U "/proc/$(systemctl show orrery -P MainPID)")" = orrery
test -s /var/lib/orrery/demo/history.sqlite3
test "$(stat -c %U:%a /var/lib/orrery)" = orrery:750
systemd-analyze security --no-pager orrery | tail -n 1
systemctl status --no-pager orrery
# It comes back by itself.
pid() { systemctl show orrery -P MainPID; }
first=$(pid)
systemctl kill --signal=KILL orrery
sleep 15
ready 7077
second=$(pid)
test "$first" != "$second"
# An upgrade goes on with the new program and leaves alone what people wrote; tokens are asked for as /etc/default/orrery says.
orrery access new /etc/orrery/access.toml --role view >token
chgrp orrery /etc/orrery/access.toml
chmod 640 /etc/orrery/access.toml
sed -i 's|^ORRERY_OPTIONS=.*|ORRERY_OPTIONS="--listen 127.0.0.1:7077 --access /etc/orrery/access.toml"|' /etc/default/orrery
dpkg --install orrery_*.deb
grep -q access.toml /etc/default/orrery
ready 7077
test "$second" != "$(pid)"
get 7077 /api/site | head -n 1 | grep '401'
test -e /var/lib/orrery/demo/audit.jsonl
rm /etc/orrery/access.toml
# A stop is a clean one.
systemctl stop orrery
systemctl show orrery -p Result -p ExecMainStatus | tr '\n' ' ' | grep 'Result=success ExecMainStatus=0'
# The archive's program finds its own page.
/opt/orrery-*/bin/orrery serve /opt/orrery-*/share/orrery/demo --listen 127.0.0.1:7177 &
ready 7177
get 7177 / | grep '<title>Orrery</title>'
kill %1
wait %1
echo held
IN
chmod +x "$root/root/try/boot.sh"
cat >"$root/etc/systemd/system/try.service" <<'IN'
[Service]
Type=oneshot
ExecStart=/root/try/boot.sh
TimeoutStartSec=infinity
IN
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -s ../try.service "$root/etc/systemd/system/multi-user.target.wants/try.service"
systemd-nspawn --register=no --keep-unit -D "$root" --boot >"$root/root/try/nspawn.txt" 2>&1 || true
grep -qx held "$root/root/try/boot.txt" || { tail -20 "$root/root/try/boot.txt"; exit 1; }

echo "── removing it; history stays"
cat >"$root/root/try/remove.sh" <<'IN'
set -ex
export DEBIAN_FRONTEND=noninteractive
dpkg --remove orrery orrery-viewer
test -e /etc/default/orrery
dpkg --purge orrery orrery-viewer
test ! -e /etc/default/orrery && test ! -e /etc/orrery && test ! -e /usr/share/orrery && test ! -e /usr/share/orrery-viewer
test ! -L /etc/systemd/system/multi-user.target.wants/orrery.service
test -s /var/lib/orrery/demo/history.sqlite3
IN
chroot "$root" sh /root/try/remove.sh >"$root/root/try/remove.txt" 2>&1 || { tail -20 "$root/root/try/remove.txt"; exit 1; }
echo "── everything held; $root can be removed"
