#!/bin/sh
# vlan_id=ID hw_addr=MAC on the kernel's command line: makes the VLAN on the card with that address. The end of it is in /var/log/vlan.log.
# shellcheck source=network.sh
. /etc/ip/network.sh

id=$(parameter vlan_id) || exit 0
exec 3>&1 >>/var/log/vlan.log 2>&1
fail() {
    echo "vlan: $*" | tee /dev/fd/3
    exit 1
}

mac=$(parameter hw_addr) || fail "vlan_id=$id is on the command line, hw_addr=MAC is not: there is no telling on which card"
name=$(card "$mac") || fail "no card has the address $mac"
made=$(vlan "$name" "$id") || fail "cannot make VLAN $id on $name, see /var/log/vlan.log"
echo "vlan: $made" | tee /dev/fd/3
