package dev.regen.snapshot.layer;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Scripts that make the same random tree for the same seed: some megabytes in many groups. */
final class RandomTree {
  private static final int DIRECTORIES = 50;
  private static final int FILES = 400;
  private static final int EDITS = 25;

  private final Random random;
  private final StringBuilder script = new StringBuilder("umask 022\n");
  private final List<String> directories = new ArrayList<>(List.of("."));
  private final List<String> files = new ArrayList<>();

  private RandomTree(long seed) {
    random = new Random(seed);
  }

  /** A script for an empty directory; takes root. */
  static String script(long seed) {
    RandomTree tree = new RandomTree(seed);
    for (int i = 0; i < DIRECTORIES; i++) {
      tree.directory(i);
    }
    for (int i = 0; i < FILES; i++) {
      tree.entry(i);
    }
    tree.directoryAttributes();
    return tree.script.toString();
  }

  /** A script that changes something in such a tree; {@code paths} of the tree, no root. */
  static String edits(long seed, List<String> paths) {
    RandomTree tree = new RandomTree(seed);
    for (int i = 0; i < EDITS; i++) {
      String path = paths.get(tree.random.nextInt(paths.size()));
      String other = paths.get(tree.random.nextInt(paths.size()));
      String fresh = "new-" + seed + "-" + i;
      tree.line(
          switch (tree.random.nextInt(11)) {
            case 0 -> "rm -rf " + path;
            case 1 -> "[ ! -f " + path + " ] || head -c 3000 /dev/urandom > " + path;
            // Another content behind the same times and size.
            case 2, 3 ->
                "[ ! -f "
                    + path
                    + " ] || { touch -r "
                    + path
                    + " /tmp/"
                    + fresh
                    + "; tr 'a-y' 'b-z' < "
                    + path
                    + " > /tmp/"
                    + fresh
                    + ".c; cat /tmp/"
                    + fresh
                    + ".c > "
                    + path
                    + "; touch -r /tmp/"
                    + fresh
                    + " "
                    + path
                    + "; rm /tmp/"
                    + fresh
                    + "*; }";
            case 4 -> "[ -d " + path + " ] || ln " + path + " " + fresh + " || true";
            case 5 -> "chmod 640 " + path + " || true";
            case 6 -> "setfattr -n user.y -v " + i + " " + path + " || true";
            case 7 -> "[ ! -d " + path + " ] || touch -d @" + i + " " + path;
            case 8 -> "mv " + path + " " + fresh + " || true";
            case 9 -> "[ ! -d " + path + " ] || setfattr -n trusted.overlay.opaque -v y " + path;
            default ->
                "rm -rf " + other + "; mkdir -p " + other + "; touch " + other + "/x || true";
          });
    }
    return tree.script.toString();
  }

  private void directory(int number) {
    String path = pick(directories) + "/" + (char) ('a' + random.nextInt(26)) + number;
    line("mkdir " + path);
    directories.add(path);
  }

  private void entry(int number) {
    String path = pick(directories) + "/" + (char) ('a' + random.nextInt(26)) + "-" + number;
    switch (random.nextInt(40)) {
      case 0, 1, 2 -> line("ln -s target-" + number + " " + path);
      case 3, 4, 5 -> line("mknod " + path + " c 0 0");
      case 6, 7 -> line("mkfifo " + path);
      case 8, 9, 10, 11, 12 -> link(path);
      case 13 -> file(path, 2_000_000 + random.nextInt(1_500_000));
      default -> file(path, random.nextInt(40_000));
    }
    if (random.nextInt(5) == 0) {
      line("chown -h " + random.nextInt(3000) + ":" + random.nextInt(3000) + " " + path);
    }
    line("touch -h -d @" + random.nextInt(2_000_000_000) + "." + random.nextInt(1000) + " " + path);
  }

  private void link(String path) {
    if (files.isEmpty()) {
      file(path, 10);
    } else {
      line("ln " + pick(files) + " " + path);
    }
  }

  private void file(String path, int bytes) {
    line("head -c " + bytes + " /dev/urandom > " + path);
    line(
        "chmod "
            + List.of("644", "755", "4755", "000", "2666", "1777").get(random.nextInt(6))
            + " "
            + path);
    if (random.nextInt(10) == 0) {
      line("setfattr -n user.x -v " + random.nextInt() + " " + path);
    }
    files.add(path);
  }

  private void directoryAttributes() {
    for (String path : directories.reversed()) {
      if (!path.equals(".") && random.nextInt(6) == 0) {
        line("setfattr -n trusted.overlay.opaque -v y " + path);
      }
      if (random.nextInt(6) == 0) {
        line("setfacl -d -m u:1002:rx " + path);
      }
      line("chown " + random.nextInt(3) + ":" + random.nextInt(3) + " " + path);
      line("chmod " + List.of("755", "700", "2775", "1777").get(random.nextInt(4)) + " " + path);
      line("touch -d @" + random.nextInt(2_000_000_000) + " " + path);
    }
  }

  private String pick(List<String> from) {
    return from.get(random.nextInt(from.size()));
  }

  private void line(String command) {
    script.append(command).append('\n');
  }
}
