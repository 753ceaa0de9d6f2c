package dev.regen.snapshot.layer;

import java.util.List;
import java.util.Random;

/**
 * Scripts that change the root of a container at random, the same for the same seed: of few names,
 * so that each is often deleted, made anew, and made something else.
 */
final class RandomUnion {
  private static final int STEPS = 70;
  private static final List<String> NAMES =
      List.of("a", "b", "c", "d", "$'\\xff'", "$'\\xe9 x'", "$'\\303\\251'", "$'new\\nline'");

  private final Random random;

  private RandomUnion(long seed) {
    random = new Random(seed);
  }

  /** For bash, in the root; a step that cannot be done changes nothing. Takes root. */
  static String script(long seed) {
    RandomUnion union = new RandomUnion(seed);
    StringBuilder script = new StringBuilder("set +e; umask 022; {\n");
    for (int i = 0; i < STEPS; i++) {
      script.append(union.step(i)).append('\n');
    }
    return script.append("} 2>/dev/null; true").toString();
  }

  private String step(int number) {
    String path = path();
    String anew = "rm -rf " + path + "; mkdir -p \"$(dirname " + path + ")\"; ";
    int some = random.nextInt(3000);
    return switch (random.nextInt(16)) {
      case 0, 1 -> "rm -rf " + path;
      case 2, 3 -> anew + "mkdir -p " + path + "; echo " + number + " >" + path + "/x";
      case 4, 5, 6 -> anew + "head -c " + some + " /dev/urandom >" + path;
      case 7 -> anew + "ln -s target-" + number + " " + path;
      case 8, 9 -> "other=" + path() + "; [ -d $other ] || { " + anew + "ln $other " + path + "; }";
      case 10 -> "chmod " + List.of("4755", "700", "000", "2775").get(some % 4) + " " + path;
      case 11 -> "chown -h " + some + ":" + some + " " + path;
      case 12 -> "setfattr -n user.x -v 0x00ff" + (1000 + some) + " " + path;
      case 13 -> anew + (some % 2 == 0 ? "mkfifo " + path : "mknod " + path + " c 1 " + some % 250);
      case 14 -> "[ -f " + path + " ] && echo more >>" + path + " && setcap cap_chown+ep " + path;
      default -> "touch -h -d @" + some + "." + some + " " + path;
    };
  }

  private String path() {
    StringBuilder path = new StringBuilder("./" + name());
    for (int levels = random.nextInt(3); levels > 0; levels--) {
      path.append('/').append(name());
    }
    return path.toString();
  }

  private String name() {
    return NAMES.get(random.nextInt(NAMES.size()));
  }
}
