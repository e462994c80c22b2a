#!/bin/sh
echo "hook: power button pressed" >/dev/console
exec poweroff
