package dev.regen.snapshot.layer;

/**
 * Each kind of thing that a layer can hold, and the commands that make it: in the layer below, then
 * in a container's root above it.
 */
enum LayerKind {
  WHITEOUT("echo a > gone; mkdir d; echo b > d/gone; mkdir -p e/f", "rm gone d/gone; rm -r e"),
  OPAQUE_DIRECTORY("mkdir d; echo a > d/a; mkdir d/s", "rm -r d; mkdir d; echo b > d/b"),
  DIRECTORY_BY_FILE("mkdir -p d/x", "rm -r d; echo file > d"),
  FILE_BY_DIRECTORY("echo file > f", "rm f; mkdir f; echo x > f/x"),
  DIRECTORY_BY_FILE_AND_BACK(
      "mkdir -p d/x; echo old > d/old", "rm -r d; echo f > d; rm d; mkdir d; echo new > d/new"),
  SYMLINK_BY_DIRECTORY("ln -s / l", "rm l; mkdir l; echo x > l/x"),
  FILE_CHANGED("echo old > f; mkdir d; chmod 700 d", "echo new >> f; chmod 755 d; chown 7:8 d"),
  HARD_LINK_INSIDE("", "echo a > a; mkdir d; ln a d/b; ln a c; touch -d 2001-01-01 a d"),
  HARD_LINK_TO_LOWER_FILE("echo a > a", "ln a b; mkdir d; ln b d/c"),
  HARD_LINK_OF_SYMLINK_AND_DEVICE("", "ln -s x s; ln -P s t; mknod n c 1 3; ln n m"),
  SPARSE(
      "",
      "truncate -s 64M s; echo x | dd of=s bs=1 seek=30000000 conv=notrunc status=none;"
          + "truncate -s 300K t; echo y | dd of=t bs=1 seek=150000 conv=notrunc status=none"),
  HOLE_AT_THE_END("", "echo x > f; truncate -s 10M f; echo y > g; truncate -s 20K g"),
  ONLY_A_HOLE("", "truncate -s 300M h"),
  ZEROS_THAT_ARE_NO_HOLE("", "head -c 3000000 /dev/zero > z"),
  XATTR(
      "echo a > a",
      "setfattr -n user.binary -v 0x00ff0a3d00 a; setfattr -n user.empty a; mkdir d;"
          + "setfattr -n user.of.d -v v d; setfattr -n user.q=%e -v 1 d"),
  CAPABILITY(
      "cp /bin/true .",
      "setcap cap_net_raw,cap_chown+ep true; cp /bin/true t2;"
          + "chown 5:5 t2; setcap cap_sys_admin+i t2"),
  ACL(
      "",
      "mkdir d; echo a > a; setfacl -m u:1000:rwx,g:2000:r a d; setfacl -d -m u:1001:rx,g::w d;"
          + "echo b > d/inherits; mkdir d/too; chmod 750 d/too"),
  DEVICE("", "mknod c c 1 3; mknod b b 259 1048575; chmod 640 c; chown 0:6 b; mknod z b 0 0"),
  DEVICE_BY_WHITEOUT("mknod c c 1 3", "rm c"),
  FIFO("", "mkfifo f; chmod 622 f"),
  SOCKET("", "echo a > a; mkdir d; python3 -c 'import socket; socket.socket(1).bind(\"d/s\")'"),
  NAMES_OF_1_AND_255_BYTES(
      "touch $(printf 'w%.0s' {1..255})",
      "echo a > a; echo n > $(printf 'n%.0s' {1..255}); mkdir $(printf 'd%.0s' {1..255});"
          + "echo x > $(printf 'd%.0s' {1..255})/$(printf 'x%.0s' {1..255});"
          + "rm $(printf 'w%.0s' {1..255})"),
  NAMES_NOT_UTF8(
      "touch $'gone-\\xff'",
      "touch $'\\xff\\xfe' $'new\\nline' ' ' '*' ./-x $'tab\\t'; mkdir $'\\xe9'; ln -s $'\\xff' s;"
          + "echo a > $'\\xe9/\\x80'; ln $'\\xe9/\\x80' $'\\x81'; rm $'gone-\\xff'"),
  PATH_OF_4000_BYTES(
      "",
      "for i in {1..39}; do n=$(printf '%0100d' $i); mkdir $n; cd $n; done;"
          + "echo deep > file; ln file second; ln -s file link"),
  MANY_LEVELS("", "for i in {1..300}; do mkdir d; echo $i > f; chmod 71$((i % 8)) .; cd d; done"),
  LARGE_IDS("", "echo a > a; chown 3000000:2097152 a; mkdir d; chown 4294967294:4294967294 d"),
  SETUID_SETGID_STICKY(
      "",
      "echo a > a; chown 9:9 a; chmod 6755 a; mkdir d; chown 1:1 d; chmod 2775 d; echo b > d/b;"
          + "mkdir d/inherits t; chmod 1777 t"),
  TIMES(
      "",
      "echo a > a; mkdir d; echo b > d/b; ln -s x s; touch -d '2026-11-22 09:00:00.123456789' a;"
          + "touch -d '1969-12-31 23:59:58.25 UTC' d/b; touch -h -d '1950-01-01 UTC' s;"
          + "touch -d '2200-01-01 00:00:00.999999999 UTC' d"),
  UNREADABLE_MODES("", "echo a > a; mkdir d; echo b > d/b; chmod 000 a d/b; chmod 000 d"),
  EMPTY("", "mkdir d; touch f"),
  SYMLINKS(
      "mkdir real",
      "ln -s nowhere dangling; ln -s /etc/passwd absolute; ln -s ../../.. up; ln -s real to;"
          + "ln -s $(printf 'x%.0s' {1..4000}) long; chown -h 5:6 up"),
  NAMES_LIKE_WHITEOUTS(
      "touch .wh.lower plain; mkdir .wh.dir; touch .wh.dir/a .wh.dir/b",
      "echo a > .wh.new; mkdir .wh..wh.d; echo b > .wh..wh.d/.wh..wh..opq; ln .wh.new .wh.second;"
          + "rm .wh.lower .wh.dir/a; touch .wh..wh.regen.x .wh. $(printf '.wh.%0251d' 1)"),
  LARGE_FILE("", "head -c 40000000 /dev/urandom > r; ln r s; chmod 4711 r");

  private final String below;
  private final String above;

  LayerKind(String below, String above) {
    this.below = below;
    this.above = above;
  }

  /** The commands for the layer below. */
  String below() {
    return below;
  }

  /** The commands for the union of both, as a container would run them. */
  String above() {
    return above;
  }
}
