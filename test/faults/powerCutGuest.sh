#!/bin/bash
# The first process of a machine that lives until its power is cut. Its root is that of the machine that it runs on; its disk is its own.
# From the kernel's command line: guest_tools, guest_fsck, guest_node, guest_program, guest_config, guest_task (run or check).
exec >/dev/console 2>&1 </dev/null
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmpfs /run
hostname powercut
for module in nls_cp437 nls_ascii nls_iso8859-1 nls_utf8 fat vfat; do
  "$guest_tools/bin/busybox" insmod "$(find "$guest_tools/usr/lib/uml" -name "$module.ko")"
done
mkdir /run/disk
if [ "$guest_fsck" = yes ]; then "$guest_tools/sbin/fsck.fat" -a /dev/ubda; fi
mount -t vfat -o utf8,fmask=0022,dmask=0022,errors=remount-ro /dev/ubda /run/disk || echo '@@ not mounted'
mkdir -p /run/disk/share
phorest() { "$guest_node" "$guest_program" --config "$guest_config" "$@"; }
if [ "$guest_task" = run ]; then
  phorest run --log-format json
else
  find /run/disk -type f -name 'image_*' -printf '@@ image %s %f\n'
  phorest verify --deep
  echo "@@ before $?"
  timeout -k 60 -s TERM 15 "$guest_node" "$guest_program" --config "$guest_config" run >/run/again.log 2>&1
  echo "@@ again $?"
  tail -3 /run/again.log
  phorest verify --deep
  echo "@@ after $?"
  umount /run/disk
  dmesg | grep -E 'FAT-fs .*(error|read-only)' | sed 's/^/@@ driver /'
fi
echo '@@ end'
echo o >/proc/sysrq-trigger
sleep 60
