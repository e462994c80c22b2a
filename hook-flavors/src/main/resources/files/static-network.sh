#!/bin/sh
# ipam=MAC:VLAN:IP:NETMASK:GATEWAY:HOSTNAME:DNS,…:SEARCH,…:NTP,… on the kernel's command line: a fixed configuration, and then no DHCP. The
# MAC has hyphens; MAC, IP, NETMASK and DNS have to be there. That /run/network/interfaces exists tells the others that it was done.
# shellcheck source=network.sh
. /etc/ip/network.sh

ipam=$(parameter ipam) || exit 0
exec 3>&1 >>/var/log/network_config.log 2>&1
fail() {
    echo "static network: $*" | tee /dev/fd/3
    exit 1
}

IFS=: read -r mac vlan_id ip netmask gateway hostname dns search ntp <<EOF
$ipam
EOF
for field in mac ip netmask dns; do
    eval "value=\$$field"
    [ -n "$value" ] || fail "ipam= lacks $field: $ipam"
done

name=$(card "$mac") || fail "no card has the address $mac"
if [ -n "$vlan_id" ]; then
    name=$(vlan "$name" "$vlan_id") || fail "cannot make VLAN $vlan_id, see /var/log/network_config.log"
fi
prefix=$(ipcalc -p "$ip" "$netmask") || fail "not a netmask: $netmask"
ip link set dev "$name" up || fail "cannot set $name up, see /var/log/network_config.log"
ip address add "$ip/${prefix#PREFIX=}" broadcast + dev "$name" || fail "cannot give $ip/$netmask to $name, see /var/log/network_config.log"
if [ -n "$gateway" ]; then
    ip route add default via "$gateway" dev "$name" || fail "cannot route by $gateway, see /var/log/network_config.log"
fi
[ -z "$hostname" ] || hostname "$hostname"

mkdir -p /run/network/ntp.d
[ -z "$ntp" ] || echo "$ntp" | tr , '\n' >/run/network/ntp.d/ipam
# shellcheck disable=SC2046 # one argument a server
ROOT=/run/resolvconf/ setup-dns -d "$(echo "$search" | tr , ' ')" $(echo "$dns" | tr , ' ')
{
    echo "auto $name"
    echo "iface $name inet static"
    echo "    address $ip"
    echo "    netmask $netmask"
    [ -z "$gateway" ] || echo "    gateway $gateway"
} >/run/network/interfaces
echo "static network: $name has $ip/${prefix#PREFIX=}${gateway:+, gateway $gateway}" | tee /dev/fd/3
