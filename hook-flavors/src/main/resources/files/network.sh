# shellcheck shell=sh
# Sourced by vlan.sh and static-network.sh.

# Prints the value of a parameter of the kernel's command line; fails where it is not there or empty.
parameter() {
    read -r line </proc/cmdline
    set -f
    for word in $line; do
        case $word in "$1"=?*) echo "${word#*=}"; return 0 ;; esac
    done
    return 1
}

# Prints the name of the card that has a MAC address, in either notation and case; waits 10 s for it to appear, as cards do.
card() {
    mac=$(echo "$1" | tr 'A-F-' 'a-f:')
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        for address in /sys/class/net/*/address; do
            # A VLAN has its card's address.
            if [ "$(cat "$address" 2>/dev/null)" = "$mac" ] && [ -e "${address%/address}/device" ]; then
                basename "${address%/address}"
                return 0
            fi
        done
        sleep 0.5
    done
    return 1
}

# Makes a VLAN on a card, if it is not there, and prints its name.
vlan() {
    ip link set dev "$1" up
    [ -e "/sys/class/net/$1.$2" ] || ip link add link "$1" name "$1.$2" type vlan id "$2" || return 1
    ip link set dev "$1.$2" up && echo "$1.$2"
}
