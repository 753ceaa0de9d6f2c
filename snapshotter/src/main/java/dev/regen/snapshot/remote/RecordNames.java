package dev.regen.snapshot.remote;

import dev.regen.snapshot.RegenException;
import java.util.regex.Pattern;

/** Which names a record may have. */
public final class RecordNames {
  private static final int NAME_MAX = 255;
  private static final Pattern FORM =
      Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*");
  private static final Pattern PREFIX = Pattern.compile("[A-Za-z0-9._/-]*");

  private RecordNames() {}

  /** Whether a record may have this name. */
  public static boolean fits(String name) {
    return name.length() <= NAME_MAX && FORM.matcher(name).matches();
  }

  /**
   * Refuses what is no record's name.
   *
   * @throws RegenException.BadInput if no record may have this name
   */
  public static void check(String name) throws RegenException {
    if (!fits(name)) {
      throw bad();
    }
  }

  /**
   * Refuses what is no beginning of a record's name.
   *
   * @throws RegenException.BadInput if no record's name begins so
   */
  public static void checkPrefix(String prefix) throws RegenException {
    if (prefix.length() > NAME_MAX || !PREFIX.matcher(prefix).matches()) {
      throw bad();
    }
  }

  private static RegenException bad() {
    return new RegenException.BadInput(
        "a record's name is up to "
            + NAME_MAX
            + " letters, digits and '._-', in parts with '/' between, none of which begins with a"
            + " dot");
  }
}
