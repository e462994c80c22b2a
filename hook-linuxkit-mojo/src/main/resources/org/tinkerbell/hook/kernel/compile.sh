#!/bin/sh
# Compiles a kernel; the same steps in a container and on a machine, so that the same bytes come out.
#
#   compile.sh SOURCE CONFIG RESULT JOBS
#
# SOURCE  the unpacked source; it is compiled in there, so that no path of this machine gets into the kernel
# CONFIG  what make savedefconfig wrote
# RESULT  an empty directory: kernel, modules/, dtbs/ where there are device trees, config, release
# JOBS    how many processes at once
#
# ARCH is the kernel's name of the architecture (x86, arm64), CROSS_COMPILE the prefix of the compiler, where one is needed.
set -eu

source=$1 config=$2 result=$3 jobs=$4

# Whatever a kernel could tell its build by.
unset LOCALVERSION KCONFIG_ALLCONFIG KCONFIG_DEFCONFIG_LIST KBUILD_OUTPUT MAKEFLAGS KCFLAGS KAFLAGS
export LC_ALL=C TZ=UTC SOURCE_DATE_EPOCH=0 KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970' KBUILD_BUILD_VERSION=1
export KBUILD_BUILD_USER=hook KBUILD_BUILD_HOST=tinkerbell LOCALVERSION=
umask 022

cd "$source"
cp "$config" .config
make -s olddefconfig
if [ "$ARCH" = x86 ]; then image=bzImage; else image=Image; fi
targets=$image
if grep -q '^CONFIG_MODULES=y' .config; then targets="$targets modules"; fi
if [ "$ARCH" != x86 ] && grep -q '^CONFIG_OF=y' .config; then targets="$targets dtbs"; fi

echo "hook: compiling $targets"
# shellcheck disable=SC2086 # several words
make -j "$jobs" $targets

echo "hook: installing"
release=$(make -s kernelrelease)
# Not what "make image_name" says: on arm64 that is Image.gz, which firmware and boot loaders do not start.
cp "arch/$ARCH/boot/$image" "$result/kernel"
cp .config "$result/config"
case " $targets " in
*" modules "*)
    # The lists that modprobe wants are made when it is known which modules stay.
    make -s -j "$jobs" INSTALL_MOD_PATH="$result/root" INSTALL_MOD_STRIP=1 DEPMOD=true modules_install
    mv "$result/root/lib/modules/$release" "$result/modules"
    rm -rf "$result/root" "$result/modules/build" "$result/modules/source"
    ;;
*) mkdir "$result/modules" ;;
esac
case " $targets " in
*" dtbs "*) make -s -j "$jobs" INSTALL_DTBS_PATH="$result/dtbs" dtbs_install ;;
esac
# Last, so that whoever finds it has everything.
echo "$release" > "$result/release"
