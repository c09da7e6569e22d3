# debian.sh - a fresh Debian in a folder, made by debootstrap out of Debian's own packages, and programs run in it.
# Mounts, processes and, where wanted, the network belong to namespaces that end with the command: nothing is left behind.
# shellcheck shell=sh disable=SC2016,SC2034

release=${DIGEST_RELEASE:-bookworm}
mirror=${DIGEST_MIRROR:-http://deb.debian.org/debian}
base=$ROOT/build/debootstrap/$release.tar

need_root() {
	[ "$(id -u)" -eq 0 ] || skip_all 'debootstrap wants root'
	for tool in debootstrap unshare ip; do
		command -v "$tool" >/dev/null || skip_all "$tool is missing"
	done
	unshare --mount --pid --net --fork true 2>/dev/null || skip_all 'no namespaces here'
}

# make_root FOLDER: a minimal system; the first one is kept packed under build.
make_root() {
	if [ ! -s "$base" ]; then
		mkdir -p "${base%/*}"
		rm -rf "$1.new"
		debootstrap --variant=minbase "$release" "$1.new" "$mirror" >"$T/debootstrap.log" 2>&1 || { tail -n 5 "$T/debootstrap.log"; return 1; }
		tar -C "$1.new" -cf "$base.new" . && mv "$base.new" "$base"
		rm -rf "$1.new"
	fi
	mkdir -p "$1" && tar -C "$1" -xf "$base" || return 1
	cp /etc/resolv.conf "$1/etc/resolv.conf"
	printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d" # packages start nothing
	chmod 755 "$1/usr/sbin/policy-rc.d"
}

# enter FOLDER [--net] COMMAND...: with --net the network is its own, loopback alone.
enter() {
	where=$1
	shift
	own=
	if [ "$1" = --net ]; then
		own=--net
		shift
	fi
	unshare --mount --pid --fork $own sh -c '
		where=$1 own=$2
		shift 2
		mount --make-rprivate / && mount -t proc proc "$where/proc" && mount --rbind /dev "$where/dev" || exit 1
		[ -z "$own" ] || ip link set lo up
		exec chroot "$where" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
		    DEBIAN_FRONTEND=noninteractive "$@"' enter "$where" "$own" "$@" </dev/null
}

# The papers of the fixtures, listed yesterday: older ones are mailed to nobody.
fresh_papers() {
	yesterday=$(date -u -d yesterday +%Y-%m-%d)
	sed "s/2026-03-0[0-9]/$yesterday/g; s/2026-02-[0-9]*/$yesterday/g" "$FIXTURES/2026-03-02.json"
}
