#!/bin/sh
# dhcp.sh true: once, at boot - until the machine can reach something, 30 s at most; then the clock. dhcp.sh false: for as long as it is up.
# interface=NAME on the kernel's command line takes that card alone; with vlan_id= only VLANs are asked.

if [ -f /run/network/interfaces ]; then
    echo "the network was configured by ipam=, no DHCP"
    [ "$1" = true ] || exit 0
else
    cards="e*"
    read -r line </proc/cmdline
    set -f
    for word in $line; do
        case $word in
            interface=?*) only=${word#*=} ;;
            vlan_id=?*) cards="e*.*" ;;
        esac
    done
    set +f
    # With both, the VLAN counts: it is what vlan.sh made.
    [ "$cards" = "e*.*" ] || cards=${only:-$cards}

    volume=--quiet
    [ ! -e /run/hook/debug ] || volume=--debug

    if [ "$1" != true ]; then
        exec dhcpcd --nobackground $volume -f /dhcpcd.conf --allowinterfaces "$cards"
    fi

    # Seconds since power-on. The clock cannot tell how long something took, since it may be set meanwhile, nor can the number of turns: on a
    # slow machine each takes far longer than what it sleeps.
    uptime() {
        read -r up _ </proc/uptime
        echo "${up%.*}"
    }

    # Whether there is an address with which something can be reached. A BMC's USB card has an answer at once, a link-local address without a
    # route: that is none. A network without a router is one, but the cards that are slower get two seconds more.
    reaches() {
        [ -z "$(ip route show default 2>/dev/null)" ] || return 0
        ip -4 address show scope global | grep 'inet ' | grep -qv 'inet 169\.254\.' || return 1
        local_since=${local_since:-$(uptime)}
        [ $(($(uptime) - local_since)) -ge 2 ]
    }

    dhcpcd --nobackground $volume -f /dhcpcd.conf --allowinterfaces "$cards" &
    local_since=
    began=$(uptime)
    until reaches || [ $(($(uptime) - began)) -ge 30 ]; do
        sleep 0.1
    done
    # The service takes over; "persistent" in dhcpcd.conf leaves the addresses.
    kill $! 2>/dev/null
    wait
    ip -4 -o address show scope global | sed 's/^[0-9]*: *\([^ ]*\) *inet \([^ ]*\) .*/\1 has \2/'
fi

# Certificates are checked against the clock. One that the machine's own clock does not vouch for is worth waiting for; else the time
# servers of this network, which answer at once, are asked, and the ntpd service does the rest.
if [ "$(cat /run/hook/clock 2>/dev/null)" = build ]; then
    hook-clock 15
elif [ -n "$(cat /run/network/ntp.d/* 2>/dev/null)" ]; then
    hook-clock 3
fi
exit 0
