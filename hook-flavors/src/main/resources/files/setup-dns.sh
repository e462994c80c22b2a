#!/bin/sh
# setup-dns [-d "SEARCH …"] [-n "SERVER …"] [SERVER …]: writes ${ROOT}resolv.conf. It is written in place, since containers have it bound.
search=
servers=
while getopts d:n: option; do
    case $option in
        d) search=$OPTARG ;;
        n) servers=$OPTARG ;;
        *) echo "usage: setup-dns [-d \"SEARCH ...\"] [-n \"SERVER ...\"] [SERVER ...]" >&2; exit 2 ;;
    esac
done
shift $((OPTIND - 1))

conf=${ROOT:-/etc/}resolv.conf
mkdir -p "${conf%/*}"
{
    [ -z "$search" ] || echo "search $search"
    for server in $servers "$@"; do echo "nameserver $server"; done
} >"$conf"
