#!/bin/sh
# The engine's /var/lib/docker is /run/images (the template binds it). It has to be writable, and what the image brought lies in /etc,
# since /run and /var begin empty. A bind mount gives both, without a copy.
mkdir -p /run/images && mount -o bind,rw /etc/embedded-images /run/images && mount -o remount,bind,rw /run/images
